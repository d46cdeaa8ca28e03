import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { FakeControlPlane } from '../host/control-plane.ts';
import { LogLevel } from '../host/enums.ts';
import { WasmModule } from '../host/module.ts';
import { EnvoyProxy, type ProxyInit, type RequestInit } from '../host/proxy.ts';
import type { HttpStream } from '../host/stream.ts';
import type { UpstreamAnswer, UpstreamRequest } from '../host/upstream.ts';

/** The module under test; another build of it can be named, such as the debug one. */
export const releasePath = process.env['REKINDLE_WASM'] ?? fileURLToPath(new URL('../../../build/rekindle.wasm', import.meta.url));
if (!existsSync(releasePath)) throw new Error(`${releasePath} is missing: run npm run build first`);
export const release = WasmModule.fromFile(releasePath);

/** A policy or a part of it as a person writes it: defaults left out. */
export type Json = Readonly<Record<string, unknown>>;

/** Period of the filter's tick, ms. */
export const TICK_MS = 50;

/** Breaker that trips on 4 requests of which half failed, opens for exactly 1 s, probes three times and does not ramp. */
export const QUICK: Json = {
  minimumRequests: 4,
  failureRatePercent: 50,
  consecutiveFailures: 0,
  openMs: 1000,
  openCapMs: 8000,
  jitter: 'none',
  halfOpen: { probes: 3, successPercent: 100, timeoutMs: 5000 },
  rampMs: 0,
};

/** Feature whose routes are all paths under its name. */
export function feature(name: string, more: Json = {}): Json {
  return { name, routes: [{ path: { prefix: `/${name}` } }], breaker: QUICK, ...more };
}

export function policy(features: readonly Json[], more: Json = {}): Json {
  return { service: 'shop', features, ...more };
}

export interface SceneInit extends Partial<Omit<ProxyInit, 'plugin'>> {
  /** Features of the inline policy of service `shop`; default: `catalog` alone. */
  readonly features?: readonly Json[];
  /** Further members of the inline policy; null: no inline policy. */
  readonly policy?: Json | null;
  /** Further members of the plugin configuration. */
  readonly configuration?: Json;
  /** Connects a fake control plane. */
  readonly connected?: boolean;
}

/** What the plugin configuration says, from the parts of a scene. */
export function configurationOf({
  features = [feature('catalog')],
  policy: more = {},
  configuration = {},
  connected = false,
}: SceneInit): Json {
  const entry = more === null ? { service: 'shop' } : { service: 'shop', policy: policy(features, more) };
  const controlPlane = connected ? { controlPlane: { cluster: 'control-plane', authority: 'rekindle', token: 'secret' } } : {};
  return { services: [entry], ...controlPlane, ...configuration };
}

const open: Scene[] = [];

/** One proxy with the release module, its upstream and its control plane. */
export class Scene {
  readonly proxy: EnvoyProxy;
  readonly fleet: FakeControlPlane;
  /** Tests that kill VMs on purpose say so. */
  mayTrap = false;

  constructor(init: SceneInit) {
    const { features: _features, policy: _policy, configuration: _configuration, connected = false, ...rest } = init;
    this.proxy = new EnvoyProxy({ module: release, ...rest, plugin: { configuration: '' } });
    this.fleet = new FakeControlPlane(this.proxy, connected ? 'control-plane' : 'not-configured');
    this.proxy.addPlugin({ configuration: JSON.stringify(configurationOf(init)) });
    open.push(this);
  }

  /** Sends a request; the upstream answers as given, at once. Without an answer it hangs. */
  send(request: RequestInit, answer?: UpstreamAnswer | ((upstream: UpstreamRequest) => void)): HttpStream {
    const stream = this.proxy.request(request);
    if (stream.upstream !== null && answer !== undefined) {
      if (typeof answer === 'function') answer(stream.upstream);
      else stream.upstream.answer(answer);
    }
    return stream;
  }

  /** A request that the upstream answers well. */
  good(target: string, request: RequestInit = {}): HttpStream {
    return this.send({ path: target, ...request }, { status: 200, headers: { 'content-length': '4' }, body: 'fine' });
  }

  /** A request that the upstream fails, with a body. */
  bad(target: string, request: RequestInit = {}): HttpStream {
    return this.send({ path: target, ...request }, { status: 500, headers: { 'content-length': '6' }, body: 'broken' });
  }

  /** Fails requests until the breaker of the feature trips on the worker; with QUICK that is four. */
  trip(target: string, worker = 0): void {
    for (let i = 0; i < 4; i++) this.bad(target, { worker });
  }

  /** How many of `count` requests reach the upstream; they are answered well. */
  admitted(target: string, count: number, request: RequestInit = {}): number {
    let reached = 0;
    for (let i = 0; i < count; i++) if (this.good(target, request).upstream !== null) reached++;
    return reached;
  }

  advance(ms: number): void {
    this.proxy.advance(ms);
  }

  /** Lets time pass until something holds; fails when it does not within `atMostMs`. */
  until(holds: () => boolean, atMostMs = 60_000, stepMs = 50): void {
    const start = this.proxy.clock.nowMs;
    while (!holds()) {
      if (this.proxy.clock.nowMs - start > atMostMs) throw new Error(`did not happen within ${atMostMs} ms: ${holds}`);
      this.advance(stepMs);
    }
  }

  /** Lets every VM tick once. */
  tick(): void {
    this.advance(TICK_MS);
  }

  /** Sum of a counter or gauge over series with these labels. */
  metric(name: string, labels: Readonly<Record<string, string>> = {}): number {
    return this.proxy.metrics.value(`rekindle_${name}`, labels);
  }

  get warnings(): string[] {
    return this.proxy.logs.filter((line) => line.level >= LogLevel.Warn).map((line) => line.message);
  }
}

export function scene(init: SceneInit = {}): Scene {
  return new Scene(init);
}

/** Parameters of the `rekindle` response header: null when the answer is not marked as degraded. */
export function degraded(stream: HttpStream): { reason: string; rung: string; feature: string } | null {
  const marker = stream.client.header('rekindle');
  if (marker === undefined) return null;
  const [, name = '', reason = '', rung = ''] = /^degraded; feature="([^"]+)"; reason=([a-z]+); rung=([a-z]+)$/.exec(marker) ?? [];
  return { feature: name, reason, rung };
}

/** After each test: no trap, nothing that hangs on a real Envoy, no call that breaks the contract. */
export function expectClean(): void {
  for (const { proxy, fleet, mayTrap } of open.splice(0)) {
    expect(proxy.hazards).toEqual([]);
    expect(fleet.problems).toEqual([]);
    if (!mayTrap) expect(proxy.threads.map(({ vm }) => vm.failure).filter((failure) => failure !== null)).toEqual([]);
  }
}
