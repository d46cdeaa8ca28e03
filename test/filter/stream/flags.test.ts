import { afterEach, describe, expect, test } from 'vitest';
import { degraded, expectClean, feature, type Json, QUICK, type Scene, type SceneInit, scene, TICK_MS } from './scene.ts';

afterEach(expectClean);

/** A proxy under a live lease of the fleet, with the policy from the directive. */
function governed(more: Json = {}, init: SceneInit = {}): Scene {
  const it = scene({ connected: true, policy: null, ...init });
  it.fleet.publish('shop', { policy: { service: 'shop', features: [feature('catalog', more), feature('cart')] } });
  it.advance(500);
  expect(it.fleet.reports.length).toBeGreaterThan(0);
  return it;
}

/** Lets the filter see what was published: the answer, then a tick of every worker. */
const settle = (it: Scene) => it.advance(2 * TICK_MS + 10);
const share = (it: Scene, count = 2000) => it.admitted('/catalog', count) / count;

describe('DISABLED', () => {
  test('nothing passes, however long it lasts, while the lease holds', () => {
    const it = governed();
    it.fleet.flag('shop', { feature: 'catalog', state: 'DISABLED', admit: 0 });
    settle(it);
    const arrived = it.proxy.arrivals.length;
    for (let second = 0; second < 120; second++) {
      it.proxy.request({ path: '/catalog', worker: second % 2 });
      it.advance(1000);
    }
    expect(it.proxy.arrivals.length).toBe(arrived);
    const refused = it.proxy.request({ path: '/catalog' });
    expect(refused.info.codeDetails).toBe('rekindle{feature=catalog,reason=disabled,rung=none}');
    expect(it.good('/cart').client.status).toBe(200);
  });

  test('reaches every worker within one tick of its arrival', () => {
    const it = governed({}, { workers: 4 });
    it.fleet.flag('shop', { feature: 'catalog', state: 'DISABLED', admit: 0 });
    it.advance(1 + TICK_MS);
    for (let worker = 0; worker < 4; worker++)
      expect(it.proxy.request({ path: '/catalog', worker }).upstream, `worker ${worker}`).toBeNull();
  });

  test('and back to ENABLED', () => {
    const it = governed();
    it.fleet.flag('shop', { feature: 'catalog', state: 'DISABLED', admit: 0 });
    settle(it);
    it.fleet.flag('shop', { feature: 'catalog', state: 'ENABLED', admit: 10_000 });
    settle(it);
    expect(share(it, 50)).toBe(1);
  });
});

