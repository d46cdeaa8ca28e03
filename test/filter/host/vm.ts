import type { Clusters } from './calls.ts';
import type { ManualClock, Timer } from './clock.ts';
import { type Context, type Plugin, pluginKey, RootContext } from './context.ts';
import { CallCounts } from './counting.ts';
import type { Guest, GuestModule } from './guest.ts';
import { linkHost } from './host-calls/link.ts';
import { GuestMemory } from './memory.ts';
import { MetricIds, type MetricStore } from './metrics.ts';
import type { Node } from './properties.ts';
import type { Random } from './random.ts';
import type { SharedData } from './shared-data.ts';
import { ALLOWED_AT_START, ALLOWED_IN_ALLOCATE } from './signatures.ts';

/** What the VMs of one proxy process share. */
export interface Process {
  readonly clock: ManualClock;
  readonly random: Random;
  readonly shared: SharedData;
  readonly metrics: MetricStore;
  readonly clusters: Clusters;
  readonly node: Node;
  readonly vmId: string;
  log(vm: string, level: number, message: string): void;
  /** Called before each host call: whatever another thread may do at that moment, a test does here. */
  readonly beforeHostCall: ((vm: Vm, hostCall: string, args: readonly unknown[]) => void) | null;
  /** Fault of a test: whether the VM dies in this host call. */
  readonly trapWhen: ((vm: Vm, hostCall: string, args: readonly unknown[]) => boolean) | null;
}

/** A callback's answer when the VM is dead. */
export const FAILED = -1;
/** A callback's answer when the module does not export it. */
export const ABSENT = -2;

/** One VM: a module instance with its contexts. A trap kills it for good. */
export class Vm {
  readonly name: string;
  readonly process: Process;
  readonly guest: Guest;
  readonly memory: GuestMemory;
  readonly metrics: MetricIds;
  readonly counts = new CallCounts();
  readonly contexts = new Map<number, Context>();
  readonly roots = new Map<string, RootContext>();
  /** Why it died; null while it lives. */
  failure: string | null = null;
  /** Whether the last callback asked for a local reply, which stops the stream whatever the callback answered. */
  stopped = false;
  #current: Context | null = null;
  #effectiveId = 0;
  #restriction: ReadonlySet<string> | null = null;
  #nextContextId = 1;
  #nextToken = 0;
  readonly #actions: (() => void)[] = [];
  readonly #ticks = new Map<number, { periodMs: number; timer: Timer | null }>();
  readonly #tickShiftMs: number;

  /** `tickShiftMs`: how much later than its period the first tick comes; threads are never in step. */
  constructor(name: string, module: GuestModule, process: Process, tickShiftMs = 0) {
    this.name = name;
    this.process = process;
    this.#tickShiftMs = tickShiftMs;
    this.metrics = new MetricIds(process.metrics);
    this.guest = module.instantiate(linkHost(this));
    this.memory = new GuestMemory(this.guest);
    this.#restriction = ALLOWED_AT_START;
    this.#enter(null, () => (this.guest.exports['_initialize'] ?? this.guest.exports['_start'])?.());
    this.#restriction = null;
  }

  get vmId(): string {
    return this.process.vmId;
  }

  /** Context that host calls work on: the effective one if it still exists. */
  get context(): Context {
    const effective = this.#effectiveId === 0 ? undefined : this.contexts.get(this.#effectiveId);
    const context = effective ?? this.#current;
    if (context === null) throw new Error('host call outside of a callback');
    return context;
  }

  setEffective(id: number): boolean {
    if (!this.contexts.has(id)) return false;
    this.#effectiveId = id;
    return true;
  }

  isRestricted(name: string): boolean {
    return this.#restriction !== null && !this.#restriction.has(name);
  }

  newContextId(): number {
    return this.#nextContextId++;
  }

  newToken(): number {
    this.#nextToken += 4;
    return this.#nextToken;
  }

  /** Runs after the callback at hand, or after the next one. */
  afterCallback(action: () => void): void {
    this.#actions.push(action);
  }

