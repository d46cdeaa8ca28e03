import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { onTestFinished } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const source = join(root, 'control-plane');

/** Writes the control plane as JavaScript below `build/`, without checking types, and gives its entry. */
export function buildMain(): string {
  const target = join(root, 'build/test-control-plane');
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023, rewriteRelativeImportExtensions: true };
  for (const name of readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(ts|lua)$/.test(file))) {
    const file = join(target, name.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(file), { recursive: true });
    if (name.endsWith('.lua')) {
      copyFileSync(join(source, name), file);
      continue;
    }
    const { outputText } = ts.transpileModule(readFileSync(join(source, name), 'utf8'), { fileName: join(source, name), compilerOptions });
    writeFileSync(file, outputText);
  }
  return join(target, 'main.js');
}

export interface Running {
  readonly child: ChildProcess;
  readonly base: string;
  /** All that it has written so far. */
  readonly output: () => string;
  /** Ends it with this signal and gives its exit code. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts the process on a free port and waits until it listens; it goes with the test. */
export async function startMain(main: string, environment: Record<string, string>): Promise<Running> {
  const { child, output } = runMain(main, { REKINDLE_PORT: '0', REKINDLE_TICK_MS: '50', ...environment });
  const base = await new Promise<string>((resolve, reject) => {
    child.stdout!.on('data', () => {
      const found = /Server listening at (http:[^"]+)"/.exec(output());
      if (found) resolve(found[1]!);
    });
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${output()}`)));
  });
  const end = async (signal: NodeJS.Signals) => {
    const ended = once(child, 'exit');
    child.kill(signal);
    return ((await ended) as [number | null])[0];
  };
  return { child, base, output, end };
}

export function runMain(
  main: string,
  environment: Record<string, string>,
  ...args: string[]
): { child: ChildProcess; output: () => string } {
  const child = spawn(process.execPath, [main, ...args], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  const add = (chunk: Buffer) => {
    text += chunk.toString();
  };
  child.stdout.on('data', add);
  child.stderr.on('data', add);
  return { child, output: () => text };
}