describe('TESTING', () => {
  test.for([100, 2500, 9000])('lets %i basis points through', (admit) => {
    const it = governed();
    it.fleet.flag('shop', { feature: 'catalog', state: 'TESTING', admit });
    settle(it);
    const spread = 3 * Math.sqrt((admit / 10_000) * (1 - admit / 10_000) * 4000);
    const reached = it.admitted('/catalog', 4000);
    expect(Math.abs(reached - (admit / 10_000) * 4000)).toBeLessThan(spread + 1);
  });

  test('sends its share out with retries off; the rest says why', () => {
    const it = governed();
    it.fleet.flag('shop', { feature: 'catalog', state: 'TESTING', admit: 5000 });
    settle(it);
    const streams = Array.from({ length: 50 }, () => it.good('/catalog'));
    const retries = streams.flatMap(({ upstream }) => (upstream === null ? [] : [upstream.headers.get('x-envoy-max-retries')]));
    expect(new Set(retries)).toEqual(new Set(['0']));
    const refused = streams.find(({ upstream }) => upstream === null)!;
    expect(refused.info.codeDetails).toBe('rekindle{feature=catalog,reason=share,rung=none}');
  });

  const KEYS = Array.from({ length: 400 }, (_, i) => `user-${i}`);
  test.for([
    { name: 'header', stickyKey: { header: 'x-user' }, headers: (key: string) => ({ 'x-user': key }) },
    { name: 'cookie', stickyKey: { cookie: 'sid' }, headers: (key: string) => ({ cookie: `a=b; sid=${key}; c=d` }) },
  ])('with a sticky $name a user stays on one side, on all proxies, and who was in stays in', ({ stickyKey, headers }) => {
    const inside = (admit: number, seed: number) => {
      const it = governed({ stickyKey }, { seed });
      it.fleet.flag('shop', { feature: 'catalog', state: 'TESTING', admit });
      settle(it);
      const passes = (key: string, worker: number) => it.good('/catalog', { headers: headers(key), worker }).upstream !== null;
      const set = KEYS.filter((key) => passes(key, 0));
      expect(KEYS.filter((key) => passes(key, 1))).toEqual(set);
      return set;
    };
    const some = inside(2000, 1);
    const more = inside(5000, 2);
    expect(some.length).toBeGreaterThan(40);
    expect(some.length).toBeLessThan(130);
    expect(some.filter((key) => !more.includes(key))).toEqual([]);
    expect(more.length).toBeGreaterThan(some.length);
  });

  test('a request without its sticky key is drawn by itself', () => {
    const it = governed({ stickyKey: { header: 'x-user' } });
    it.fleet.flag('shop', { feature: 'catalog', state: 'TESTING', admit: 5000 });
    settle(it);
    const reached = share(it, 400);
    expect(reached).toBeGreaterThan(0.35);
    expect(reached).toBeLessThan(0.65);
  });

  test('the local breaker protects as usual, and recovers by itself', () => {
    const it = governed();
    it.fleet.flag('shop', { feature: 'catalog', state: 'TESTING', admit: 9000 });
    settle(it);
    for (let i = 0; i < 10; i++) it.bad('/catalog');
    expect(it.admitted('/catalog', 20)).toBe(0);
    it.advance(1000 + 2 * TICK_MS);
    for (let i = 0; i < 10; i++) it.good('/catalog');
    it.tick();
    expect(share(it, 400)).toBeGreaterThan(0.8);
  });
});

describe('a new step', () => {
  test('drops the local phase and the window', () => {
    const it = governed();
    it.trip('/catalog');
    expect(it.admitted('/catalog', 5)).toBe(0);
    it.fleet.flag('shop', { feature: 'catalog', state: 'ENABLED', admit: 10_000 });
    settle(it);
    for (let i = 0; i < 3; i++) it.bad('/catalog');
    expect(it.admitted('/catalog', 1), 'three failures of this step are not four').toBe(1);
  });

  test('an outcome of the step before says nothing', () => {
    const it = governed();
    const old = Array.from({ length: 6 }, () => it.proxy.request({ path: '/catalog' }));
    it.fleet.flag('shop', { feature: 'catalog', state: 'ENABLED', admit: 10_000 });
    settle(it);
    for (const stream of old) stream.upstream!.answer({ status: 500 });
    expect(it.admitted('/catalog', 5)).toBe(5);
  });

  test('the same step again changes nothing', () => {
    const it = governed();
    it.fleet.flag('shop', { feature: 'catalog', state: 'ENABLED', admit: 10_000, step: 7 });
    settle(it);
    it.trip('/catalog');
    it.fleet.flag('shop', { feature: 'catalog', state: 'ENABLED', admit: 10_000, step: 7 });
    settle(it);
    expect(it.admitted('/catalog', 5)).toBe(0);
  });
});

