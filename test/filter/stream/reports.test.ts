import { afterEach, describe, expect, test } from 'vitest';
import { expectClean, feature, type Json, type Scene, type SceneInit, scene } from './scene.ts';

afterEach(expectClean);

function connected(init: SceneInit = {}, policy: Json = {}): Scene {
  const it = scene({ connected: true, policy: null, ...init });
  it.fleet.publish('shop', { policy: { service: 'shop', features: [feature('catalog'), feature('cart')], ...policy } });
  it.advance(500);
  return it;
}

const latest = (it: Scene, name: string) => it.fleet.reports.flatMap(({ features }) => features).findLast((told) => told.feature === name);
const times = (it: Scene) => it.fleet.reports.map(({ atMs }) => atMs);

describe('a report', () => {
  test('names the proxy, grows by one, and says which directive it holds', () => {
    const it = connected({ node: { id: 'edge-7', cluster: 'edge' } });
    for (let i = 0; i < 5; i++) {
      it.good('/catalog');
      it.advance(1000);
    }
    const { reports } = it.fleet;
    expect(new Set(reports.map(({ node }) => node))).toEqual(new Set(['edge-7']));
    expect(new Set(reports.map(({ instance }) => instance)).size).toBe(1);
    expect(reports.map(({ sequence }) => sequence)).toEqual(reports.map((_, i) => i + 1));
    expect(reports.at(-1)).toMatchObject({ lineage: 'first', revision: 1, governed: true });
    expect(reports.map(({ uptimeMs }) => uptimeMs)).toEqual(reports.map(({ uptimeMs }) => uptimeMs).toSorted((a, b) => a - b));
  });

  test('carries the token and the authority', () => {
    const it = scene({ connected: true, policy: null });
    const seen: (string | undefined)[] = [];
    it.fleet.reportScript.push((call) =>
      seen.push(call.headers.get('authorization'), call.headers.get(':authority'), call.headers.get('content-type')),
    );
    it.advance(200);
    expect(seen).toEqual(['Bearer secret', 'rekindle', 'application/json']);
  });

  test('two proxies of one node are two instances', () => {
    const ids = [1, 2].map((seed) => connected({ seed }).fleet.reports[0]!.instance);
    expect(new Set(ids).size).toBe(2);
  });

  test('sums the workers, cumulative, by outcome and rung', () => {
    const it = connected({}, { features: [feature('catalog', { fallback: [{ static: { status: 200, body: 'sorry' } }] })] });
    for (const worker of [0, 1, 0]) it.good('/catalog', { worker });
    it.bad('/catalog', { worker: 1 });
    it.proxy.request({ path: '/catalog', worker: 1 }).cancel();
    it.advance(1200);
    expect(latest(it, 'catalog')).toMatchObject({
      admitted: 5,
      succeeded: 3,
      failed: 1,
      ignored: 1,
      refused: 0,
      phase: 'CLOSED',
      degraded: { stale: 0, cluster: 0, static: 1 },
    });
    it.good('/catalog');
    it.advance(1200);
    expect(latest(it, 'catalog')).toMatchObject({ admitted: 6, succeeded: 4 });
  });

  test('counts latency in the buckets of the contract', () => {
    const it = connected();
    for (const ms of [0, 5, 6, 40, 11_000]) {
      const stream = it.proxy.request({ path: '/catalog' });
      it.advance(ms);
      stream.upstream!.answer({ status: 200 });
    }
    it.advance(5200);
    expect(latest(it, 'catalog')!.latency).toEqual([2, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]);
  });

  test('counts slow ones beside success and failure', () => {
    const it = connected({}, { features: [feature('catalog', { failure: { slowMs: 100 } })] });
    const stream = it.proxy.request({ path: '/catalog' });
    it.advance(200);
    stream.upstream!.answer({ status: 200 });
    it.good('/catalog');
    it.advance(1200);
    expect(latest(it, 'catalog')).toMatchObject({ succeeded: 2, slow: 1 });
  });

  test('begins at zero with a new step', () => {
    const it = connected();
    for (let i = 0; i < 3; i++) it.good('/catalog');
    const old = it.proxy.request({ path: '/catalog' });
    it.advance(1200);
    it.fleet.flag('shop', { feature: 'catalog', state: 'TESTING', admit: 9999 });
    it.advance(200);
    old.upstream!.answer({ status: 200 });
    it.good('/catalog');
    it.advance(1200);
    expect(latest(it, 'catalog')).toMatchObject({ step: 2, admitted: 1, succeeded: 1 });
  });

  test('a worker that dies takes its counts along: a decrease, which the fleet takes for a new baseline', () => {
    const it = connected();
    it.mayTrap = true;
    for (let i = 0; i < 4; i++) it.good('/catalog', { worker: i % 2 });
    it.advance(1200);
    expect(latest(it, 'catalog')!.succeeded).toBe(4);
    it.proxy.trapWhen = (vm) => vm === it.proxy.workers[1]!.vm;
    it.proxy.request({ path: '/catalog', worker: 1 });
    it.proxy.trapWhen = null;
    it.advance(4000);
    it.good('/catalog', { worker: 0 });
    it.advance(6000);
    expect(latest(it, 'catalog')!.succeeded).toBe(3);
  });

  test('tells the phase at once when the breaker trips', () => {
    const it = connected();
    it.advance(2000);
    it.trip('/catalog');
    it.advance(300);
    expect(latest(it, 'catalog')).toMatchObject({ phase: 'OPEN', failed: 4 });
  });
});

