import { afterEach, describe, expect, test } from 'vitest';
import { connected } from './governed-scene.ts';
import { expectClean, type Scene, TICK_MS } from './scene.ts';

afterEach(expectClean);

describe('permits', () => {
  const disabled = (): Scene => connected({ state: 'DISABLED', admit: 0, step: 5 });
  /** Permits with the next report, once it was answered and every worker has ticked. */
  const grant = (it: Scene, permit: { count: number; step?: number; ttlMs?: number }): void => {
    it.fleet.permits.push({ feature: 'catalog', step: 5, ttlMs: 10_000, ...permit });
    it.proxy.request({ path: '/catalog' });
    it.until(() => it.fleet.permits.length === 0);
    it.advance(2 * TICK_MS);
  };
  const reached = (it: Scene, count = 10): number =>
    it.admitted('/catalog', count, { worker: 0 }) + it.admitted('/catalog', count, { worker: 1 });

  test.for([1, 2, 5])('%i let exactly so many requests through, over all workers', (count) => {
    const it = disabled();
    grant(it, { count });
    expect(reached(it)).toBe(count);
  });

  test('they go out with retries off', () => {
    const it = disabled();
    grant(it, { count: 1 });
    it.good('/catalog');
    expect(it.proxy.arrivals.at(-1)!.headers.get('x-envoy-max-retries')).toBe('0');
  });

  test.for([
    { name: 'another step', permit: { count: 3, step: 4 } },
    { name: 'none', permit: { count: 0 } },
  ])('for $name are void', ({ permit }) => {
    const it = disabled();
    grant(it, permit);
    expect(reached(it)).toBe(0);
  });

  test('run out', () => {
    const it = disabled();
    grant(it, { count: 3, ttlMs: 1000 });
    it.advance(1000);
    expect(reached(it)).toBe(0);
  });

  test('are set, never added', () => {
    const it = disabled();
    grant(it, { count: 2 });
    grant(it, { count: 2 });
    expect(reached(it)).toBe(2);
  });

  test('are void with the next step', () => {
    const it = disabled();
    grant(it, { count: 3 });
    it.fleet.flag('shop', { feature: 'catalog', state: 'DISABLED', admit: 0, step: 6 });
    it.advance(1000);
    expect(reached(it)).toBe(0);
  });

  test('a failed one does not trip, a good one does not close: the fleet decides', () => {
    const it = disabled();
    grant(it, { count: 1 });
    it.bad('/catalog');
    grant(it, { count: 1 });
    it.good('/catalog');
    it.advance(6000);
    expect(it.admitted('/catalog', 10)).toBe(0);
    const report = it.fleet.reports.flatMap(({ features }) => features).findLast(({ feature: name }) => name === 'catalog');
    expect(report).toMatchObject({ step: 5, admitted: 2, succeeded: 1, failed: 1 });
  });
});
