import type { ASUtil } from '@assemblyscript/loader';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadFilter } from '../compile.ts';

interface WindowExports {
  create(windowMs: bigint, buckets: number): void;
  record(nowMs: bigint, failed: boolean, slow: boolean): void;
  recordTimes(times: number, startMs: bigint, stepMs: bigint, failed: boolean): void;
  advance(nowMs: bigint): void;
  clear(): void;
  succeeded(): number;
  failed(): number;
  slow(): number;
  consecutiveFailures(): number;
  mark(): number;
}

interface Entry {
  at: number;
  failed: boolean;
  slow: boolean;
}

let filter: ASUtil & WindowExports;

beforeAll(async () => {
  filter = await loadFilter<WindowExports>('domain-window');
});

const totals = () => ({
  succeeded: filter.succeeded(),
  failed: filter.failed(),
  slow: filter.slow(),
  inARow: filter.consecutiveFailures(),
});
const record = ({ at, failed, slow }: Entry) => filter.record(BigInt(at), failed, slow);
const fail = (at: number): Entry => ({ at, failed: true, slow: false });
const succeed = (at: number): Entry => ({ at, failed: false, slow: false });

describe('a window of 1 s in 10 buckets', () => {
  const rows: { name: string; entries: Entry[]; now: number; expected: ReturnType<typeof totals> }[] = [
    { name: 'counts', entries: [fail(5), succeed(5), fail(6)], now: 6, expected: { succeeded: 1, failed: 2, slow: 0, inARow: 1 } },
    {
      name: 'a slow success is slow and a success',
      entries: [{ at: 0, failed: false, slow: true }],
      now: 0,
      expected: { succeeded: 1, failed: 0, slow: 1, inARow: 0 },
    },
    {
      name: 'keeps what is younger than the window',
      entries: [fail(5100), fail(5950)],
      now: 6099,
      expected: { succeeded: 0, failed: 2, slow: 0, inARow: 2 },
    },
    {
      name: 'forgets one bucket at a time',
      entries: [fail(5100), fail(5950)],
      now: 6100,
      expected: { succeeded: 0, failed: 1, slow: 0, inARow: 2 },
    },
    {
      name: 'an idle window forgets the failures in a row as well',
      entries: [fail(5100), fail(5110)],
      now: 6100,
      expected: { succeeded: 0, failed: 0, slow: 0, inARow: 0 },
    },
    {
      name: 'an idle hour forgets everything',
      entries: [fail(5100), succeed(5900)],
      now: 3_605_900,
      expected: { succeeded: 0, failed: 0, slow: 0, inARow: 0 },
    },
    {
      name: 'a clock that goes back a little goes on in the newest bucket',
      entries: [fail(5900), fail(5000)],
      now: 5999,
      expected: { succeeded: 0, failed: 2, slow: 0, inARow: 2 },
    },
    {
      name: 'a clock that goes back a whole window starts anew',
      entries: [fail(50_000), fail(5000)],
      now: 5000,
      expected: { succeeded: 0, failed: 1, slow: 0, inARow: 1 },
    },
    { name: 'times before 0', entries: [fail(-5000), fail(-4950)], now: -4950, expected: { succeeded: 0, failed: 2, slow: 0, inARow: 2 } },
  ];
  test.for(rows)('$name', ({ entries, now, expected }) => {
    filter.create(1000n, 10);
    entries.forEach(record);
    filter.advance(BigInt(now));
    expect(totals()).toEqual(expected);
  });

  test('clear() leaves nothing', () => {
    filter.create(1000n, 10);
    for (let i = 0; i < 30; i++) record(fail(i * 40));
    filter.clear();
    expect(totals()).toEqual({ succeeded: 0, failed: 0, slow: 0, inARow: 0 });
    record(succeed(1200));
    filter.advance(2199n);
    expect(totals().succeeded).toBe(1);
  });
});

