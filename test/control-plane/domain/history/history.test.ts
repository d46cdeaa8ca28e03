import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FeatureDelta } from '../../../../control-plane/domain/evidence-delta.ts';
import { History, type Told } from '../../../../control-plane/domain/history/history.ts';
import { counts, T0 } from '../fixtures.ts';

const MINUTE = 60_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function delta(succeeded: number, rest: Partial<FeatureDelta> = {}): FeatureDelta {
  const degraded = { stale: 0, cluster: 0, static: 0 };
  return { feature: 'catalog', step: 1, counts: counts({ succeeded }), degraded, latency: [succeeded], late: false, ...rest };
}

const told = (deltas: readonly FeatureDelta[], rest: Partial<Told> = {}): Told => ({
  service: 'shop',
  node: 'node-1',
  silentAfterMs: 3000,
  deltas,
  ...rest,
});

/** Reports once a second of `succeeded` requests each. */
function reportFor(history: History, fromMs: number, forMs: number, rest: Partial<Told> = {}, succeeded = 5): void {
  for (let atMs = fromMs; atMs < fromMs + forMs; atMs += 1000) history.record(told([delta(succeeded)], rest), atMs);
}

const total = (history: History, nowMs: number, node: string | null = null) =>
  history.read('shop', 'catalog', node, nowMs).windows.reduce((sum, window) => sum + window.counts.succeeded, 0);

describe('windows', () => {
  test('of one second for ten minutes, of ten before, for an hour', () => {
    const history = new History();
    reportFor(history, T0, 90 * MINUTE);
    const nowMs = T0 + 90 * MINUTE;
    const { windows } = history.read('shop', 'catalog', null, nowMs);
    const fine = windows.filter(({ lengthMs }) => lengthMs === 1000);
    const coarse = windows.filter(({ lengthMs }) => lengthMs === 10_000);
    expect(fine.map(({ atMs }) => nowMs - atMs)).toEqual(Array.from({ length: 600 }, (_, index) => (600 - index) * 1000));
    expect(coarse).toHaveLength(300);
    expect(coarse.every(({ counts: { succeeded } }) => succeeded === 50)).toBe(true);
    expect(coarse[0]!.atMs).toBe(nowMs - 60 * MINUTE);
  });

  test('are of one proxy, or of all together', () => {
    const history = new History();
    history.record(told([delta(3)]), T0);
    history.record(told([delta(4)], { node: 'node-2' }), T0 + 100);
    expect([total(history, T0 + 200), total(history, T0 + 200, 'node-1'), total(history, T0 + 200, 'node-2')]).toEqual([7, 3, 4]);
    expect(history.nodes('shop')).toEqual(['node-1', 'node-2']);
    expect(history.read('shop', 'catalog', 'node-3', T0)).toMatchObject({ windows: [], heard: [] });
  });

  test('what was told late is marked, and a silence ends a stretch', () => {
    const history = new History();
    history.record(told([delta(1)]), T0);
    history.record(told([delta(1, { late: true })]), T0 + 9000);
    const { windows, heard } = history.read('shop', 'catalog', null, T0 + 9000);
    expect(windows.map(({ late }) => late)).toEqual([false, true]);
    expect(heard).toEqual([
      { fromMs: T0, toMs: T0 },
      { fromMs: T0 + 9000, toMs: T0 + 9000 },
    ]);
  });

  test('law: nothing is lost or made up on the way through the packed form', () => {
    const count = fc.oneof(fc.nat(3), fc.nat(500), fc.nat(2 ** 40));
    const reports = fc.array(fc.record({ afterMs: fc.nat(30_000), counters: fc.array(count, { minLength: 21, maxLength: 21 }) }), {
      maxLength: 80,
    });
    fc.assert(
      fc.property(reports, (all) => {
        const history = new History();
        const sums = Array.from({ length: 21 }, () => 0);
        let nowMs = T0;
        for (const { afterMs, counters } of all) {
          nowMs += Math.min(afterMs, 7000); // all within ten minutes
          history.record(told([deltaOf(counters)]), nowMs);
          if (hasRequests(counters)) for (const [index, value] of counters.entries()) sums[index]! += value;
        }
        const windows = history.read('shop', 'catalog', null, nowMs).windows;
        const read = windows.map(({ counts: c, degraded: d, latency }) => [
          ...[c.admitted, c.succeeded, c.failed, c.ignored, c.slow, c.refused, d.stale, d.cluster, d.static],
          ...latency,
        ]);
        expect(sums.map((_, index) => read.reduce((sum, values) => sum + values[index]!, 0))).toEqual(sums);
      }),
    );
  });
});

function deltaOf([admitted = 0, succeeded = 0, failed = 0, ignored = 0, slow = 0, refused = 0, ...rest]: number[]): FeatureDelta {
  const [stale = 0, cluster = 0, fixed = 0, ...latency] = rest;
  return {
    ...delta(0),
    counts: { admitted, succeeded, failed, ignored, slow, refused },
    degraded: { stale, cluster, static: fixed },
    latency,
  };
}

/** Latencies alone are no news. */
const hasRequests = (counters: readonly number[]) => counters.slice(0, 9).some((value) => value > 0);

describe('room', () => {
  const CAP = 2 ** 20;
  /** Many proxies with many features for ten minutes: far more than the cap allows. */
  function flooded(): History {
    const history = new History(CAP);
    for (let second = 0; second < 600; second += 2) {
      for (let node = 0; node < 20; node++) {
        const deltas = Array.from({ length: 10 }, (_, feature) => delta(second + node, { feature: `feature-${feature}` }));
        history.record(told(deltas, { node: `node-${node}` }), T0 + second * 1000);
      }
    }
    return history;
  }

  test('stays below the cap; the proxies give before the service does', () => {
    const history = flooded();
    const nowMs = T0 + 600_000;
    expect(history.bytes).toBeLessThanOrEqual(CAP);
    expect(history.read('shop', 'feature-0', null, nowMs)).toMatchObject({ windows: { length: 300 }, completeFromMs: 0 });
    const ofProxy = history.read('shop', 'feature-0', 'node-0', nowMs);
    expect(ofProxy.windows.length).toBeLessThan(300);
    expect(ofProxy.windows.every(({ atMs }) => atMs >= ofProxy.completeFromMs)).toBe(true);
  });

  test('what it says it takes is what it takes', () => {
    collect();
    const before = process.memoryUsage();
    const history = flooded();
    collect();
    const after = process.memoryUsage();
    const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    expect(history.bytes).toBeGreaterThan(CAP / 2);
    expect(grown).toBeLessThan(2 * CAP);
  });

  test('is given back by a service that goes, and by what has not been heard of for an hour', () => {
    const history = flooded();
    history.record(told([delta(1)], { service: 'other' }), T0 + 600_000);
    history.forget('shop');
    expect(history.bytes).toBeLessThan(10_000);
    history.record(told([], { service: 'other', node: 'node-2' }), T0 + 2 * 60 * MINUTE);
    expect(history.nodes('other')).toEqual(['node-2']);
  });
});
