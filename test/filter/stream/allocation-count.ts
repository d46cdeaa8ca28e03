import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import binaryen from 'binaryen';
import { WasmModule } from '../host/module.ts';
import type { Vm } from '../host/vm.ts';
import { releasePath } from './scene.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const compiler = join(root, 'node_modules', 'assemblyscript', 'bin', 'asc.js');
const run = promisify(execFile);

/** The allocator that everything on the module's heap goes through. */
const ALLOCATOR = '~lib/rt/tlsf/allocateBlock';
const COUNTER = 'allocations';

/** The package's types put this into the class of modules, where it is not. */
const functions = (binaryen as unknown as { Function: binaryen.Module['Function'] }).Function;

/** The release build with its allocator counting its calls in an exported global. */
export async function countingModule(): Promise<WasmModule> {
  return new WasmModule(countCalls(await namedRelease(), ALLOCATOR));
}

/** The release with the names of its functions, built once for each release. */
async function namedRelease(): Promise<Uint8Array> {
  const cache = join(root, 'build', 'test');
  const hash = createHash('sha256').update(readFileSync(releasePath)).digest('hex').slice(0, 16);
  const path = join(cache, `release-names.${hash}.wasm`);
  if (!existsSync(path)) {
    mkdirSync(cache, { recursive: true });
    const scratch = `${path}.${process.pid}`;
    await run(process.execPath, [compiler, '--target', 'release', '--debug', '--outFile', scratch], { cwd: root });
    renameSync(scratch, path);
  }
  return readFileSync(path);
}

function countCalls(bytes: Uint8Array, name: string): Uint8Array {
  const module = binaryen.readBinary(bytes);
  const found = module.getFunction(name);
  if (!found) throw new Error(`no function ${name}: has it been inlined everywhere?`);
  const { body, results } = binaryen.getFunctionInfo(found);
  module.addGlobal(COUNTER, binaryen.i32, true, module.i32.const(0));
  module.addGlobalExport(COUNTER, COUNTER);
  const counted = module.i32.add(module.global.get(COUNTER, binaryen.i32), module.i32.const(1));
  functions.setBody(found, module.block(null, [module.global.set(COUNTER, counted), body], results));
  const counting = module.emitBinary();
  module.dispose();
  return counting;
}

/** Allocations in a VM of such a module so far. */
export function allocationsOf(vm: Vm): number {
  return (vm.guest.exports[COUNTER] as unknown as { value: number }).value;
}
