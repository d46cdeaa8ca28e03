import { afterEach, describe, expect, test } from 'vitest';
import type { RequestInit } from '../host/proxy.ts';
import { expectClean, feature, type Json, QUICK, type Scene, scene, TICK_MS } from './scene.ts';

afterEach(expectClean);

/** Trips at 50 % of 20 requests, and so guards from 25 % of 10 on. */
const GUARDED: Json = { ...QUICK, minimumRequests: 20 };
const with_ = (breaker: Json = GUARDED, more: Json = {}): Scene => scene({ features: [feature('catalog', { breaker, ...more })] });

/** What the upstream is told of retries with the next request; null: it does not come. */
function retries(it: Scene, request: RequestInit = {}): string | null {
  const stream = it.good('/catalog', request);
  return stream.upstream === null ? null : (stream.upstream.headers.get('x-envoy-max-retries') ?? 'as configured');
}

describe('requests lose their retries', () => {
  test('from half the way to a trip on, and have them again when the window is better', () => {
    const it = with_();
    for (let i = 0; i < 7; i++) it.good('/catalog');
    for (let i = 0; i < 2; i++) it.bad('/catalog');
    expect(retries(it), '2 of 9 failed').toBe('as configured');
    it.bad('/catalog');
    expect(retries(it), '3 of 11 failed').toBe('0');
    for (let i = 0; i < 8; i++) it.good('/catalog');
    it.advance(2 * TICK_MS);
    expect(retries(it), '3 of 20 failed').toBe('as configured');
  });

  test('until the failures have left the window, without any further traffic', () => {
    const it = with_({ ...GUARDED, windowMs: 2000 });
    for (let i = 0; i < 5; i++) it.bad('/catalog');
    for (let i = 0; i < 6; i++) it.good('/catalog');
    it.advance(2 * TICK_MS);
    expect(retries(it)).toBe('0');
    it.advance(2500);
    expect(retries(it)).toBe('as configured');
  });

  test('when requests hang, by their age', () => {
    const it = with_(GUARDED, { failure: { slowMs: 200 } });
    for (let i = 0; i < 10; i++) it.good('/catalog');
    for (let i = 0; i < 3; i++) it.proxy.request({ path: '/catalog' });
    expect(retries(it)).toBe('as configured');
    it.advance(300);
    expect(retries(it)).toBe('0');
  });

  test('on half the failures in a row', () => {
    const it = with_({ ...QUICK, minimumRequests: 1000, consecutiveFailures: 10 });
    for (let i = 0; i < 5; i++) {
      expect(retries(it)).toBe('as configured');
      for (let n = 0; n <= i; n++) it.bad('/catalog');
      if (i < 4) it.good('/catalog');
    }
    expect(retries(it)).toBe('0');
  });

  test('on all workers, when it is the sum of the proxy that worsens', () => {
    const it = scene({ workers: 4, features: [feature('catalog', { breaker: GUARDED })] });
    for (let worker = 0; worker < 4; worker++) {
      for (let i = 0; i < 2; i++) it.good('/catalog', { worker });
      it.bad('/catalog', { worker });
    }
    it.advance(8 * TICK_MS);
    for (let worker = 0; worker < 4; worker++) expect(retries(it, { worker }), `worker ${worker}`).toBe('0');
    for (let i = 0; i < 30; i++) it.good('/catalog', { worker: i % 4 });
    it.advance(8 * TICK_MS);
    for (let worker = 0; worker < 4; worker++) expect(retries(it, { worker }), `worker ${worker}`).toBe('as configured');
  });

  test('never with a guard of 100, up to the trip', () => {
    const it = with_({ ...GUARDED, retryGuardPercent: 100 });
    for (let i = 0; i < 9; i++) it.bad('/catalog');
    for (let i = 0; i < 10; i++) expect(retries(it)).toBe('as configured');
    it.bad('/catalog');
    expect(retries(it)).toBeNull();
  });

  test('not in shadow mode', () => {
    const it = with_(GUARDED, { mode: 'shadow' });
    for (let i = 0; i < 15; i++) it.bad('/catalog');
    expect(retries(it)).toBe('as configured');
    expect(it.good('/catalog').request.mutations).toBe(0);
  });

  test('and it is counted', () => {
    const it = with_();
    for (let i = 0; i < 10; i++) it.bad('/catalog');
    for (let i = 0; i < 5; i++) retries(it);
    it.advance(100);
    expect(it.metric('retries_withheld_total', { feature: 'catalog' })).toBe(5);
  });
});

test('a probe has none, whatever the window was', () => {
  const it = with_({ ...QUICK, retryGuardPercent: 100 });
  it.trip('/catalog');
  it.advance(1100);
  expect(retries(it)).toBe('0');
});

test('while the window is fine the request is not touched', () => {
  const it = with_();
  for (let i = 0; i < 50; i++) expect(it.good('/catalog').request.mutations).toBe(0);
});
