import { afterEach, describe, expect, test } from 'vitest';
import type { Flag } from '../../../control-plane/contract/directive.ts';
import { connected } from './governed-scene.ts';
import { expectClean, feature, QUICK, type Scene, scene } from './scene.ts';

afterEach(expectClean);

const STALE_AFTER_MS = 15_000;
const LONGEST_LEASE_MS = STALE_AFTER_MS * 1.3;

const share = (it: Scene, count = 1000) => it.admitted('/catalog', count) / count;
/** Reports stop being answered; watches go on. */
function cutReports(it: Scene): void {
  for (let i = 0; i < 1000; i++) it.fleet.reportScript.push((call) => call.respond({ status: 503 }));
}
/** Nothing is answered any more, and what is on its way is lost. */
function cutOff(it: Scene): void {
  it.proxy.clusters.set('control-plane', 'unhealthy');
}

describe('the lease', () => {
  test('holds as long as reports are answered, and says so', () => {
    const it = connected();
    it.advance(120_000);
    expect(it.fleet.reports.slice(2).every(({ governed }) => governed)).toBe(true);
    expect(it.metric('governed')).toBe(1);
  });

  test.for([
    { name: 'DISABLED', flag: { state: 'DISABLED', admit: 0 } },
    { name: 'TESTING', flag: { state: 'TESTING', admit: 2000 } },
  ] as const)('workers that do not lead keep the lease too: $name for two minutes', ({ flag }) => {
    const it = connected(flag, {}, { workers: 3 });
    const transitions = it.metric('transitions_total');
    for (let second = 0; second < 120; second++) {
      for (let worker = 0; worker < 3; worker++) it.good('/catalog', { worker });
      it.advance(1000);
    }
    const told = it.fleet.reports.flatMap(({ features }) => features).filter(({ feature: name }) => name === 'catalog');
    expect(new Set(told.map(({ phase }) => phase))).toEqual(new Set(['CLOSED']));
    expect(it.metric('transitions_total')).toBe(transitions);
    for (let worker = 0; worker < 3; worker++) {
      expect(Math.abs(it.admitted('/catalog', 1000, { worker }) - flag.admit / 10), `worker ${worker}`).toBeLessThan(50);
    }
  });

  test('is not renewed by a watch', () => {
    const it = connected({ state: 'DISABLED', admit: 0 });
    cutReports(it);
    const answered = it.fleet.watches.length;
    it.advance(LONGEST_LEASE_MS + 200);
    it.fleet.publish('shop', {});
    it.advance(10_000);
    expect(it.fleet.watches.length).toBeGreaterThan(answered);
    expect(it.metric('governed')).toBe(0);
  });

  test('runs out between 1 and 1.3 times staleAfter, at different times on different proxies', () => {
    const times = Array.from({ length: 10 }, (_, seed) => {
      const it = connected(null, {}, { seed: seed + 1 });
      it.advance(5000);
      cutOff(it);
      const last = it.fleet.reports.at(-1)!.atMs;
      it.until(() => it.metric('governed') === 0);
      return it.proxy.clock.nowMs - last;
    });
    expect(Math.min(...times)).toBeGreaterThanOrEqual(STALE_AFTER_MS - 100);
    expect(Math.max(...times)).toBeLessThanOrEqual(LONGEST_LEASE_MS + 200);
    expect(new Set(times).size).toBeGreaterThan(4);
  });

  test('is shorter by the age of what the replica knows of the leader', () => {
    const it = connected();
    it.fleet.governorAgeMs = 10_000;
    for (let i = 0; i < 6; i++) {
      it.good('/catalog');
      it.advance(1000);
    }
    cutOff(it);
    it.advance(3500);
    expect(it.metric('governed')).toBe(1);
    it.advance(6500);
    expect(it.metric('governed')).toBe(0);
  });

  test.for([
    { name: 'a governor that is older than the lease', governorAgeMs: 20_000, policy: {} },
    { name: 'recovery.scope proxy', governorAgeMs: 0, policy: { recovery: { scope: 'proxy' } } },
  ])('never begins with $name: the proxy recovers by itself', ({ governorAgeMs, policy }) => {
    const it = scene({ connected: true, policy: null });
    it.fleet.governorAgeMs = governorAgeMs;
    it.fleet.publish('shop', { policy: { service: 'shop', features: [feature('catalog')], ...policy } });
    it.advance(1000);
    it.fleet.flag('shop', { feature: 'catalog', state: 'DISABLED', admit: 0 });
    it.advance(10_000);
    expect(it.good('/catalog').upstream, 'a probe passes').not.toBeNull();
  });
});

