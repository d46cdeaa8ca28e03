import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { WasmModule } from '../host/module.ts';
import type { RequestInit } from '../host/proxy.ts';
import type { UpstreamAnswer } from '../host/upstream.ts';
import { allocationsOf, countingModule } from './allocation-count.ts';
import { expectClean, feature, type Json, type Scene, scene } from './scene.ts';

let counting: WasmModule;
beforeAll(async () => {
  counting = await countingModule();
});
afterEach(expectClean);

const FINE: UpstreamAnswer = { status: 200, headers: { 'content-type': 'text/plain' }, body: ['one', 'two'] };

/** What one request costs on worker 0, once everything is warm. */
function costOf(it: Scene, request: RequestInit, answer: UpstreamAnswer = FINE) {
  const COUNT = 200;
  const vm = it.proxy.workers[0]!.vm;
  for (let i = 0; i < 20; i++) it.send(request, answer);
  vm.counts.reset();
  const allocations = allocationsOf(vm);
  let mutations = 0;
  for (let i = 0; i < COUNT; i++) mutations += it.send(request, answer).request.mutations;
  const { counts } = vm;
  return {
    data: counts.dataCalls / COUNT,
    clock: counts.clockReads / COUNT,
    allocations: (allocationsOf(vm) - allocations) / COUNT,
    shared: (counts.of('proxy_get_shared_data') + counts.of('proxy_set_shared_data')) / COUNT,
    mutations: mutations / COUNT,
    // All host calls, so that the message of a failing test says which one came.
    calls: Object.fromEntries(Object.entries(counts.table).map(([name, count]) => [name, count / COUNT])),
  };
}

const QUIET: Json = { minimumRequests: 1_000_000, consecutiveFailures: 0 };
const HAPPY = { data: 2, clock: 2, allocations: 0, shared: 0, mutations: 0 };

describe('the happy path: at most 2 data-returning host calls, 2 clock reads, no allocation, no shared data, no mutation', () => {
  const rows: readonly {
    name: string;
    features: readonly Json[];
    request?: RequestInit;
    cost?: Partial<typeof HAPPY>;
    configuration?: Json;
  }[] = [
    { name: 'a prefix', features: [feature('catalog', { breaker: QUIET })] },
    { name: 'a template', features: [feature('catalog', { routes: [{ path: { template: '/catalog/{id}' } }], breaker: QUIET })] },
    { name: 'a request with a body', features: [feature('catalog', { breaker: QUIET })], request: { method: 'POST', body: 'hello' } },
    {
      name: 'the last of 512 features',
      features: [...Array.from({ length: 511 }, (_, i) => feature(`f${i}`)), feature('catalog', { breaker: QUIET })],
    },
    { name: 'a slow threshold', features: [feature('catalog', { breaker: QUIET, failure: { slowMs: 100 } })] },
    { name: 'a static rung', features: [feature('catalog', { breaker: QUIET, fallback: [{ static: { status: 200, body: 'x' } }] })] },
    {
      name: 'a method in the route: one call more',
      features: [feature('catalog', { routes: [{ methods: ['GET'], path: { prefix: '/' } }], breaker: QUIET })],
      cost: { data: 3 },
    },
    {
      name: 'a host in the route: one call more',
      features: [feature('catalog', { routes: [{ host: 'shop.example', path: { prefix: '/' } }], breaker: QUIET })],
      cost: { data: 3 },
    },
    { name: 'no feature matches', features: [feature('other')], cost: { data: 1, clock: 0 } },
    { name: 'mode off', features: [feature('catalog')], configuration: { mode: 'off' }, cost: { data: 0, clock: 0 } },
  ];
  test.for(rows)('$name', ({ features, request = {}, cost = {}, configuration = {} }) => {
    const it = scene({ module: counting, features, configuration });
    it.advance(500);
    const limit = { ...HAPPY, ...cost };
    const { calls, ...seen } = costOf(it, { path: '/catalog/1', ...request });
    for (const name of Object.keys(HAPPY) as (keyof typeof HAPPY)[])
      expect(seen[name], `${name} of ${JSON.stringify(calls)}`).toBeLessThanOrEqual(limit[name]);
  });

  test('a stale rung whose copy is fresh enough: method and host for the key, what forbids storing, no allocation', () => {
    const it = scene({ module: counting, features: [feature('catalog', { breaker: QUIET, fallback: [{ stale: {} }] })] });
    it.advance(500);
    const { calls, ...seen } = costOf(it, { path: '/catalog/1' });
    expect(seen, JSON.stringify(calls)).toMatchObject({ allocations: 0, shared: 0, mutations: 0 });
    expect(seen.data).toBeLessThanOrEqual(4);
  });

  test('a cluster rung: what the request would need to be told again, no allocation', () => {
    const it = scene({
      module: counting,
      features: [feature('catalog', { breaker: QUIET, fallback: [{ cluster: { name: 'spare' } }] })],
      configuration: { fallbackClusters: ['spare'] },
    });
    it.advance(500);
    const { calls, ...seen } = costOf(it, { path: '/catalog/1', headers: { accept: 'text/html' } });
    expect(seen, JSON.stringify(calls)).toMatchObject({ allocations: 0, shared: 0, mutations: 0 });
    expect(seen.data).toBeLessThanOrEqual(5);
  });
});

test('the counter counts: a start is not free', () => {
  const it = scene({ module: counting });
  expect(allocationsOf(it.proxy.workers[0]!.vm)).toBeGreaterThan(100);
});

test('a refusal without a rung touches no shared data', () => {
  const it = scene({ module: counting });
  it.trip('/catalog');
  it.tick();
  expect(costOf(it, { path: '/catalog/1' })).toMatchObject({ shared: 0 });
});

test('a refusal that a copy answers does not look for what forbids storing', () => {
  const it = scene({ features: [feature('catalog', { fallback: [{ stale: {} }] })] });
  it.advance(500);
  it.send({ path: '/catalog/1' }, FINE);
  it.trip('/catalog/2');
  it.tick();
  const { vm } = it.proxy.workers[0]!;
  vm.counts.reset();
  expect(it.send({ path: '/catalog/1' }, FINE).client).toMatchObject({ status: 200, body: 'onetwo' });
  // Path, method and host for the key, the two conditions of a request.
  expect(vm.counts.of('proxy_get_header_map_value')).toBe(5);
});

test('after 100,000 requests, ticks and reports among them, the memory is what it was', () => {
  const it = scene({ connected: true, policy: null, workers: 1 });
  it.fleet.publish('shop', { policy: { service: 'shop', features: [feature('catalog', { fallback: [{ stale: {} }] }), feature('cart')] } });
  it.advance(1000);
  const vm = it.proxy.workers[0]!.vm;
  const run = (requests: number) => {
    for (let i = 0; i < requests; i++) {
      it.send({ path: i % 3 === 0 ? `/catalog/${i % 500}` : '/cart' }, i % 50 === 0 ? { status: 500, body: 'x' } : FINE);
      if (i % 40 === 0) it.advance(50);
    }
    it.fleet.reports.length = 0;
    it.proxy.arrivals.length = 0;
  };
  run(10_000);
  const before = [vm.memory.byteLength, it.proxy.mainThread.vm.memory.byteLength];
  for (let round = 0; round < 9; round++) run(10_000);
  expect([vm.memory.byteLength, it.proxy.mainThread.vm.memory.byteLength]).toEqual(before);
  expect(vm.memory.byteLength).toBeLessThanOrEqual(8 * 1024 * 1024);
});
