import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { projectRoot } from '../../../scripts/project-root.ts';
import { policyDraft } from '../fleet/stage.ts';

/** As `npm run build` leaves it; `npm test` sees to that. */
const built = join(projectRoot, 'dist/control-plane');

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** The command line as a process, a control plane as another, and a folder for files. */
export interface CliStage {
  readonly folder: string;
  readonly url: string;
  /** Runs `rekindle` with these arguments. */
  run(args: readonly string[], options?: RunOptions): Promise<Ended>;
  /** The same, started and left to itself. */
  start(
    args: readonly string[],
    options?: RunOptions,
  ): { readonly ended: Promise<Ended>; readonly seen: () => string; kill(signal: NodeJS.Signals): void };
  /** Writes a file of the folder, and gives its path. */
  file(name: string, content: string | object): string;
  /** Asks the control plane, beside the command line. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
}

/** For the tests of one file: a control plane with these settings, until they are through. */
export function cliStage(settings: Readonly<Record<string, string>> = {}): CliStage {
  const folder = mkdtempSync(join(tmpdir(), 'rekindle-'));
  let base = '';
  beforeAll(async () => {
    const env = { ...bare(), REKINDLE_PORT: '0', REKINDLE_TICK_MS: '50', REKINDLE_DATA_DIR: join(folder, 'store'), ...settings };
    const child = spawn(process.execPath, [join(built, 'main.js')], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    base = await addressOf(child.stdout);
    return async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    };
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const start: CliStage['start'] = (args, { env = {}, input } = {}) => {
    const script = join(built, 'cli/main.js');
    const child = spawn(process.execPath, [script, ...args], { cwd: folder, env: { ...bare(), REKINDLE_URL: base, ...env } });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => {
      out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.stdin.end(input);
    const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, out, err }));
    return { ended, seen: () => out + err, kill: (signal) => void child.kill(signal) };
  };
  return {
    folder,
    get url() {
      return base;
    },
    start,
    run: (args, options) => start(args, options).ended,
    file: (name, content) => {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
      return name;
    },
    ask: (method, path, body, headers = {}) =>
      fetch(base + path, {
        method,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
  };
}

/** Nothing of the environment of whoever runs the tests. */
const bare = () => ({ PATH: process.env['PATH'] ?? '' });

async function addressOf(log: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  for await (const chunk of log) {
    text += chunk;
    const found = /Server listening at (http:[^"]+)"/.exec(text);
    if (found) {
      log.resume();
      return found[1]!;
    }
  }
  throw new Error(`the control plane ended: ${text}`);
}

/** A service of its own for a test. */
export async function newService(stage: CliStage, service: string, ...features: Parameters<typeof policyDraft>[1][]): Promise<void> {
  const response = await stage.ask(
    'PUT',
    `/v1/policies/${service}`,
    policyDraft(service, ...(features.length > 0 ? features : ['catalog', 'checkout'])),
  );
  if (!response.ok) throw new Error(await response.text());
}
