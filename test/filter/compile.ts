import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { type ASUtil, instantiateSync } from '@assemblyscript/loader';
import { projectRoot as root } from '../../scripts/project-root.ts';

const compiler = join(root, 'node_modules', 'assemblyscript', 'bin', 'asc.js');
const run = promisify(execFile);
const cache = join(root, 'build', 'test');

/** `minimal`, as the release has it, frees when `__collect` is called; `stub` never frees, so that a test sees every allocation. */
export type Runtime = 'incremental' | 'minimal' | 'stub';

/** A trap of the module: its message is that of AssemblyScript's abort, or of the engine. */
export class Trap extends Error {}

/**
 * Compiles `test/filter/exports/<name>.ts`, optimised as the release is but with assertions, and gives the bytes. A build of the same
 * sources is found in `build/test` and used again.
 */
async function compileFilter(name: string, runtime: Runtime = 'incremental'): Promise<Uint8Array<ArrayBuffer>> {
  const entry = join('test', 'filter', 'exports', `${name}.ts`);
  const path = join(cache, `${name}.${runtime}.${sourceHash(entry)}.wasm`);
  const cached = readIfThere(path);
  if (cached !== null) return cached;
  const scratch = `${path}.${process.pid}`;
  const options = ['--optimizeLevel', '3', '--shrinkLevel', '1', '--exportRuntime', '--debug'];
  await run(process.execPath, [compiler, entry, '--outFile', scratch, '--config', 'none', '--runtime', runtime, ...options], { cwd: root });
  renameSync(scratch, path);
  return Uint8Array.from(readFileSync(path));
}

/** Compiles an entry and instantiates it; a call that traps throws `Trap`. */
export async function loadFilter<Exports extends object>(name: string, runtime: Runtime = 'incremental'): Promise<ASUtil & Exports> {
  const binary = await compileFilter(name, runtime);
  let memory: ASUtil | null = null;
  const abort = (message: number, file: number, line: number, column: number): never => {
    const text = (pointer: number) => (pointer === 0 || memory === null ? '' : memory.__getString(pointer));
    throw new Trap(`${text(message)} at ${text(file)}:${line}:${column}`);
  };
  const { exports } = instantiateSync<Exports & Record<string, unknown>>(binary, { env: { abort } });
  memory = exports;
  return exports;
}

function sourceHash(entry: string): string {
  const hash = createHash('sha256').update(readFileSync(join(root, entry)));
  const folders = [join(root, 'filter'), join(root, 'test', 'filter', 'exports')];
  const sources = folders.flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }));
  const files = sources.filter((found) => found.isFile() && found.name.endsWith('.ts')).map((found) => join(found.parentPath, found.name));
  for (const file of files.sort()) hash.update(relative(root, file)).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex').slice(0, 16);
}

function readIfThere(path: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(readFileSync(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
