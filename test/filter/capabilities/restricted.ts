import type { Guest, GuestModule, HostFunction, HostImports } from '../host/guest.ts';

const DENIED = 10;
const WASI_DENIED = 76;

/** A module in a host that denies it one capability, as Envoy does: the host function fails, or the callback is never called. */
export class Restricted implements GuestModule {
  readonly #module: GuestModule;
  readonly #denied: string;

  constructor(module: GuestModule, denied: string) {
    this.#module = module;
    this.#denied = denied;
  }

  instantiate(imports: HostImports): Guest {
    const wrapped = Object.entries(imports).map(([module, functions]) => {
      const result = module === 'env' ? DENIED : WASI_DENIED;
      const denied: HostFunction = () => result;
      return [module, { ...functions, ...(this.#denied in functions ? { [this.#denied]: denied } : {}) }] as const;
    });
    const { memory, exports } = this.#module.instantiate(Object.fromEntries(wrapped));
    const { [this.#denied]: _, ...called } = exports;
    return { memory, exports: called };
  }
}
