import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type BreakerExports, loadBreaker, Phase } from './breaker-module.ts';

let breaker: BreakerExports;

beforeAll(async () => {
  breaker = await loadBreaker();
});

const fiveProbes = () => breaker.create(5, 80, 1000n, 8000n, 10_000n, 60_000n);

beforeEach(fiveProbes);

describe('a window trips', () => {
  test.each([
    { name: 'at the failure rate', of: [5, 5, 0, 1], slow: false, trips: true },
    { name: 'not below it', of: [6, 5, 0, 1], slow: false, trips: false },
    { name: 'not with too few outcomes', of: [0, 4, 0, 4], slow: false, trips: false },
    { name: 'by failures in a row, however few outcomes', of: [0, 5, 0, 5], slow: false, trips: true },
    { name: 'at the slow rate', of: [10, 0, 4, 0], slow: true, trips: true },
    { name: 'never by slowness that is not judged', of: [10, 0, 10, 0], slow: false, trips: false },
  ] as const)('$name', ({ of: [succeeded, failed, slow, inARow], slow: judgesSlow, trips }) => {
    expect(breaker.judges(succeeded, failed, slow, inARow, judgesSlow)).toBe(trips ? 1 : 0);
  });
});

describe('OPEN', () => {
  test('lasts longer with each trip in a row, up to the cap', () => {
    const waits = [0, 1, 2, 3, 4].map(() => {
      breaker.tripNow(0n, 1 - Number.EPSILON);
      return Number(breaker.waitMs());
    });
    expect(waits).toEqual([999, 1999, 3999, 7999, 7999].map((ms) => expect.closeTo(ms, -1)));
  });

  test('starts from the base again after a stable time CLOSED', () => {
    for (let i = 0; i < 4; i++) breaker.tripNow(0n, 0);
    breaker.closeNow(100n, 10_000);
    breaker.tripNow(100n + 60_000n, 0);
    expect(breaker.waitMs()).toBe(500n);
  });

  test('goes on growing when CLOSED did not last', () => {
    for (let i = 0; i < 2; i++) breaker.tripNow(0n, 0);
    breaker.closeNow(100n, 10_000);
    breaker.tripNow(100n + 59_999n, 0);
    expect(breaker.waitMs()).toBe(2000n);
  });
});

describe('a trial of five probes that needs four', () => {
  beforeEach(() => {
    breaker.tripNow(0n, 0);
    breaker.startTrial();
  });

  const takeAll = () => [1, 2, 3, 4, 5, 6].map(() => breaker.probe(0n));

  test('gives out five and no more', () => {
    expect(takeAll()).toEqual([1, 1, 1, 1, 1, 0]);
  });

  test('closes with the fourth success, though one fails', () => {
    takeAll();
    expect([true, false, true, true, true].map((ok) => breaker.settle(ok))).toEqual([0, 0, 0, 0, 1]);
  });

  test('opens again as soon as four can no longer succeed', () => {
    takeAll();
    expect([false, false].map((ok) => breaker.settle(ok))).toEqual([0, -1]);
  });

  test('a probe that says nothing is given back', () => {
    takeAll();
    breaker.giveBack();
    expect([breaker.probe(0n), breaker.probe(0n)]).toEqual([1, 0]);
  });

  test('probes without an outcome are given out anew, a timeout after the last one', () => {
    takeAll();
    breaker.settle(true);
    expect(breaker.rearm(999n)).toBe(0);
    expect(breaker.rearm(1000n)).toBe(1);
    expect([1, 2, 3, 4, 5].map(() => breaker.probe(1000n))).toEqual([1, 1, 1, 1, 0]);
  });
});

test('after closing, traffic comes back linearly', () => {
  breaker.closeNow(1000n, 1000);
  expect([1000n, 6000n, 11_000n].map((at) => breaker.admitted(at))).toEqual([1000, 5500, 10_000]);
});

test('a permit passes once, for its step and in its time', () => {
  breaker.permit(1, 7n, 500n);
  expect(breaker.usePermit(0n)).toBe(0); // of another step
  breaker.permit(1, -1n, 500n);
  expect(breaker.usePermit(500n)).toBe(0); // too late
  expect([breaker.usePermit(499n), breaker.usePermit(499n)]).toEqual([1, 0]);
});

test('law: the epoch only grows, and never do more probes pass in one epoch than the policy has', () => {
  const event = fc.oneof(
    fc.record({
      kind: fc.constantFrom('trip', 'trial', 'close', 'probe', 'good', 'bad', 'back', 'rearm'),
      ms: fc.integer({ min: 0, max: 400 }),
    }),
  );
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), (events) => {
      fiveProbes();
      let now = 0n;
      let epoch = breaker.epoch();
      let inFlight = 0;
      for (const { kind, ms } of events) {
        now += BigInt(ms);
        if (kind === 'trip') breaker.tripNow(now, 0.5);
        if (kind === 'trial' && breaker.phase() === Phase.Open) breaker.startTrial();
        if (kind === 'close') breaker.closeNow(now, 10_000);
        if (kind === 'probe' && breaker.probe(now) === 1) inFlight++;
        if (kind === 'rearm' && breaker.rearm(now) === 1) inFlight = 0;
        if ((kind === 'good' || kind === 'bad') && inFlight > 0 && breaker.phase() === Phase.HalfOpen) {
          inFlight--;
          breaker.settle(kind === 'good');
        }
        if (kind === 'back' && inFlight > 0) {
          inFlight--;
          breaker.giveBack();
        }
        expect(breaker.epoch() >= epoch).toBe(true);
        if (breaker.epoch() !== epoch) inFlight = 0;
        epoch = breaker.epoch();
        expect(inFlight).toBeLessThanOrEqual(5);
      }
    }),
  );
});
