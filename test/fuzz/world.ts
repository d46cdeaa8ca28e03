import { Clusters, type PendingCall } from '../filter/host/calls.ts';
import { ManualClock, type Timer } from '../filter/host/clock.ts';
import type { GuestModule } from '../filter/host/guest.ts';
import { HeaderMap } from '../filter/host/header-map.ts';
import { MetricStore } from '../filter/host/metrics.ts';
import { Random } from '../filter/host/random.ts';
import { SharedData } from '../filter/host/shared-data.ts';
import { type Process, Vm } from '../filter/host/vm.ts';
import { FuzzRoot, FuzzStream } from './contexts.ts';
import { bytesOf, type FuzzEvent } from './event.ts';
import { FaultyHost } from './faulty-host.ts';

/** VMs of one proxy: what one of them stores, the other one reads. */
export const VMS = 2;
const VM_ID = 'rekindle';
/** A VM that needs more than this has a leak, or takes memory as it is told to. */
const MOST_BYTES = 192 * 1024 * 1024;
/** An event that takes longer blocks a worker; wide, since this machine may be busy. */
const SLOWEST_MS = 3000;

/** Time goes by only as events say, and nothing is timed: ticks and timeouts are events too. */
class FuzzClock extends ManualClock {
  override after(): Timer {
    return { cancel: () => undefined };
  }
}

/** One proxy with a module under fire. Two worlds that are told the same events end alike. */
export class World implements Process {
  readonly clock = new FuzzClock();
  readonly random = new Random(1);
  readonly shared = new SharedData();
  readonly metrics = new MetricStore();
  readonly clusters = new Clusters();
  readonly node = { id: 'node-1', cluster: 'shop' };
  readonly vmId = VM_ID;
  readonly beforeHostCall = null;
  readonly trapWhen = null;
  /** Whether the last configuration was taken, and the last directive. */
  accepted = false;
  directiveAccepted = false;
  /** What the filter said before it died. */
  #lastWords = '';
  readonly #hosts: FaultyHost[];
  readonly #vms: Vm[];
  readonly #roots: Map<number, FuzzRoot>[];
  readonly #calls: PendingCall[][];

  constructor(module: GuestModule) {
    for (const name of ['control-plane', 'spare'])
      this.clusters.set(name, (call) => this.#calls[this.#vms.indexOf(call.root.vm)]?.push(call));
    this.#hosts = Array.from({ length: VMS }, () => new FaultyHost(module));
    this.#vms = this.#hosts.map((host, i) => new Vm(`vm-${i}`, host, this));
    this.#roots = this.#vms.map(() => new Map());
    this.#calls = this.#vms.map(() => []);
  }

  log(_vm: string, _level: number, message: string): void {
    if (message.startsWith('rekindle: abort')) this.#lastWords = message;
    if (message.includes('directive refused')) this.directiveAccepted = false;
  }

  /** Kinds of call-outs that wait for an answer at a VM, oldest first. */
  waiting(vm: number): readonly ('directive' | 'reports' | 'other')[] {
    return this.#calls[vm]?.map(kindOf) ?? [];
  }

  exports(): string[] {
    return Object.keys(this.#vms[0]?.guest.exports ?? {});
  }

  /** What is wrong after an event; null: nothing. */
  tell(event: FuzzEvent): string | null {
    const startedAtMs = performance.now();
    this.#tell(event);
    const tookMs = performance.now() - startedAtMs;
    const dead = this.#vms.find(({ failure }) => failure !== null);
    if (dead !== undefined) return `trap: ${dead.failure}${this.#lastWords && ` (${this.#lastWords})`}`;
    const large = this.#vms.find(({ memory }) => memory.byteLength > MOST_BYTES);
    if (large !== undefined) return `memory: ${large.memory.byteLength} bytes`;
    return tookMs > SLOWEST_MS ? `slow: an event took ${Math.round(tookMs)} ms` : null;
  }

  #tell(event: FuzzEvent): void {
    switch (event.do) {
      case 'configure':
        this.#configure(event.vm, event.root, bytesOf(event.text));
        return;
      case 'close':
        this.#close(event.vm, event.root);
        return;
      case 'tick':
        this.#tick(event.vm, event.root, event.afterMs);
        return;
      case 'answer':
        this.#answer(event);
        return;
      case 'stream':
        this.#stream(event);
        return;
      case 'share':
        this.shared.set(VM_ID, event.key, bytesOf(event.bytes), 0);
        return;
      case 'raw':
        this.#raw(event.vm, event.name, event.args);
        return;
      case 'fail':
        this.#hosts[event.vm]?.fail(event.call, event.result, event.times);
    }
  }

  #configure(at: number, slot: number, configuration: Uint8Array): void {
    const vm = this.#vms[at]!;
    const root = new FuzzRoot(vm, { name: 'rekindle', rootId: `r${slot}`, configuration });
    vm.contexts.set(root.id, root);
    vm.callback(root, 'proxy_on_context_create', root.id, 0);
    vm.callback(root, 'proxy_on_vm_start', root.id, 0);
    root.configuring = true;
    this.accepted = vm.callback(root, 'proxy_on_configure', root.id, configuration.length) === 1;
    root.configuring = false;
    if (!this.accepted) {
      vm.callback(root, 'proxy_on_done', root.id);
      vm.callback(root, 'proxy_on_delete', root.id);
      vm.contexts.delete(root.id);
      return;
    }
    this.#close(at, slot);
    this.#roots[at]!.set(slot, root);
  }

  #close(at: number, slot: number): void {
    const vm = this.#vms[at]!;
    const root = this.#roots[at]!.get(slot);
    if (root === undefined) return;
    this.#roots[at]!.delete(slot);
    for (const stream of root.streamsBySlot.values()) this.#end(vm, stream);
    vm.callback(root, 'proxy_on_done', root.id);
    vm.callback(root, 'proxy_on_delete', root.id);
    vm.contexts.delete(root.id);
    this.#calls[at] = this.#calls[at]!.filter((call) => call.root !== root);
  }

  #end(vm: Vm, stream: FuzzStream): void {
    for (const name of ['log', 'done', 'delete']) vm.callback(stream, `proxy_on_${name}`, stream.id);
    vm.contexts.delete(stream.id);
  }

