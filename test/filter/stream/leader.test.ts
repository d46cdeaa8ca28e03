import { afterEach, describe, expect, test } from 'vitest';
import type { Vm } from '../host/vm.ts';
import { expectClean, feature, type Scene, type SceneInit, scene } from './scene.ts';

afterEach(expectClean);

function connected(init: SceneInit = {}): Scene {
  const it = scene({ connected: true, policy: null, ...init });
  it.fleet.publish('shop', { policy: { service: 'shop', features: [feature('catalog')] } });
  it.advance(2000);
  return it;
}

/** VM that spoke with the control plane last. */
const leader = (it: Scene): Vm => it.fleet.watches.at(-1)!.root.vm;

/** The VM dies in its next host call. */
function kill(it: Scene, vm: Vm): void {
  it.mayTrap = true;
  it.proxy.trapWhen = (other) => other === vm;
  it.advance(50);
  expect(vm.failure).not.toBeNull();
  it.proxy.trapWhen = null;
}

describe('one VM leads', () => {
  test.for([1, 2, 8])('of %i workers and the main thread, and it stays the same one', (workers) => {
    const it = connected({ workers });
    for (let second = 0; second < 60; second++) {
      it.good('/catalog', { worker: second % workers });
      it.advance(1000);
    }
    const speakers = new Set([...it.fleet.watches.map((call) => call.root.vm.name)]);
    expect(speakers.size).toBe(1);
    const open = it.fleet.watches.filter((call) => call.state === 'open');
    expect(open).toHaveLength(1);
  });

  test('without any traffic too', () => {
    const it = connected();
    it.advance(120_000);
    expect(new Set(it.fleet.watches.map((call) => call.root.vm.name)).size).toBe(1);
    expect(it.fleet.reports.length).toBeGreaterThan(20);
  });

  test('the canary does not lead and calls nobody', () => {
    const it = connected();
    const callers = [...it.fleet.watches.map((call) => call.root.vm.name)];
    expect(callers).not.toContain('canary');
    expect(it.fleet.watches[0]!.startedAtMs, 'not before the first tick').toBeGreaterThanOrEqual(50);
  });
});

describe('a leader that dies', () => {
  test.for([1, 2, 3, 4, 5])('is replaced within 5 s (seed %i)', (seed) => {
    const it = connected({ seed, workers: 3 });
    const dead = leader(it);
    kill(it, dead);
    const diedAt = it.proxy.clock.nowMs;
    const sequence = it.fleet.reports.at(-1)!.sequence;
    it.advance(5000);
    const first = it.fleet.reports.find((report) => report.atMs > diedAt);
    expect(first!.atMs - diedAt).toBeLessThanOrEqual(5000);
    expect(first!.sequence, 'one proxy, one sequence').toBe(sequence + 1);
    expect(leader(it)).not.toBe(dead);
    expect(it.fleet.watches.at(-1)!.state).toBe('open');
  });

  test("also when it was the main thread's, which nobody replaces", () => {
    const it = connected();
    expect(leader(it).name).toBe('main');
    kill(it, leader(it));
    it.advance(60_000);
    expect(leader(it).name).toMatch(/^worker/);
    it.fleet.flag('shop', { feature: 'catalog', state: 'DISABLED', admit: 0 });
    it.advance(200);
    for (const worker of [0, 1]) expect(it.proxy.request({ path: '/catalog', worker }).upstream).toBeNull();
  });

  test('loses neither the directive nor the lease', () => {
    const it = connected();
    it.fleet.flag('shop', { feature: 'catalog', state: 'DISABLED', admit: 0 });
    it.advance(200);
    kill(it, leader(it));
    for (let second = 0; second < 30; second++) {
      expect(it.admitted('/catalog', 2, { worker: second % 2 })).toBe(0);
      it.advance(1000);
    }
    expect(it.fleet.reports.slice(2).every(({ governed }) => governed)).toBe(true);
  });

  test('one death after the other, until one worker is left', () => {
    const it = connected({ workers: 3 });
    for (let death = 0; death < 3; death++) {
      kill(it, leader(it));
      it.advance(6000);
    }
    expect(it.proxy.liveVms).toHaveLength(1);
    const reports = it.fleet.reports.length;
    it.advance(20_000);
    expect(it.fleet.reports.length).toBeGreaterThan(reports);
  });
});