test.for([
  { name: 'no buckets', windowMs: 1000n, buckets: 0 },
  { name: 'negative buckets', windowMs: 1000n, buckets: -3 },
  { name: 'more buckets than milliseconds', windowMs: 5n, buckets: 60 },
  { name: 'no window', windowMs: 0n, buckets: 10 },
])('$name still counts', ({ windowMs, buckets }) => {
  filter.create(windowMs, buckets);
  record(fail(7));
  expect(filter.failed()).toBe(1);
});

test('counters stop before they overflow, and forget what they counted', () => {
  const buckets = 1_000_000; // so that a bucket is full at 2,147
  filter.create(BigInt(buckets), buckets);
  filter.recordTimes(3000, 0n, 0n, true);
  filter.recordTimes(3000, 1n, 0n, false);
  expect(totals()).toEqual({ succeeded: 2147, failed: 2147, slow: 4294, inARow: 0 });
  filter.advance(BigInt(buckets));
  expect(totals()).toEqual({ succeeded: 2147, failed: 0, slow: 2147, inARow: 0 });
});

describe('laws', () => {
  const entry = fc.record({ gap: fc.oneof(fc.nat(50), fc.nat(400), fc.nat(5000)), failed: fc.boolean(), slow: fc.boolean() });

  /** What the window must hold at `now`, counted from the whole history. */
  function expected(history: Entry[], now: number, bucketMs: number, buckets: number): ReturnType<typeof totals> {
    const bucketOf = (at: number) => Math.floor(at / bucketMs);
    const held = history.filter(({ at }) => bucketOf(at) > bucketOf(now) - buckets);
    let inARow = 0;
    let last = now;
    for (const { at, failed } of [...history].reverse()) {
      if (!failed || bucketOf(last) - bucketOf(at) >= buckets) break;
      inARow++;
      last = at;
    }
    const failed = held.filter((one) => one.failed).length;
    return { succeeded: held.length - failed, failed, slow: held.filter((one) => one.slow).length, inARow };
  }

  test('totals are those of the history', () => {
    fc.assert(
      fc.property(
        fc.array(entry, { maxLength: 60 }),
        fc.nat(3000),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 100 }),
        (entries, idle, buckets, bucketMs) => {
          filter.create(BigInt(bucketMs * buckets), buckets);
          const history: Entry[] = [];
          let now = 0;
          for (const { gap, failed, slow } of entries) {
            now += gap;
            history.push({ at: now, failed, slow });
            record(history.at(-1)!);
            expect(totals()).toEqual(expected(history, now, bucketMs, buckets));
          }
          now += idle;
          filter.advance(BigInt(now));
          expect(totals()).toEqual(expected(history, now, bucketMs, buckets));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('no clock makes it trap or count what was not recorded', () => {
    const anyTime = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    fc.assert(
      fc.property(fc.array(fc.tuple(anyTime, fc.boolean())), anyTime, (entries, now) => {
        filter.create(1000n, 10);
        entries.forEach(([at, failed], i) => {
          filter.record(at, failed, true);
          const { succeeded, failed: failures, slow, inARow } = totals();
          expect(succeeded + failures).toBe(slow);
          expect(slow).toBeGreaterThanOrEqual(1);
          expect(slow).toBeLessThanOrEqual(i + 1);
          expect(inARow > 0).toBe(failed);
        });
        filter.advance(now);
        expect(totals().slow).toBeLessThanOrEqual(entries.length);
      }),
    );
  });
});

test('a million records allocate nothing', async () => {
  const stub = await loadFilter<WindowExports>('domain-window', 'stub');
  stub.create(10_000n, 10);
  const apart = stub.mark() - stub.mark();
  const before = stub.mark();
  stub.recordTimes(1_000_000, 0n, 7n, true);
  expect(before - stub.mark()).toBe(apart);
  expect(stub.failed()).toBeGreaterThan(1000);
});
