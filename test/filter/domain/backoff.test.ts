import type { ASUtil } from '@assemblyscript/loader';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadFilter } from '../compile.ts';

interface BackoffExports {
  wait(trips: number, previousMs: bigint, baseMs: bigint, factor: number, capMs: bigint, jitter: number, random: number): bigint;
  stretchMs(intervalMs: bigint, proxies: number, budget: number): bigint;
}

const JITTERS = ['full', 'equal', 'decorrelated', 'none'] as const;

interface Wait {
  trips: number;
  previous: number;
  base: number;
  factor: number;
  cap: number;
  jitter: (typeof JITTERS)[number];
  random: number;
}

let filter: ASUtil & BackoffExports;

beforeAll(async () => {
  filter = await loadFilter<BackoffExports>('domain-formulas');
});

const defaults: Wait = { trips: 1, previous: 0, base: 5000, factor: 2, cap: 30_000, jitter: 'none', random: 0.5 };

function wait(given: Partial<Wait>): number {
  const { trips, previous, base, factor, cap, jitter, random } = { ...defaults, ...given };
  return Number(filter.wait(trips, BigInt(previous), BigInt(base), factor, BigInt(cap), JITTERS.indexOf(jitter), random));
}

describe('open time', () => {
  const rows: { name: string; given: Partial<Wait>; expected: number }[] = [
    { name: 'the first trip waits the base', given: {}, expected: 5000 },
    { name: 'the second twice as long', given: { trips: 2 }, expected: 10_000 },
    { name: 'the third four times', given: { trips: 3 }, expected: 20_000 },
    { name: 'never beyond the cap', given: { trips: 4 }, expected: 30_000 },
    { name: 'nor after any number of trips', given: { trips: 2 ** 31 - 1 }, expected: 30_000 },
    { name: 'factor 1 does not grow', given: { trips: 2 ** 31 - 1, factor: 1 }, expected: 5000 },
    { name: 'trip 0 is as the first', given: { trips: 0 }, expected: 5000 },
    { name: 'a base above the cap is the cap', given: { base: 60_000 }, expected: 30_000 },
    { name: 'a base of 0 stays 0', given: { base: 0, trips: 9 }, expected: 0 },
    { name: 'full: nothing at random 0', given: { jitter: 'full', random: 0 }, expected: 0 },
    { name: 'full: half at random 0.5', given: { jitter: 'full', trips: 2 }, expected: 5000 },
    { name: 'equal: half is fixed', given: { jitter: 'equal', random: 0 }, expected: 2500 },
    { name: 'equal: three quarters at random 0.5', given: { jitter: 'equal', trips: 2 }, expected: 7500 },
    { name: 'decorrelated: first between the base and three times it', given: { jitter: 'decorrelated' }, expected: 10_000 },
    { name: 'decorrelated: from the last wait on', given: { jitter: 'decorrelated', previous: 8000 }, expected: 14_500 },
    { name: 'decorrelated: the cap holds', given: { jitter: 'decorrelated', previous: 30_000, random: 0.9 }, expected: 30_000 },
    { name: 'random that is no number counts as 0', given: { jitter: 'equal', random: Number.NaN }, expected: 2500 },
    { name: 'random above 1 counts as 1', given: { jitter: 'equal', random: 7 }, expected: 5000 },
  ];
  test.for(rows)('$name', ({ given, expected }) => {
    expect(wait(given)).toBe(expected);
  });
});

describe('laws of the open time', () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const given = fc.record<Wait>({
    trips: fc.integer({ min: 1, max: 100 }),
    previous: fc.nat(10_000_000),
    base: fc.nat(1_000_000),
    factor: fc.integer({ min: 1, max: 10 }),
    cap: fc.integer({ min: 1, max: 10_000_000 }),
    jitter: fc.constantFrom(...JITTERS),
    random,
  });
  const envelope = ({ trips, base, factor, cap }: Wait) => Math.min(cap, base * factor ** (trips - 1));

  test('each kind stays within its bounds', () => {
    fc.assert(
      fc.property(given, (one) => {
        const low = Math.min(one.base, one.cap);
        const bounds = {
          none: [envelope(one), envelope(one)],
          full: [0, envelope(one)],
          equal: [Math.floor(envelope(one) / 2), envelope(one)],
          decorrelated: [low, Math.min(one.cap, 3 * Math.max(low, one.previous))],
        }[one.jitter] as [number, number];
        const waited = wait(one);
        expect(waited).toBeGreaterThanOrEqual(bounds[0]);
        expect(waited).toBeLessThanOrEqual(bounds[1]);
      }),
      { numRuns: 2000 },
    );
  });

  test('for the same draw a further trip never waits less', () => {
    fc.assert(
      fc.property(given, (one) => {
        expect(wait({ ...one, trips: one.trips + 1 })).toBeGreaterThanOrEqual(wait(one));
      }),
    );
  });

  test('a larger draw never waits less', () => {
    fc.assert(
      fc.property(given, random, (one, other) => {
        const [smaller, larger] = [Math.min(one.random, other), Math.max(one.random, other)];
        expect(wait({ ...one, random: larger })).toBeGreaterThanOrEqual(wait({ ...one, random: smaller }));
      }),
    );
  });

  test('no input overflows or traps', () => {
    const anyTime = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(
        fc.integer(),
        anyTime,
        anyTime,
        fc.integer(),
        anyTime,
        fc.nat(3),
        fc.double(),
        (trips, previous, base, factor, cap, jitter, draw) => {
          const waited = filter.wait(trips, previous, base, factor, cap, jitter, draw);
          expect(waited).toBeGreaterThanOrEqual(0n);
          expect(waited).toBeLessThanOrEqual(cap > 0n ? cap : 0n);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('interval between probes of an autonomous proxy', () => {
  const stretch = (interval: number, proxies: number, budget: number) => Number(filter.stretchMs(BigInt(interval), proxies, budget));

  test.for([
    { name: 'as many proxies as the budget', given: [5000, 5, 5], expected: 5000 },
    { name: 'fewer proxies than the budget', given: [5000, 1, 5], expected: 5000 },
    { name: 'twice as many', given: [5000, 10, 5], expected: 10_000 },
    { name: 'no whole ratio is rounded up', given: [1000, 4, 3], expected: 1334 },
    { name: 'at most 30 s', given: [5000, 1000, 5], expected: 30_000 },
    { name: 'never shorter than it was', given: [45_000, 1000, 5], expected: 45_000 },
    { name: 'no budget counts as 1', given: [1000, 3, 0], expected: 3000 },
    { name: 'no proxies count as 1', given: [1000, 0, 1], expected: 1000 },
    { name: 'no interval', given: [0, 10, 1], expected: 0 },
  ])('$name', ({ given, expected }) => {
    expect(stretch(...(given as [number, number, number]))).toBe(expected);
  });

  test('law: the fleet probes at most at its budget per interval, or each proxy once in 30 s', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60_000 }),
        fc.integer({ min: 1, max: 100_000 }),
        fc.integer({ min: 1, max: 1000 }),
        (interval, proxies, budget) => {
          const stretched = stretch(interval, proxies, budget);
          expect(stretched).toBeGreaterThanOrEqual(interval);
          const perInterval = (proxies / stretched) * interval;
          expect(perInterval <= budget + 1e-6 || stretched >= 30_000).toBe(true);
          expect(stretched).toBeLessThanOrEqual(Math.max(30_000, interval));
        },
      ),
    );
  });
});
