interface Descriptor {
  readonly name: string;
  readonly kind: string;
}

/** The part of the WebAssembly API that is used here; TypeScript has its types only with those of the DOM. */
interface WebAssemblyModule {
  new (bytes: Uint8Array): object;
  imports(module: object): Descriptor[];
  exports(module: object): Descriptor[];
}

const { Module } = (globalThis as unknown as { WebAssembly: { Module: WebAssemblyModule } }).WebAssembly;

/**
 * The capabilities that a proxy-wasm module needs, sorted: the host functions that it imports and the callbacks that it exports.
 * Envoy's `allowed_capabilities` gates both. Memory and the ABI's version are taken from the module without asking.
 */
export function capabilitiesOf(bytes: Uint8Array): string[] {
  const module = new Module(bytes);
  const imports = Module.imports(module).map(({ name }) => name);
  const callbacks = Module.exports(module)
    .filter(({ kind, name }) => kind === 'function' && name.startsWith('proxy_on_') && name !== 'proxy_on_memory_allocate')
    .map(({ name }) => name);
  return [...new Set([...imports, ...callbacks])].sort();
}