describe('when the lease runs out', () => {
  test('DISABLED becomes OPEN with local backoff, then probes, then a ramp', () => {
    const it = connected({ state: 'DISABLED', admit: 0 });
    cutOff(it);
    const arrived = it.proxy.arrivals.length;
    it.advance(14_000);
    it.admitted('/catalog', 10);
    expect(it.proxy.arrivals.length, 'governed to the end').toBe(arrived);
    let first = -1;
    for (let ms = 14_000; ms < 40_000 && first < 0; ms += 50) {
      it.advance(50);
      if (it.proxy.request({ path: '/catalog' }).upstream !== null) first = ms;
    }
    expect(first).toBeGreaterThan(15_500);
    expect(first).toBeLessThan(LONGEST_LEASE_MS + 2000);
    for (let i = 0; i < 20; i++) it.proxy.request({ path: '/catalog' });
    expect(it.proxy.arrivals.length - arrived, 'probes only').toBe(3);
    for (const probe of it.proxy.arrivals.slice(-3)) probe.answer({ status: 200 });
    it.advance(1000);
    const ramp = share(it);
    expect(ramp).toBeGreaterThan(0);
    expect(ramp).toBeLessThan(0.5);
  });

  test('TESTING goes on from its share', () => {
    const it = connected({ state: 'TESTING', admit: 2500 });
    cutOff(it);
    it.advance(LONGEST_LEASE_MS - 5000);
    expect(share(it)).toBeLessThan(0.32);
    it.until(() => it.metric('governed') === 0);
    expect(share(it)).toBeGreaterThan(0.2);
    expect(share(it)).toBeLessThan(0.35);
    it.advance(5000);
    expect(share(it)).toBeGreaterThan(0.5);
    it.advance(6000);
    expect(share(it, 100)).toBe(1);
  });

  test('ENABLED stays CLOSED', () => {
    const it = connected({ state: 'ENABLED' });
    cutOff(it);
    it.advance(30_000);
    expect(share(it, 100)).toBe(1);
  });
});

describe('when contact returns', () => {
  /** On its own at 100 %, then in contact again with a fleet that says something else. */
  const returned = (state: Flag['state'], admit: number): Scene => {
    const it = connected({ state: 'ENABLED' });
    cutOff(it);
    it.advance(30_000);
    expect(share(it, 50)).toBe(1);
    const { fleet, proxy } = it;
    fleet.flag('shop', { feature: 'catalog', state, admit });
    proxy.clusters.set('control-plane', reconnect);
    it.until(() => it.metric('governed') === 1, 120_000, 10);
    return it;

    function reconnect(call: Parameters<typeof fleet.take>[0]): void {
      fleet.take(call);
    }
  };

  test.for([
    { name: 'TESTING at 20 %', state: 'TESTING', admit: 2000, half: 0.6, end: 0.2 },
    { name: 'DISABLED', state: 'DISABLED', admit: 0, half: 0.5, end: 0 },
  ] as const)('the share moves to $name linearly over 10 s', ({ state, admit, half, end }) => {
    const it = returned(state, admit);
    expect(share(it), 'no jump').toBeGreaterThan(0.9);
    it.advance(5000);
    expect(Math.abs(share(it) - half)).toBeLessThan(0.1);
    it.advance(5500);
    expect(Math.abs(share(it) - end)).toBeLessThan(0.05);
  });

  test('the proxy first reports its own state', () => {
    const it = connected({ state: 'DISABLED', admit: 0 });
    cutOff(it);
    it.advance(40_000);
    it.fleet.reports.length = 0;
    it.proxy.clusters.set('control-plane', (call) => it.fleet.take(call));
    it.until(() => it.fleet.reports.length > 0, 60_000, 10);
    expect(it.fleet.reports[0]).toMatchObject({ governed: false });
  });

  test('at first contact there is no share to keep: the flag holds at once', () => {
    const it = connected({ state: 'TESTING', admit: 1000 });
    it.advance(500);
    expect(share(it)).toBeLessThan(0.2);
  });
});

test('autonomous proxies of a large fleet stretch their probes: n over the budget, at most 30 s', () => {
  const it = scene({ connected: true, policy: null });
  const features = [feature('catalog', { breaker: { ...QUICK, halfOpen: { probes: 1 } } })];
  it.fleet.publish('shop', { proxies: 50, policy: { service: 'shop', features, recovery: { probesInFlight: 5 } } });
  it.advance(1000);
  cutOff(it);
  it.advance(30_000);
  it.trip('/catalog');
  it.advance(9000);
  expect(it.admitted('/catalog', 5)).toBe(0);
  it.advance(1200);
  expect(it.admitted('/catalog', 5)).toBeGreaterThan(0);
});
