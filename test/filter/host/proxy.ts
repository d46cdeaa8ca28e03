import { Clusters } from './calls.ts';
import { ManualClock } from './clock.ts';
import { type Plugin, pluginKey, type RootContext } from './context.ts';
import { type GuestModule, LoadError } from './guest.ts';
import { type HeaderInit, HeaderMap } from './header-map.ts';
import { MetricStore } from './metrics.ts';
import type { Node } from './properties.ts';
import { Random } from './random.ts';
import type { Route } from './router.ts';
import { SharedData } from './shared-data.ts';
import { HttpStream, type StreamHost } from './stream.ts';
import { bodyBytes } from './text.ts';
import type { UpstreamRequest } from './upstream.ts';
import { type Process, Vm } from './vm.ts';
import { Worker } from './worker.ts';

export interface PluginInit {
  readonly configuration: string | Uint8Array;
  readonly rootId?: string;
  readonly name?: string;
}

export interface ProxyInit {
  readonly module: GuestModule;
  readonly plugin: PluginInit;
  readonly workers?: number;
  readonly clock?: ManualClock;
  readonly seed?: number;
  readonly node?: Node;
  readonly routes?: readonly Route[];
  /** Route timeout; 0: none. Envoy's default is 15 s. */
  readonly routeTimeoutMs?: number;
  /** `reload_config.backoff.base_interval`. */
  readonly reloadBackoffMs?: number;
  /** How far the ticks of two neighbouring threads are apart. */
  readonly tickShiftMs?: number;
}

export interface RequestInit {
  readonly method?: string;
  readonly path?: string;
  readonly authority?: string;
  readonly headers?: HeaderInit;
  /** Absent: the headers end the request. */
  readonly body?: string | Uint8Array;
  /** Headers only, the body is still to come. */
  readonly open?: boolean;
  readonly worker?: number;
  /** Another plugin than the first, by its place. */
  readonly plugin?: number;
}

export interface LogLine {
  readonly vm: string;
  readonly level: number;
  readonly message: string;
}

const VM_ID = 'rekindle';

/** One Envoy process: its threads, its shared data, its stats. */
export class EnvoyProxy implements Process, StreamHost {
  readonly clock: ManualClock;
  readonly random: Random;
  readonly shared = new SharedData();
  readonly metrics = new MetricStore();
  readonly clusters = new Clusters();
  readonly node: Node;
  readonly vmId = VM_ID;
  readonly routes: readonly Route[];
  readonly routeTimeoutMs: number;
  readonly logs: LogLine[] = [];
  /** Things done that go wrong on a real Envoy; tests expect none. */
  readonly hazards: string[] = [];
  /** Requests that reached an upstream, oldest first. */
  readonly arrivals: UpstreamRequest[] = [];
  readonly mainThread: Worker;
  readonly workers: Worker[];
  /** Answers every request once the whole of it reached an upstream; absent: they hang until the test answers. */
  onUpstream: ((upstream: UpstreamRequest, stream: HttpStream) => void) | null = null;
  beforeHostCall: Process['beforeHostCall'] = null;
  trapWhen: Process['trapWhen'] = null;
  readonly #module: GuestModule;
  readonly #plugins: Plugin[] = [];
  readonly #leaving: RootContext[] = [];

  constructor(init: ProxyInit) {
    this.#module = init.module;
    this.clock = init.clock ?? new ManualClock();
    this.random = new Random(init.seed ?? 1);
    this.node = init.node ?? { id: 'node-1', cluster: 'shop' };
    this.routes = init.routes ?? [{ name: 'default', cluster: 'upstream' }];
    this.routeTimeoutMs = init.routeTimeoutMs ?? 15_000;
    const shiftMs = init.tickShiftMs ?? 7;
    const worker = (name: string, i: number) => new Worker(name, init.module, this, i * shiftMs, init.reloadBackoffMs ?? 100);
    this.mainThread = worker('main', 0);
    this.workers = Array.from({ length: init.workers ?? 2 }, (_, i) => worker(`worker-${i}`, i + 1));
  }