describe('how often', () => {
  const gaps = (it: Scene) => times(it).flatMap((at, i, all) => (i === 0 ? [] : [at - all[i - 1]!]));

  test('every reportMs under traffic', () => {
    const it = connected({}, { governance: { reportMs: 2000, quietReportMs: 4000 } });
    it.fleet.reports.length = 0;
    for (let ms = 0; ms < 20_000; ms += 100) {
      it.good('/catalog');
      it.advance(100);
    }
    for (const gap of gaps(it)) expect(Math.abs(gap - 2000)).toBeLessThanOrEqual(100);
  });

  test('every quietReportMs without', () => {
    const it = connected({}, { governance: { reportMs: 1000, quietReportMs: 4000 } });
    it.advance(10_000);
    it.fleet.reports.length = 0;
    it.advance(30_000);
    for (const gap of gaps(it)) expect(Math.abs(gap - 4000)).toBeLessThanOrEqual(100);
    expect(it.fleet.reports.length).toBeGreaterThan(5);
  });

  test('what happens after a quiet report is told within reportMs', () => {
    const it = connected();
    it.advance(20_000);
    it.until(() => it.fleet.reports.at(-1)!.atMs >= it.proxy.clock.nowMs - 100);
    it.good('/catalog');
    it.advance(1300);
    expect(latest(it, 'catalog')).toMatchObject({ succeeded: 1 });
  });

  test('once per proxy, however many workers', () => {
    const one = connected({ workers: 1 });
    const eight = connected({ workers: 8 });
    one.advance(20_000);
    eight.advance(20_000);
    expect(eight.fleet.reports.length).toBe(one.fleet.reports.length);
  });

  test('the interval that is told is the one that is kept', () => {
    const it = connected();
    it.advance(30_000);
    const told = it.fleet.reports.slice(2, -1).map(({ intervalMs }) => intervalMs);
    expect(gaps(it).slice(2)).toEqual(told.map((ms) => expect.closeTo(ms, -3)));
  });
});

describe('an answer that does not come', () => {
  test.for([
    { name: 'refused', act: (it: Scene) => it.proxy.clusters.set('control-plane', (call) => call.refuse()) },
    { name: 'without a host', act: (it: Scene) => it.proxy.clusters.set('control-plane', 'unhealthy') },
    { name: 'unknown', act: (it: Scene) => it.proxy.clusters.remove('control-plane') },
    { name: 'silent', act: (it: Scene) => it.proxy.clusters.set('control-plane', () => undefined) },
    { name: 'reset', act: (it: Scene) => it.proxy.clusters.set('control-plane', (call) => call.reset()) },
    { name: 'garbage', act: (it: Scene) => it.proxy.clusters.set('control-plane', (call) => call.respond({ body: '{"lineage":' })) },
  ])('control plane $name: traffic goes on, tries become rarer, and contact returns within 35 s', ({ act }) => {
    const it = connected();
    act(it);
    for (let second = 0; second < 120; second++) {
      expect(it.good('/catalog', { worker: second % 2 }).client.status).toBe(200);
      it.advance(1000);
    }
    expect(it.metric('control_plane_connected')).toBe(0);
    it.proxy.clusters.set('control-plane', (call) => it.fleet.take(call));
    it.advance(35_000);
    expect(it.metric('governed')).toBe(1);
    it.advance(30_000);
    expect(it.metric('control_plane_connected'), 'the long poll has returned as well').toBe(1);
  });

  test('tries are jittered and at most 30 s apart', () => {
    const first = Array.from({ length: 8 }, (_, seed) => {
      const it = scene({ connected: true, seed: seed + 1 });
      const at: number[] = [];
      it.proxy.clusters.set('control-plane', (call) => {
        if (call.method === 'GET') at.push(it.proxy.clock.nowMs);
        call.refuse();
      });
      it.advance(200_000);
      const apart = at.map((ms, i) => ms - (at[i - 1] ?? 0));
      expect(Math.max(...apart)).toBeLessThanOrEqual(30_000 + 100);
      expect(apart.slice(6).every((ms) => ms >= 15_000)).toBe(true);
      return at[2];
    });
    expect(new Set(first).size).toBeGreaterThan(4);
  });
});

test('the sum over 512 features and workers stays right while the control plane cannot be reached', () => {
  const features = Array.from({ length: 512 }, (_, i) => feature(`f${i}`));
  const it = scene({ connected: true, policy: null, workers: 2 });
  it.fleet.publish('shop', { policy: { service: 'shop', features } });
  it.advance(500);
  for (let i = 0; i < 512; i++) it.good(`/f${i}`, { worker: i % 2 });
  it.proxy.clusters.remove('control-plane');
  it.advance(20_000);
  for (let i = 0; i < 512; i++) it.good(`/f${i}`, { worker: i % 2 });
  it.fleet.reports.length = 0;
  it.proxy.clusters.set('control-plane', (call) => it.fleet.take(call));
  it.advance(40_000);
  const counts = new Set(it.fleet.reports.flatMap(({ features: told }) => told.map(({ succeeded }) => succeeded)));
  expect(counts).toEqual(new Set([2]));
  expect(it.fleet.reports[0]!.features).toHaveLength(512);
});
