import { afterEach, describe, expect, test } from 'vitest';
import type { Vm } from '../host/vm.ts';
import { Dice } from './fuzz-input.ts';
import { expectClean, feature, QUICK, type Scene, scene, TICK_MS } from './scene.ts';

afterEach(expectClean);

const PROBES = 5;
const breaker = { ...QUICK, halfOpen: { probes: PROBES, successPercent: 100, timeoutMs: 5000 } };

/** Runs `meanwhile` just before a VM writes a shared-data key of that name: between its read and its write another thread was faster. */
function race(it: Scene, key: RegExp, meanwhile: (vm: Vm) => void): void {
  let inside = false;
  it.proxy.beforeHostCall = (vm, call, args) => {
    if (inside || call !== 'proxy_set_shared_data' || !key.test(vm.memory.text(args[0] as number, args[1] as number) ?? '')) return;
    inside = true;
    meanwhile(vm);
    inside = false;
  };
}

/** Another VM's tick, out of its turn. */
function tick(vm: Vm): void {
  for (const root of vm.roots.values()) vm.callback(root, 'proxy_on_tick', root.id);
}

const workerOf = (it: Scene, vm: Vm): number => it.proxy.workers.findIndex((worker) => worker.vm === vm);
const others = (it: Scene, vm: Vm): Vm[] => it.proxy.threads.map((thread) => thread.vm).filter((other) => other !== vm);

