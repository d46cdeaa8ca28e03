import { afterEach, expect, test } from 'vitest';
import { connected, inForce, policyWith } from './directive-scene.ts';
import { expectClean, feature, type Scene, type SceneInit, scene } from './scene.ts';

afterEach(expectClean);

/** From now on another hand is always faster: each write finds that the value has changed since it was read. Returns how many tries there were. */
function refuseWrites(it: Scene): () => number {
  let tries = 0;
  const foreign = it.proxy.shared;
  it.proxy.beforeHostCall = (vm, call, args) => {
    const key = call === 'proxy_set_shared_data' ? (vm.memory.text(args[0] as number, args[1] as number) ?? '') : '';
    if (!key.endsWith(':directive')) return;
    tries++;
    const bytes = foreign.get('rekindle', key)?.bytes ?? new Uint8Array([1]);
    foreign.set('rekindle', key, bytes.slice(), 0);
  };
  return () => tries;
}

/** Runs 30 s in which nothing can be stored, and says which revisions the leader claimed to follow. */
function unstorable(it: Scene, policy: object): Set<number | undefined> {
  const tries = refuseWrites(it);
  const reported = it.fleet.reports.length;
  it.fleet.publish('shop', { policy });
  it.advance(30_000);
  expect(it.metric('directives_rejected_total')).toBe(1);
  expect(it.warnings.filter((line) => line.includes('it could not be stored'))).toHaveLength(1);
  expect(tries(), 'it is asked for again').toBeGreaterThan(8);
  // Waits of 1, 2, 4, 8 and 16 s, less their jitter, with 8 tries each.
  expect(tries()).toBeLessThanOrEqual(12 * 8);
  it.proxy.beforeHostCall = null;
  return new Set(it.fleet.reports.slice(reported).map(({ revision }) => revision));
}

const init: SceneInit = { workers: 2 };

test('a directive that cannot be stored for the other workers is refused, and the one before stays', () => {
  const it = connected(init);
  expect(unstorable(it, policyWith('second'))).toEqual(new Set([1]));
  for (const worker of [0, 1]) expect(inForce(it, worker), `worker ${worker}`).toBe('first');
  it.advance(31_000);
  for (const worker of [0, 1]) expect(inForce(it, worker), `worker ${worker}`).toBe('second');
});

test('without one before, the leader reports none, and the inline policy stays', () => {
  const it = scene({ ...init, connected: true });
  const claimed = unstorable(it, { service: 'shop', features: [feature('catalog'), feature('cart')] });
  expect(claimed).toEqual(new Set([undefined]));
  it.good('/cart');
  it.tick();
  expect(it.metric('unmatched_total')).toBe(1);
  it.advance(31_000);
  expect(it.metric('directive_revision')).toBe(1);
  for (const worker of [0, 1]) {
    it.trip('/cart', worker);
    expect(it.good('/cart', { worker }).upstream, `worker ${worker}`).toBeNull();
  }
});
