import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../../../scripts/project-root.ts';

const run = promisify(execFile);

/** Compiles test/filter/exports/empty-filter.ts and gives the path of the module. */
export async function emptyModule(): Promise<string> {
  const path = join(projectRoot, 'build/test/empty-filter.wasm');
  await mkdir(join(projectRoot, 'build/test'), { recursive: true });
  const compiler = join(projectRoot, 'node_modules/assemblyscript/bin/asc.js');
  const options = ['--config', 'none', '--runtime', 'stub', '--optimizeLevel', '3', '--exportStart', '_initialize'];
  await run(process.execPath, [compiler, 'test/filter/exports/empty-filter.ts', '--outFile', path, ...options], { cwd: projectRoot });
  return path;
}
