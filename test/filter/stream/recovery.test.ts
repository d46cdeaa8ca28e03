import { afterEach, describe, expect, test } from 'vitest';
import type { HttpStream } from '../host/stream.ts';
import { expectClean, feature, type Json, QUICK, type Scene, scene, TICK_MS } from './scene.ts';

afterEach(expectClean);

const withBreaker = (breaker: Json, more: Parameters<typeof scene>[0] = {}): Scene =>
  scene({ features: [feature('catalog', { breaker: { ...QUICK, ...breaker } })], ...more });

/** Sends `count` requests to each worker; those that reach the upstream, unanswered. */
function burst(it: Scene, count: number): HttpStream[] {
  const reached: HttpStream[] = [];
  for (let i = 0; i < count; i++) {
    for (let worker = 0; worker < it.proxy.workers.length; worker++) {
      const stream = it.proxy.request({ path: '/catalog', worker });
      if (stream.upstream !== null) reached.push(stream);
    }
  }
  return reached;
}

/** Ms after the trip until a request reaches the upstream, asked every 10 ms. */
function openTime(it: Scene, atMostMs: number): number {
  for (let ms = 0; ms < atMostMs; ms += 10) {
    if (it.proxy.request({ path: '/catalog' }).upstream !== null) return ms;
    it.advance(10);
  }
  return atMostMs;
}

describe('OPEN', () => {
  test.for([1, 2, 4])('nothing reaches the upstream, on %i workers', (workers) => {
    const it = withBreaker({ openMs: 3000 }, { workers });
    it.advance(200);
    it.trip('/catalog');
    it.tick();
    const before = it.proxy.arrivals.length;
    for (let ms = 0; ms < 2900; ms += 100) {
      burst(it, 2);
      it.advance(100);
    }
    expect(it.proxy.arrivals.length).toBe(before);
  });

  test('ends after its time, give or take a tick', () => {
    const it = withBreaker({ openMs: 1000 });
    it.trip('/catalog');
    const ms = openTime(it, 5000);
    expect(ms).toBeGreaterThanOrEqual(1000);
    expect(ms).toBeLessThanOrEqual(1000 + 2 * TICK_MS);
  });

  test('grows with each trip in a row up to its cap', () => {
    const it = withBreaker({ openMs: 1000, openFactor: 2, openCapMs: 4000, halfOpen: { probes: 1 } });
    it.trip('/catalog');
    const times = [1000, 2000, 4000, 4000].map((expected) => {
      const ms = openTime(it, 10_000);
      it.proxy.arrivals.at(-1)!.answer({ status: 500 });
      return Math.abs(ms - expected) <= 2 * TICK_MS ? expected : ms;
    });
    expect(times).toEqual([1000, 2000, 4000, 4000]);
  });

  test('starts over after the breaker was CLOSED for long enough', () => {
    const it = withBreaker({ openMs: 1000, openFactor: 4, openCapMs: 60_000, resetAfterMs: 5000, halfOpen: { probes: 1 } });
    const tripAndClose = () => {
      it.trip('/catalog');
      const ms = openTime(it, 10_000);
      it.proxy.arrivals.at(-1)!.answer({ status: 200 });
      return Math.round(ms / 1000) * 1000;
    };
    const first = tripAndClose();
    it.advance(1000);
    const soonAfter = tripAndClose();
    it.advance(6000);
    const longAfter = tripAndClose();
    expect([first, soonAfter, longAfter]).toEqual([1000, 4000, 1000]);
  });

  test.for([
    { jitter: 'equal', from: 500, to: 1000 },
    { jitter: 'full', from: 0, to: 1000 },
    { jitter: 'decorrelated', from: 1000, to: 3000 },
  ])('with $jitter jitter proxies leave at different times, all between $from and $to', ({ jitter, from, to }) => {
    const times = Array.from({ length: 12 }, (_, seed) => {
      const it = withBreaker({ openMs: 1000, jitter }, { seed: seed + 1 });
      it.trip('/catalog');
      return openTime(it, 5000);
    });
    expect(Math.min(...times)).toBeGreaterThanOrEqual(from);
    expect(Math.max(...times)).toBeLessThanOrEqual(to + 2 * TICK_MS);
    expect(new Set(times).size).toBeGreaterThan(5);
  });
});

