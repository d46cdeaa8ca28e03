import asc from 'assemblyscript/asc';
import binaryen from 'binaryen';
import { WasmModule } from '../host/module.ts';
import type { Vm } from '../host/vm.ts';

/** The allocator that everything on the module's heap goes through. */
const ALLOCATOR = '~lib/rt/tlsf/allocateBlock';
const COUNTER = 'allocations';

/** The package's types put this into the class of modules, where it is not. */
const functions = (binaryen as unknown as { Function: binaryen.Module['Function'] }).Function;

/** The release build with its allocator counting its calls in an exported global; names are kept to find it. */
export async function countingModule(): Promise<WasmModule> {
  let binary: Uint8Array | null = null;
  const { error, stderr } = await asc.main(['--target', 'release', '--debug', '--outFile', 'counting.wasm'], {
    writeFile: (name, contents) => {
      if (name.endsWith('.wasm')) binary = Uint8Array.from(contents as Uint8Array);
    },
  });
  if (error !== null || binary === null) throw new Error(`asc: ${error?.message ?? ''}\n${stderr.toString()}`);
  return new WasmModule(countCalls(binary, ALLOCATOR));
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
