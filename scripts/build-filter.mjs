// Compiles the release module and prints its size against the bar; a warning of the compiler counts as an error.
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './prepare.mjs';

const barKib = 64;
const module = join(root, 'build/rekindle.wasm');
const asc = join(root, 'node_modules/assemblyscript/bin/asc.js');

// Under another name first: a failed build leaves the last good module, and nobody reads half a one.
const unfinished = `build/rekindle.${process.pid}.wasm`;
mkdirSync(join(root, 'build'), { recursive: true });
const args = [asc, '--target', 'release', '--outFile', unfinished];
const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
process.stdout.write(stdout + stderr);
if (status !== 0 || /\bWARNING\b/.test(stdout + stderr)) {
  rmSync(join(root, unfinished), { force: true });
  console.error('the filter does not compile without warnings');
  process.exit(1);
}
renameSync(join(root, unfinished), module);
const kib = statSync(module).size / 1024;
console.log(`build/rekindle.wasm: ${kib.toFixed(1)} KiB of ${barKib} KiB${kib > barKib ? ', ABOVE THE BAR' : ''}`);