describe('HALF_OPEN', () => {
  /** Tripped, and its open time over. */
  const halfOpen = (breaker: Json = {}, workers = 2): Scene => {
    const it = withBreaker({ halfOpen: { probes: 5, successPercent: 80, timeoutMs: 5000 }, ...breaker }, { workers });
    it.advance(200);
    it.trip('/catalog');
    it.advance(1000 + 2 * TICK_MS);
    return it;
  };

  test.for([1, 2, 3, 4])('exactly the probes reach the upstream, over %i workers', (workers) => {
    const it = halfOpen({}, workers);
    const probes = burst(it, 20);
    expect(probes).toHaveLength(5);
    it.advance(1000);
    expect(burst(it, 20), 'none more while they are on their way').toHaveLength(0);
  });

  test('probes go out with the retries of the router off, other requests as they came', () => {
    const it = halfOpen();
    const [probe] = burst(it, 5);
    expect(probe!.upstream!.headers.get('x-envoy-max-retries')).toBe('0');
    expect(scene().good('/catalog').upstream!.headers.get('x-envoy-max-retries')).toBeUndefined();
  });

  test('enough good ones close it, for all workers', () => {
    const it = halfOpen();
    const probes = burst(it, 20);
    for (const probe of probes.slice(0, 3)) probe.upstream!.answer({ status: 200 });
    expect(burst(it, 1)).toHaveLength(0);
    probes[3]!.upstream!.answer({ status: 200 });
    it.tick();
    expect(burst(it, 10)).toHaveLength(20);
    expect(it.metric('transitions_total', { to: 'CLOSED' }) + it.metric('transitions_total', { to: 'HALF_OPEN' })).toBe(2);
  });

  test('too many bad ones open it again, for all workers', () => {
    const it = halfOpen();
    const probes = burst(it, 20);
    probes[0]!.upstream!.answer({ status: 500 });
    expect(it.metric('transitions_total', { to: 'OPEN' })).toBe(1);
    probes[1]!.upstream!.answer({ status: 500 });
    it.advance(100);
    expect(it.metric('transitions_total', { to: 'OPEN' })).toBe(2);
    expect(burst(it, 10)).toHaveLength(0);
  });

  test('a late outcome of an old phase says nothing', () => {
    const it = withBreaker({ halfOpen: { probes: 2, successPercent: 100 } });
    const old = burst(it, 6);
    it.trip('/catalog');
    it.advance(1000 + 2 * TICK_MS);
    const probes = burst(it, 10);
    expect(probes).toHaveLength(2);
    for (const stream of old) stream.upstream!.answer({ status: 500 });
    for (const probe of probes) probe.upstream!.answer({ status: 200 });
    it.tick();
    expect(burst(it, 5), 'closed by its own probes').toHaveLength(10);
  });

  test('a late probe of an old trial says nothing either', () => {
    const it = halfOpen({ halfOpen: { probes: 2, successPercent: 100 } });
    const [first, late] = burst(it, 10);
    first!.upstream!.answer({ status: 500 });
    it.advance(2000 + 2 * TICK_MS);
    const probes = burst(it, 10);
    expect(probes, 'the late one is still at the upstream').toHaveLength(1);
    late!.upstream!.answer({ status: 500 });
    for (const probe of probes) probe.upstream!.answer({ status: 200 });
    it.tick();
    expect(burst(it, 5)).toHaveLength(10);
  });

  test('a probe whose client goes away is given out anew', () => {
    const it = halfOpen();
    const probes = burst(it, 10);
    probes[0]!.cancel();
    it.tick();
    expect(burst(it, 10)).toHaveLength(1);
  });

  test('probes that hang fail after their time; the next trial has one, since they are still at the upstream', () => {
    const it = halfOpen({ halfOpen: { probes: 3, timeoutMs: 2000 } });
    const hanging = burst(it, 10);
    expect(hanging).toHaveLength(3);
    it.advance(1800);
    expect(burst(it, 10)).toHaveLength(0);
    it.advance(1200);
    expect(burst(it, 10), 'OPEN for 2 s').toHaveLength(0);
    it.advance(1500);
    expect(burst(it, 10)).toHaveLength(1);
  });

  test('probes without an outcome are given out anew after their time', () => {
    const it = halfOpen({ halfOpen: { probes: 3, timeoutMs: 2000 } });
    const upload = () => it.proxy.request({ path: '/catalog', method: 'POST', open: true }).upstream !== null;
    expect([1, 2, 3, 4].map(upload), 'their requests do not end').toEqual([true, true, true, false]);
    it.advance(1900);
    expect(burst(it, 10)).toHaveLength(0);
    it.advance(400);
    expect(burst(it, 10)).toHaveLength(3);
  });

  test.for([
    { name: 'an event stream', request: {} },
    { name: 'an upgrade', request: { headers: { upgrade: 'websocket' }, open: true } },
    { name: 'an upload that goes on', request: { method: 'POST', open: true } },
  ])('a probe that is answered well without an end closes it after its time: $name', ({ request }) => {
    const it = halfOpen({ halfOpen: { probes: 1, timeoutMs: 2000 } });
    const probe = it.proxy.request({ path: '/catalog', ...request });
    it.advance(500);
    probe.upstream!.sendHeaders({ ':status': '200' }, false);
    it.advance(1000);
    expect(burst(it, 5)).toHaveLength(0);
    it.advance(1500);
    expect(burst(it, 5)).toHaveLength(10);
    probe.upstream!.breakOff();
    it.advance(100);
    expect(burst(it, 5), 'its end says nothing any more').toHaveLength(10);
  });

  test('a probe that is taken late has its whole time', () => {
    const it = halfOpen({ halfOpen: { probes: 1, timeoutMs: 2000 } });
    it.advance(1700);
    expect(burst(it, 10)).toHaveLength(1);
    it.advance(1000);
    expect(burst(it, 10)).toHaveLength(0);
  });

  test('a worker that dies with its probes does not stop the trial', () => {
    const it = halfOpen({ halfOpen: { probes: 2, timeoutMs: 2000 } });
    it.mayTrap = true;
    const dying = [0, 1].map(() => it.proxy.request({ path: '/catalog', worker: 0 }));
    expect(dying.map((stream) => stream.upstream !== null)).toEqual([true, true]);
    it.proxy.trapWhen = (vm) => vm === it.proxy.workers[0]!.vm;
    it.proxy.request({ path: '/catalog', worker: 0 });
    it.proxy.trapWhen = null;
    it.advance(2200);
    for (let i = 0; i < 4; i++) it.good('/catalog', { worker: 1 });
    it.tick();
    expect(it.admitted('/catalog', 10, { worker: 1 })).toBe(10);
  });
});