  /** Calls into the module, then runs what its host calls put off. */
  callback(context: Context, name: string, ...args: number[]): number {
    let result = FAILED;
    this.stopped = false;
    if (this.failure === null) {
      const callback = this.guest.exports[name];
      result = callback === undefined ? ABSENT : this.#enter(context, () => Number(callback(...args) ?? 0));
    }
    const stopped = this.stopped;
    this.stopped = false;
    for (let action = this.#actions.shift(); action !== undefined; action = this.#actions.shift()) action();
    this.stopped = stopped;
    return result;
  }

  /** Asks the module for memory; null when it answers 0, or an address outside. */
  allocate(size: number): number | null {
    this.counts.allocations++;
    const before = this.#restriction;
    this.#restriction = ALLOWED_IN_ALLOCATE;
    const allocator = this.guest.exports['malloc'] ?? this.guest.exports['proxy_on_memory_allocate'];
    const pointer = Number(allocator?.(size) ?? 0) >>> 0;
    this.#restriction = before;
    return pointer === 0 || this.memory.bytes(pointer, size) === null ? null : pointer;
  }

  /** Hands bytes to the module and writes where they are; no bytes need no memory. */
  give(bytes: Uint8Array, pointerAt: number, sizeAt: number): boolean {
    let pointer: number | null = 0;
    if (bytes.length > 0) {
      pointer = this.allocate(bytes.length);
      if (pointer === null || !this.memory.write(pointer, bytes)) return false;
    }
    return this.memory.writeU32(pointerAt, pointer) && this.memory.writeU32(sizeAt, bytes.length);
  }

  /** Root context of a plugin, started and configured; null when the module refused or trapped. */
  startRoot(plugin: Plugin): RootContext | null {
    const root = new RootContext(this, this.newContextId(), plugin, this.process.node);
    this.contexts.set(root.id, root);
    this.roots.set(pluginKey(plugin), root);
    this.callback(root, 'proxy_on_context_create', root.id, 0);
    if (!accepted(this.callback(root, 'proxy_on_vm_start', root.id, 0))) return null;
    root.configuring = true;
    const configured = this.callback(root, 'proxy_on_configure', root.id, plugin.configuration.length);
    root.configuring = false;
    return accepted(configured) ? root : null;
  }

  /** The plugin is gone and its last stream too: done, delete, and its calls end without a callback. */
  endRoot(root: RootContext): void {
    // 0 means "not yet, I shall call proxy_done": the root then stays, with its ticks and calls.
    if (this.callback(root, 'proxy_on_done', root.id) === 0) return;
    this.callback(root, 'proxy_on_delete', root.id);
    this.setTickPeriod(root.id, 0);
    for (const call of root.calls.values()) call.cancel();
    root.calls.clear();
    this.contexts.delete(root.id);
    if (this.roots.get(pluginKey(root.plugin)) === root) this.roots.delete(pluginKey(root.plugin));
  }

  /** The VM vanishes without a word to the module, as a canary or a dead one does. */
  discard(): void {
    this.failure ??= 'discarded';
    for (const id of this.#ticks.keys()) this.setTickPeriod(id, 0);
    for (const root of this.roots.values()) for (const call of root.calls.values()) call.cancel();
  }

  /** One timer per root, armed again when its callback returns; 0 stops it. */
  setTickPeriod(rootId: number, periodMs: number): void {
    const tick = this.#ticks.get(rootId);
    tick?.timer?.cancel();
    this.#ticks.set(rootId, { periodMs, timer: periodMs > 0 ? this.#armTick(rootId, periodMs + this.#tickShiftMs) : null });
  }

  #armTick(rootId: number, delayMs: number): Timer {
    return this.process.clock.after(delayMs, () => {
      const root = this.contexts.get(rootId);
      if (root === undefined || this.failure !== null) return;
      this.callback(root, 'proxy_on_tick', rootId);
      const tick = this.#ticks.get(rootId);
      if (tick !== undefined && tick.periodMs > 0) tick.timer = this.#armTick(rootId, tick.periodMs);
    });
  }

  #enter(context: Context | null, run: () => unknown): number {
    const before = [this.#current, this.#effectiveId] as const;
    this.#current = context;
    this.#effectiveId = 0;
    try {
      return Number(run() ?? 0);
    } catch (error) {
      if (!isTrap(error)) throw error;
      this.failure = error.message;
      this.process.log(this.name, 5, `Function failed: ${error.message}`);
      return FAILED;
    } finally {
      [this.#current, this.#effectiveId] = before;
    }
  }
}

function accepted(result: number): boolean {
  return result === ABSENT || (result !== FAILED && result !== 0);
}

/** Traps, and the stack overflow, which the engine reports as a RangeError. */
function isTrap(error: unknown): error is Error {
  return error instanceof WebAssembly.RuntimeError || (error instanceof RangeError && error.message.includes('call stack'));
}
