import { readFileSync } from 'node:fs';
import { type Guest, type GuestModule, type HostFunction, type HostImports, LoadError } from './guest.ts';
import { ABI_EXPORT, CALLBACKS, HOST_FUNCTIONS } from './signatures.ts';
import { type ModuleShape, readShape } from './wasm-binary.ts';

/** A compiled module that passed the checks that Envoy makes before it starts one. */
export class WasmModule implements GuestModule {
  readonly #module: WebAssembly.Module;
  readonly shape: ModuleShape;

  constructor(bytes: Uint8Array) {
    this.#module = new WebAssembly.Module(bytes);
    this.shape = readShape(bytes);
    const problem = problemOf(this.shape);
    if (problem !== null) throw new LoadError(problem);
  }

  static fromFile(path: string): WasmModule {
    return new WasmModule(readFileSync(path));
  }

  /** Names of the host functions that the module uses: with the callbacks, the list of capabilities that it needs. */
  get hostFunctions(): string[] {
    return this.shape.imports.map((found) => found.name).sort();
  }

  instantiate(imports: HostImports): Guest {
    const instance = new WebAssembly.Instance(this.#module, imports as Record<string, Record<string, HostFunction>>);
    return { memory: instance.exports['memory'] as WebAssembly.Memory, exports: instance.exports as Record<string, HostFunction> };
  }
}

/** Why Envoy would refuse a module of this shape; null when it would not. */
function problemOf({ imports, exports }: ModuleShape): string | null {
  for (const { module, name, kind, signature } of imports) {
    const known = HOST_FUNCTIONS[`${module}.${name}`];
    if (kind !== 'function' || known === undefined) return `unknown import: ${module}.${name} (${kind})`;
    if (known !== signature) return `import of the wrong type: ${module}.${name} is ${known}, the module wants ${signature}`;
  }
  const functions = new Map(exports.filter((found) => found.kind === 'function').map((found) => [found.name, found.signature]));
  if (!functions.has(ABI_EXPORT)) return `no function export ${ABI_EXPORT}`;
  for (const [name, signature] of functions) {
    const known = CALLBACKS[name];
    if (known !== undefined && known !== signature) return `callback of the wrong type: ${name} must be ${known}, is ${signature}`;
  }
  if (!functions.has('malloc') && !functions.has('proxy_on_memory_allocate')) return 'no allocator: malloc or proxy_on_memory_allocate';
  if (!exports.some((found) => found.kind === 'memory' && found.name === 'memory')) return 'no memory export';
  return null;
}