describe('after closing', () => {
  test('traffic comes back linearly', () => {
    const it = withBreaker({ rampMs: 10_000, halfOpen: { probes: 1 } });
    it.trip('/catalog');
    openTime(it, 3000);
    it.proxy.arrivals.at(-1)!.answer({ status: 200 });
    const shares = [1000, 5000, 9000].map((atMs, i, all) => {
      it.advance(atMs - (all[i - 1] ?? 0));
      return it.admitted('/catalog', 1000) / 1000;
    });
    expect(shares[0]).toBeGreaterThan(0.05);
    expect(shares[0]).toBeLessThan(0.35);
    expect(shares[1]).toBeGreaterThan(0.4);
    expect(shares[1]).toBeLessThan(0.7);
    expect(shares[2]).toBeGreaterThan(0.8);
    it.advance(1200);
    expect(it.admitted('/catalog', 100)).toBe(100);
  });

  test('a failure in the ramp trips again', () => {
    const it = withBreaker({ rampMs: 10_000, halfOpen: { probes: 1 } });
    it.trip('/catalog');
    openTime(it, 3000);
    it.proxy.arrivals.at(-1)!.answer({ status: 200 });
    it.advance(5000);
    for (let i = 0; i < 40; i++) it.bad('/catalog');
    it.advance(100);
    expect(it.metric('transitions_total', { to: 'OPEN' })).toBe(2);
  });
});