  #tick(at: number, slot: number, afterMs: number): void {
    this.clock.advance(afterMs);
    const root = this.#roots[at]!.get(slot);
    if (root !== undefined) root.vm.callback(root, 'proxy_on_tick', root.id);
  }

  #answer({ vm, to, headers, body, headerCount, bodySize }: FuzzEvent & { do: 'answer' }): void {
    const calls = this.#calls[vm]!;
    const at = calls.findIndex((call) => kindOf(call) === to);
    if (at < 0) return;
    const [call] = calls.splice(at, 1);
    const { root, token } = call!;
    const map = new HeaderMap();
    if (headers !== null) map.replaceAll(headers);
    root.answer = headers === null ? null : { headers: map, body: bytesOf(body), trailers: null };
    this.directiveAccepted = true;
    root.vm.callback(root, 'proxy_on_http_call_response', root.id, token, headerCount, bodySize, 0);
    root.answer = null;
    root.calls.delete(token);
  }

  #stream({ vm: at, root: rootSlot, slot, steps }: FuzzEvent & { do: 'stream' }): void {
    const root = this.#roots[at]!.get(rootSlot);
    if (root === undefined) return;
    const { vm, streamsBySlot } = root;
    for (const step of steps) {
      let stream = streamsBySlot.get(slot);
      if (stream === undefined) {
        stream = new FuzzStream(root);
        streamsBySlot.set(slot, stream);
        vm.contexts.set(stream.id, stream);
        vm.callback(stream, 'proxy_on_context_create', stream.id, root.id);
      }
      stream.show(step);
      if (step.call !== 'vanish') vm.callback(stream, `proxy_on_${step.call}`, stream.id, ...step.args);
      if (step.call !== 'vanish' && step.call !== 'delete') continue;
      streamsBySlot.delete(slot);
      vm.contexts.delete(stream.id);
    }
  }

  #raw(at: number, name: string, args: readonly number[]): void {
    const vm = this.#vms[at]!;
    const [root] = this.#roots[at]!.values();
    const context = vm.contexts.get(args[0] ?? 0) ?? root;
    if (context !== undefined && typeof vm.guest.exports[name] === 'function') vm.callback(context, name, ...args);
  }
}

function kindOf(call: PendingCall): 'directive' | 'reports' | 'other' {
  const [, kind = 'other'] = /\/(directive|reports)\b/.exec(call.path) ?? [];
  return kind as 'directive' | 'reports' | 'other';
}
