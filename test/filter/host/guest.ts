/** A function that the host offers to the module, or the module to the host. i32 are numbers, i64 are bigints. */
// biome-ignore lint/suspicious/noExplicitAny: arguments differ per call; `signatures.ts` holds them
export type HostFunction = (...args: any[]) => unknown;

export type HostImports = Readonly<Record<string, Readonly<Record<string, HostFunction>>>>;

/** A module in a VM. */
export interface Guest {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly exports: Readonly<Record<string, HostFunction>>;
}

/** A module before it is put into a VM: a real one (`module.ts`), or in the host's own tests one written in TypeScript. */
export interface GuestModule {
  instantiate(imports: HostImports): Guest;
}

/** Why Envoy would not load a module. */
export class LoadError extends Error {}