describe("a person's flag", () => {
  test('ENABLED: all passes, whatever fails', () => {
    const it = governed();
    it.fleet.flag('shop', { feature: 'catalog', state: 'ENABLED', admit: 10_000, by: 'person' });
    settle(it);
    for (let i = 0; i < 30; i++) it.bad('/catalog');
    it.tick();
    expect(share(it, 20)).toBe(1);
    it.advance(1000);
    expect(it.fleet.reports.at(-1)!.features.find(({ feature: name }) => name === 'catalog')!.phase).toBe('FORCED_CLOSED');
  });

  test('DISABLED: nothing passes, also long after contact is lost', () => {
    const it = governed();
    it.fleet.flag('shop', { feature: 'catalog', state: 'DISABLED', admit: 0, by: 'person' });
    settle(it);
    it.proxy.request({ path: '/catalog' });
    it.advance(1500);
    expect(it.fleet.reports.at(-1)!.features.find(({ feature: name }) => name === 'catalog')!.phase).toBe('FORCED_OPEN');
    it.fleet.silent = true;
    it.advance(120_000);
    expect(it.admitted('/catalog', 20)).toBe(0);
  });

  test('TESTING: holds the share', () => {
    const it = governed();
    it.fleet.flag('shop', { feature: 'catalog', state: 'TESTING', admit: 3000, by: 'person' });
    settle(it);
    it.fleet.silent = true;
    it.advance(60_000);
    expect(share(it)).toBeGreaterThan(0.25);
    expect(share(it)).toBeLessThan(0.35);
  });

  test('runs out by the monotonic clock, with or without contact', () => {
    const it = governed();
    it.fleet.flag('shop', { feature: 'catalog', state: 'ENABLED', admit: 10_000, by: 'person', expiresInMs: 30_000 });
    settle(it);
    it.fleet.silent = true;
    it.proxy.clock.stepWall(86_400_000);
    it.advance(25_000);
    for (let i = 0; i < 10; i++) it.bad('/catalog');
    expect(it.admitted('/catalog', 5), 'still forced').toBe(5);
    it.advance(6000);
    it.trip('/catalog');
    expect(it.admitted('/catalog', 5), 'judged anew').toBe(0);
  });

  test('DISABLED that ran out without contact becomes OPEN, then recovers by itself', () => {
    const it = governed();
    it.fleet.flag('shop', { feature: 'catalog', state: 'DISABLED', admit: 0, by: 'person', expiresInMs: 5000 });
    settle(it);
    it.fleet.silent = true;
    it.advance(25_000);
    const probes = Array.from({ length: 20 }, () => it.proxy.request({ path: '/catalog' })).filter(({ upstream }) => upstream !== null);
    expect(probes).toHaveLength(3);
    for (const probe of probes) probe.upstream!.answer({ status: 200 });
    expect(share(it, 20)).toBe(1);
  });
});

test('a feature that the directive does not name is ENABLED', () => {
  const it = governed();
  it.fleet.flag('shop', { feature: 'unknown-feature', state: 'DISABLED', admit: 0 });
  settle(it);
  expect(share(it, 20)).toBe(1);
});

test('the state of the flag and the share are shown', () => {
  const it = governed();
  it.fleet.flag('shop', { feature: 'catalog', state: 'TESTING', admit: 2500 });
  it.advance(1000);
  expect(it.metric('feature_state', { feature: 'catalog', state: 'TESTING' })).toBe(1);
  expect(it.metric('feature_state', { feature: 'catalog', state: 'ENABLED' })).toBe(0);
  expect(it.metric('admit_ratio', { feature: 'catalog' })).toBe(2500);
  expect(it.metric('governed', { service: 'shop' })).toBe(1);
  expect(it.metric('control_plane_connected', { service: 'shop' })).toBe(1);
  expect(it.metric('directive_revision', { service: 'shop' })).toBe(2);
});

test('a refused request still finds its fallback', () => {
  const it = governed({ fallback: [{ static: { status: 200, body: 'sorry' } }], breaker: QUICK });
  it.fleet.flag('shop', { feature: 'catalog', state: 'DISABLED', admit: 0 });
  settle(it);
  const stream = it.proxy.request({ path: '/catalog' });
  expect(stream.client).toMatchObject({ status: 200, body: 'sorry' });
  expect(degraded(stream)?.reason).toBe('disabled');
});
