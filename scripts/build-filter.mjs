// Compiles the release module and prints its size; a warning of the compiler counts as an error.
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './prepare.mjs';

const module = join(root, 'build/rekindle.wasm');

// Under another name first: a failed build leaves the last good module, and nobody reads half a one.
const unfinished = `build/rekindle.${process.pid}.wasm`;
mkdirSync(join(root, 'build'), { recursive: true });
try {
  run('assemblyscript/bin/asc.js', ['--target', 'release', '--outFile', unfinished]);
  run('binaryen/bin/wasm-opt', ['-Oz', '--all-features', '--low-memory-unused', unfinished, '-o', unfinished]);
} catch (error) {
  rmSync(join(root, unfinished), { force: true });
  console.error(`the filter was not built: ${error.message}`);
  process.exit(1);
}
renameSync(join(root, unfinished), module);
buildWhatIf();
console.log(`build/rekindle.wasm: ${(statSync(module).size / 1024).toFixed(1)} KiB`);

/** The filter's window and breaker for the control plane: `npm run gen` takes it over into control-plane/what-if. */
function buildWhatIf() {
  const options = ['--config', 'none', '--runtime', 'stub', '--use', 'abort=', '--noAssert', '--optimizeLevel', '3', '--shrinkLevel', '2'];
  run('assemblyscript/bin/asc.js', ['filter/what-if.ts', '--outFile', 'build/what-if.wasm', ...options]);
}

function run(tool, args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'node_modules', tool), ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  process.stdout.write(stdout + stderr);
  if (status !== 0) throw new Error(`${tool} failed`);
  if (/\bWARNING\b/i.test(stdout + stderr)) throw new Error(`${tool} warns`);
}
