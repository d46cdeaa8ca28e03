import { afterEach, describe, expect, test } from 'vitest';
import { FILTER_METRICS } from '../../../control-plane/contract/metrics.ts';
import { VERSION } from '../../../control-plane/version.gen.ts';
import { parseSeriesName } from '../host/metrics.ts';
import { expectClean, feature, type Json, QUICK, type Scene, scene, TICK_MS } from './scene.ts';
import { withStale } from './stale-scene.ts';

afterEach(expectClean);

const RUNGS: Json = { fallback: [{ stale: {} }, { cluster: { name: 'spare' } }, { static: { status: 200, body: 'sorry' } }] };

/** Everything that counts happens at least once. */
function eventful(): Scene {
  const it = scene({ connected: true, policy: null, configuration: { fallbackClusters: ['spare'], cache: { entries: 4 } } });
  const features = [feature('catalog', RUNGS), feature('cart', { breaker: QUICK }), feature('watched', { mode: 'shadow' })];
  it.fleet.publish('shop', { policy: { service: 'shop', features } });
  it.advance(1000);
  for (let n = 0; n < 6; n++) it.good(`/catalog/${n}`);
  it.bad('/catalog');
  it.bad('/watched');
  it.good('/elsewhere');
  it.proxy.request({ path: '/cart' }).cancel();
  it.trip('/cart');
  it.proxy.request({ path: '/cart' });
  it.fleet.watchScript.push((call) => call.respond({ body: '{' }));
  it.fleet.flag('shop', { feature: 'catalog', state: 'TESTING', admit: 5000 });
  it.advance(60_000);
  return it;
}

describe('series', () => {
  test('carry names and labels of the contract, and none is missing', () => {
    const it = eventful();
    const parsed = it.proxy.metrics.names.map(parseSeriesName);
    for (const { name, labels } of parsed) {
      const spec = FILTER_METRICS[name as keyof typeof FILTER_METRICS];
      expect(spec, name).toBeDefined();
      expect(Object.keys(labels), name).toEqual(Object.keys(spec.labels));
    }
    expect(new Set(parsed.map(({ name }) => name))).toEqual(new Set(Object.keys(FILTER_METRICS)));
  });

  test('are defined once per VM, on their first use', () => {
    const it = eventful();
    for (const { vm } of it.proxy.threads) expect(new Set(vm.metrics.defined).size).toBe(vm.metrics.defined.length);
    const idle = scene({ features: Array.from({ length: 300 }, (_, i) => feature(`f${i}`)) });
    idle.advance(1000);
    for (const worker of idle.proxy.workers) expect(worker.vm.metrics.defined).toEqual([]);
  });

  test('are counted up by all workers together', () => {
    const it = scene({ workers: 3 });
    for (let i = 0; i < 30; i++) it.good('/catalog', { worker: i % 3 });
    it.advance(2 * TICK_MS);
    expect(it.metric('requests_total', { feature: 'catalog', outcome: 'success' })).toBe(30);
  });

  test('counters are written on the tick, not per request', () => {
    const it = scene();
    it.advance(200);
    const { counts } = it.proxy.workers[0]!.vm;
    counts.reset();
    for (let i = 0; i < 20; i++) it.good('/catalog');
    expect(counts.of('proxy_increment_metric') + counts.of('proxy_record_metric') + counts.of('proxy_define_metric')).toBe(0);
  });
});

describe('the histogram', () => {
  test('has one sample per answer, in ms', () => {
    const it = scene();
    for (const ms of [0, 20, 300]) {
      const stream = it.proxy.request({ path: '/catalog' });
      it.advance(ms);
      stream.upstream!.answer({ status: 200 });
    }
    it.advance(100);
    expect(it.proxy.metrics.samples('rekindle_upstream_ms', { feature: 'catalog' }).sort((a, b) => a - b)).toEqual([0, 20, 300]);
  });

  test('is sampled above 1,000 a tick', () => {
    const it = scene();
    it.advance(200);
    for (let i = 0; i < 5000; i++) it.good('/catalog');
    it.advance(60);
    const { length } = it.proxy.metrics.samples('rekindle_upstream_ms');
    expect(length).toBeGreaterThan(500);
    expect(length).toBeLessThanOrEqual(1000);
  });
});