  /** Starts a proxy as Envoy does; throws LoadError when the module refuses its configuration. */
  static start(init: ProxyInit): EnvoyProxy {
    const proxy = new EnvoyProxy(init);
    proxy.addPlugin(init.plugin);
    return proxy;
  }

  get threads(): Worker[] {
    return [this.mainThread, ...this.workers];
  }

  get liveVms(): Vm[] {
    return this.threads.map((thread) => thread.vm).filter((vm) => vm.failure === null);
  }

  /** A further use of the filter with the same VM. A canary VM tries it first; what that one sees of the shared data is real. */
  addPlugin(init: PluginInit): number {
    const configuration = bodyBytes(init.configuration);
    const plugin = { name: init.name ?? 'rekindle', rootId: init.rootId ?? '', configuration };
    const canary = new Vm('canary', this.#module, this);
    const accepted = canary.startRoot(plugin) !== null;
    canary.discard();
    if (!accepted) throw new LoadError(`the module refused its configuration: ${this.logs.at(-1)?.message}`);
    for (const thread of this.threads) {
      if (thread.load(plugin) === null) throw new LoadError(`${thread.name} refused the configuration: ${this.logs.at(-1)?.message}`);
    }
    return this.#plugins.push(plugin) - 1;
  }

  /** Listener update: new requests use the new configuration, the old root goes when its last stream has ended. */
  replacePlugin(at: number, init: PluginInit): void {
    const old = this.#plugins[at]!;
    const added = this.addPlugin(init);
    this.#plugins[at] = this.#plugins[added]!;
    this.#plugins.length = added;
    if (pluginKey(old) !== pluginKey(this.#plugins[at])) this.#retire(old);
  }

  removePlugin(at: number): void {
    this.#retire(this.#plugins[at]!);
  }

  /** Sends a request to a worker. */
  request(init: RequestInit = {}): HttpStream {
    const plugin = this.#plugins[init.plugin ?? 0];
    const worker = this.workers[init.worker ?? 0];
    const root = plugin === undefined ? null : worker?.rootFor(plugin);
    if (!root) throw new Error('no such worker or plugin, or the worker could not load it');
    const stream = new HttpStream(root, this, requestHeaders(init));
    stream.start(init.body === undefined && init.open !== true);
    if (init.body !== undefined) stream.sendBody(init.body);
    return stream;
  }

  advance(ms: number): void {
    this.clock.advance(ms);
  }

  log(vm: string, level: number, message: string): void {
    this.logs.push({ vm, level, message });
  }

  hazard(text: string): void {
    this.hazards.push(text);
  }

  arrived(upstream: UpstreamRequest): void {
    this.arrivals.push(upstream);
  }

  complete(upstream: UpstreamRequest, stream: HttpStream): void {
    this.onUpstream?.(upstream, stream);
  }

  ended(stream: HttpStream): void {
    const at = this.#leaving.indexOf(stream.root);
    if (at >= 0 && stream.root.streams === 0) this.#leave(at);
  }

  #retire(plugin: Plugin): void {
    for (const { vm } of this.threads) {
      const root = vm.roots.get(pluginKey(plugin));
      if (root === undefined) continue;
      vm.roots.delete(pluginKey(plugin));
      this.#leaving.push(root);
      if (root.streams === 0) this.#leave(this.#leaving.length - 1);
    }
  }

  #leave(at: number): void {
    const [root] = this.#leaving.splice(at, 1);
    root?.vm.endRoot(root);
  }
}

function requestHeaders({ method = 'GET', path = '/', authority = 'shop.example', headers = {} }: RequestInit): HeaderMap {
  return HeaderMap.of({ ':method': method, ':path': path, ':scheme': 'http', ':authority': authority, ...headers });
}
