import type { Guest, GuestModule, HostFunction, HostImports } from '../filter/host/guest.ts';

/** A module whose host calls can be told to fail. */
export class FaultyHost implements GuestModule {
  readonly #module: GuestModule;
  readonly #faults = new Map<string, { readonly result: number; left: number }>();

  constructor(module: GuestModule) {
    this.#module = module;
  }

  fail(call: string, result: number, times: number): void {
    this.#faults.set(call, { result, left: times });
  }

  instantiate(imports: HostImports): Guest {
    const wrapped = Object.entries(imports).map(([module, functions]) => {
      const calls = Object.entries(functions).map(([name, run]) => [name, this.#faulty(name, run)] as const);
      return [module, Object.fromEntries(calls)] as const;
    });
    return this.#module.instantiate(Object.fromEntries(wrapped));
  }

  #faulty(name: string, run: HostFunction): HostFunction {
    return (...args) => {
      const fault = this.#faults.get(name);
      if (fault === undefined) return run(...args);
      if (--fault.left <= 0) this.#faults.delete(name);
      return fault.result;
    };
  }
}
