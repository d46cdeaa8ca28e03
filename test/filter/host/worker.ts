import type { ManualClock } from './clock.ts';
import { type Plugin, pluginKey, type RootContext } from './context.ts';
import type { GuestModule } from './guest.ts';
import { type Process, Vm } from './vm.ts';

/** One thread with its VM. A dead VM is replaced by the next request (FAIL_RELOAD), outside of the backoff. */
export class Worker {
  readonly name: string;
  readonly #module: GuestModule;
  readonly #process: Process;
  readonly #tickShiftMs: number;
  readonly #backoffMs: number;
  readonly #loadedAtMs = new Map<string, number>();
  vm: Vm;
  reloads = 0;

  constructor(name: string, module: GuestModule, process: Process, tickShiftMs: number, backoffMs: number) {
    this.name = name;
    this.#module = module;
    this.#process = process;
    this.#tickShiftMs = tickShiftMs;
    this.#backoffMs = backoffMs;
    this.vm = new Vm(name, module, process, tickShiftMs);
  }

  get #clock(): ManualClock {
    return this.#process.clock;
  }

  load(plugin: Plugin): RootContext | null {
    this.#loadedAtMs.set(pluginKey(plugin), this.#clock.nowMs);
    return this.vm.startRoot(plugin);
  }

  /** Root for a new request. Within the backoff after a load it is the dead VM's, and the request gets 503. */
  rootFor(plugin: Plugin): RootContext | null {
    const key = pluginKey(plugin);
    const root = this.vm.roots.get(key) ?? null;
    if (this.vm.failure === null && root !== null) return root;
    if (this.#clock.nowMs - (this.#loadedAtMs.get(key) ?? 0) < this.#backoffMs) return root;
    if (this.vm.failure !== null) this.vm = new Vm(`${this.name}+${++this.reloads}`, this.#module, this.#process, this.#tickShiftMs);
    return this.load(plugin);
  }
}
