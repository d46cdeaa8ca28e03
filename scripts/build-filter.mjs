// Compiles the release module and prints its size against the bar; a warning of the compiler counts as an error.
import { spawnSync } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './prepare.mjs';

const barKib = 64;
const module = join(root, 'build/rekindle.wasm');
const asc = join(root, 'node_modules/assemblyscript/bin/asc.js');

const { status, stdout, stderr } = spawnSync(process.execPath, [asc, '--target', 'release'], { cwd: root, encoding: 'utf8' });
process.stdout.write(stdout + stderr);
if (status !== 0 || /\bWARNING\b/.test(stdout + stderr)) {
  rmSync(module, { force: true });
  console.error('the filter does not compile without warnings');
  process.exit(1);
}
const kib = statSync(module).size / 1024;
console.log(`build/rekindle.wasm: ${kib.toFixed(1)} KiB of ${barKib} KiB${kib > barKib ? ', ABOVE THE BAR' : ''}`);