describe('transitions are counted once, by the worker that made them', () => {
  const to = (it: Scene) =>
    Object.fromEntries(
      ['CLOSED', 'OPEN', 'HALF_OPEN', 'FORCED_OPEN', 'FORCED_CLOSED'].map((phase) => [
        phase,
        it.metric('transitions_total', { to: phase }),
      ]),
    );
  const none = { CLOSED: 0, OPEN: 0, HALF_OPEN: 0, FORCED_OPEN: 0, FORCED_CLOSED: 0 };

  test('a local outage', () => {
    const it = scene({ workers: 3 });
    it.trip('/catalog');
    it.advance(1100);
    it.admitted('/catalog', 5, { worker: 1 });
    it.advance(200);
    expect(to(it)).toEqual({ ...none, OPEN: 1, HALF_OPEN: 1, CLOSED: 1 });
  });

  test("a person's flags, and their end", () => {
    const it = scene({ connected: true, policy: null, workers: 3 });
    it.fleet.publish('shop', { policy: { service: 'shop', features: [feature('catalog')] } });
    it.advance(1000);
    it.fleet.flag('shop', { feature: 'catalog', state: 'DISABLED', admit: 0, by: 'person' });
    it.advance(500);
    expect(to(it)).toEqual({ ...none, FORCED_OPEN: 1 });
    it.fleet.flag('shop', { feature: 'catalog', state: 'ENABLED', admit: 10_000, by: 'person', expiresInMs: 2000 });
    it.advance(500);
    expect(to(it)).toEqual({ ...none, FORCED_OPEN: 1, FORCED_CLOSED: 1 });
    it.advance(3000);
    expect(to(it)).toEqual({ ...none, FORCED_OPEN: 1, FORCED_CLOSED: 1, CLOSED: 1 });
  });
});

describe('stale copies', () => {
  const stored = (it: Scene) => [it.metric('copies_stored_total'), it.metric('copies_evicted_total')];

  test('one that pushes out another that could still stand in tells of a cache that is too small', () => {
    const it = withStale({ maxStaleMs: 60_000 }, { configuration: { cache: { entries: 4 } } });
    for (let n = 0; n < 4; n++) it.good(`/catalog/${n}`);
    it.advance(100);
    expect(stored(it)).toEqual([4, 0]);
    it.good('/catalog/another');
    it.advance(2000);
    it.good('/catalog/another');
    it.advance(100);
    expect(stored(it)).toEqual([6, 1]);
  });

  test('one that pushes out another that was too old does not', () => {
    const it = withStale({ maxStaleMs: 60_000 }, { configuration: { cache: { entries: 4 } } });
    for (let n = 0; n < 4; n++) it.good(`/catalog/${n}`);
    it.advance(61_000);
    for (let n = 4; n < 8; n++) it.good(`/catalog/${n}`);
    it.advance(100);
    expect(stored(it)).toEqual([8, 0]);
  });
});

describe('the version', () => {
  test('is told while the filter acts, and no more when its configuration has gone', () => {
    const it = scene();
    it.advance(200);
    expect(it.metric('build_info', { version: VERSION })).toBe(1);
    it.proxy.removePlugin(0);
    expect(it.metric('build_info', { version: VERSION })).toBe(0);
  });
});

describe('gauges', () => {
  test('of the control plane are there only where one is configured', () => {
    const alone = scene();
    alone.advance(6000);
    const told = (it: Scene) => it.proxy.metrics.names.map((name) => parseSeriesName(name).name);
    expect(told(alone)).not.toContain('rekindle_control_plane_connected');
    const lost = scene({ connected: true });
    lost.fleet.silent = true;
    lost.advance(6000);
    expect(told(lost)).toContain('rekindle_control_plane_connected');
    expect(lost.metric('control_plane_connected')).toBe(0);
  });

  test('one phase and one state are 1', () => {
    const it = eventful();
    for (const name of ['catalog', 'cart']) {
      expect(it.metric('breaker_phase', { feature: name })).toBe(1);
      expect(it.metric('feature_state', { feature: name })).toBe(1);
    }
  });

  test('are written by the leader alone', () => {
    const it = eventful();
    const writers = it.proxy.threads.filter(({ vm }) => vm.metrics.defined.some((name) => name.includes('breaker_phase')));
    expect(writers).toHaveLength(1);
  });

  test('are right again after the leader died', () => {
    const it = eventful();
    it.mayTrap = true;
    const leader = it.fleet.watches.at(-1)!.root.vm;
    it.proxy.trapWhen = (vm) => vm === leader;
    it.advance(60);
    it.proxy.trapWhen = null;
    it.fleet.flag('shop', { feature: 'catalog', state: 'DISABLED', admit: 0 });
    it.advance(10_000);
    expect(it.metric('feature_state', { feature: 'catalog', state: 'DISABLED' })).toBe(1);
    expect(it.metric('feature_state', { feature: 'catalog' })).toBe(1);
    expect(it.metric('admit_ratio', { feature: 'catalog' })).toBe(0);
  });
});