describe('two workers at the same moment', () => {
  test('take no more probes than there are', () => {
    const it = scene({ workers: 3, features: [feature('catalog', { breaker })] });
    it.advance(200);
    it.trip('/catalog');
    it.advance(1000 + 2 * TICK_MS);
    const before = it.proxy.arrivals.length;
    race(it, /:breaker:/, (vm) => {
      for (let worker = 0; worker < 3; worker++) if (worker !== workerOf(it, vm)) it.proxy.request({ path: '/catalog', worker });
    });
    for (let i = 0; i < 10; i++) it.proxy.request({ path: '/catalog', worker: i % 3 });
    expect(it.proxy.arrivals.length - before).toBe(PROBES);
  });

  test('settle probes without losing one', () => {
    const it = scene({ features: [feature('catalog', { breaker })] });
    it.advance(200);
    it.trip('/catalog');
    it.advance(1000 + 2 * TICK_MS);
    const probes = Array.from({ length: 10 }, (_, i) => it.proxy.request({ path: '/catalog', worker: i % 2 })).filter(
      ({ upstream }) => upstream !== null,
    );
    expect(probes).toHaveLength(PROBES);
    race(it, /:breaker:/, () => probes.pop()?.upstream?.answer({ status: 200 }));
    while (probes.length > 0) probes.pop()!.upstream!.answer({ status: 200 });
    it.proxy.beforeHostCall = null;
    it.tick();
    expect(it.metric('transitions_total', { to: 'CLOSED' })).toBe(1);
    expect(it.admitted('/catalog', 20)).toBe(20);
  });

  test('trip once: one transition, and the open time of a first trip', () => {
    const it = scene({ features: [feature('catalog', { breaker })] });
    it.advance(200);
    const waiting = Array.from({ length: 8 }, (_, i) => it.proxy.request({ path: '/catalog', worker: i % 2 }));
    for (const stream of waiting.slice(0, 6)) stream.upstream!.answer({ status: 500 });
    race(it, /:breaker:/, () => waiting[7]!.upstream!.answer({ status: 500 }));
    waiting[6]!.upstream!.answer({ status: 500 });
    it.proxy.beforeHostCall = null;
    it.advance(1000 + 2 * TICK_MS);
    expect(it.metric('transitions_total', { to: 'OPEN' })).toBe(1);
    expect(it.proxy.request({ path: '/catalog' }).upstream).not.toBeNull();
  });

  test('take a free lease: one leads', () => {
    const it = scene({ connected: true, policy: null, workers: 3 });
    it.fleet.publish('shop', { policy: { service: 'shop', features: [feature('catalog')] } });
    race(it, /:lead$/, (vm) => others(it, vm).forEach(tick));
    it.advance(10_000);
    const open = it.fleet.watches.filter(({ state }) => state === 'open');
    expect(open).toHaveLength(1);
    const { reports } = it.fleet;
    expect(reports.map(({ sequence }) => sequence)).toEqual(reports.map((_, i) => i + 1));
  });

  test('use no more permits than were given', () => {
    const it = scene({ connected: true, policy: null, workers: 3 });
    it.fleet.publish('shop', { policy: { service: 'shop', features: [feature('catalog')] } });
    it.advance(1000);
    it.fleet.flag('shop', { feature: 'catalog', state: 'DISABLED', admit: 0, step: 5 });
    it.advance(200);
    it.fleet.permits.push({ feature: 'catalog', step: 5, count: 4, ttlMs: 60_000 });
    it.proxy.request({ path: '/catalog' });
    it.until(() => it.fleet.permits.length === 0);
    it.advance(2 * TICK_MS);
    race(it, /:breaker:/, (vm) => {
      for (let worker = 0; worker < 3; worker++) if (worker !== workerOf(it, vm)) it.proxy.request({ path: '/catalog', worker });
    });
    const before = it.proxy.arrivals.length;
    for (let i = 0; i < 12; i++) it.proxy.request({ path: '/catalog', worker: i % 3 });
    expect(it.proxy.arrivals.length - before).toBe(4);
  });

  test.for([
    { name: 'the same copy', other: '/catalog/1' },
    { name: 'another copy', other: '/catalog/2' },
  ])('serve $name, each for the first time', ({ other }) => {
    const it = scene({ workers: 3, features: [feature('catalog', { fallback: [{ stale: {} }] })] });
    it.advance(200);
    for (const path of ['/catalog/1', '/catalog/2']) it.send({ path, worker: 0 }, { body: `copy of ${path}` });
    const served: string[] = [];
    it.proxy.beforeHostCall = (vm, call, args) => {
      const reads = call === 'proxy_get_shared_data' && /:body\d+$/.test(vm.memory.text(args[0] as number, args[1] as number) ?? '');
      if (!reads || workerOf(it, vm) !== 1) return;
      it.proxy.beforeHostCall = null;
      served.push(it.bad(other, { worker: 2 }).client.body);
    };
    served.push(it.bad('/catalog/1', { worker: 1 }).client.body);
    expect(served).toEqual([`copy of ${other}`, 'copy of /catalog/1']);
  });
});

test.for([1, 2, 3])(
  'law: whatever threads do between the reads and writes of another, a trial sends its probes and no more (seed %i)',
  (seed) => {
    const dice = new Dice(seed);
    const it = scene({ workers: 4, features: [feature('catalog', { breaker })], seed });
    const act = (worker: number): void => {
      if (dice.chance(25)) tick(it.proxy.workers[worker]!.vm);
      else it.proxy.request({ path: '/catalog', worker });
    };
    const meanwhile = (vm: Vm): void => {
      for (let i = dice.below(4); i > 0; i--) {
        const worker = dice.below(4);
        // A thread does one thing at a time.
        if (worker !== workerOf(it, vm)) act(worker);
      }
    };
    it.advance(200);
    it.trip('/catalog');
    for (let round = 0; round < 8; round++) {
      it.advance(8000 + 2 * TICK_MS);
      const before = it.proxy.arrivals.length;
      race(it, /./, meanwhile);
      for (let i = 0; i < 60; i++) act(dice.below(4));
      it.proxy.beforeHostCall = null;
      const probes = it.proxy.arrivals.slice(before);
      expect(probes).toHaveLength(PROBES);
      for (const probe of probes) probe.answer({ status: 500 });
    }
  },
);
