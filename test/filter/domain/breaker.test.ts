import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type BreakerExports, Change, loadBreaker, Phase } from './breaker-module.ts';

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
    expect(breaker.reachesPart(100, succeeded, failed, slow, inARow, judgesSlow)).toBe(trips ? 1 : 0);
  });
});

describe('a window is near a trip', () => {
  test.each([
    { name: 'at half the failure rate', of: [15, 5, 0, 1], near: true },
    { name: 'not below it', of: [16, 5, 0, 1], near: false },
    { name: 'with half the minimum of outcomes', of: [3, 2, 0, 1], near: true },
    { name: 'not with fewer', of: [2, 2, 0, 1], near: false },
    { name: 'by half the failures in a row', of: [0, 3, 0, 3], near: true },
    { name: 'not by one less', of: [0, 2, 0, 2], near: false },
    { name: 'at half the slow rate', of: [16, 0, 4, 0], near: true },
    { name: 'not when nothing failed', of: [1000, 0, 0, 0], near: false },
    { name: 'not when there is nothing', of: [0, 0, 0, 0], near: false },
  ] as const)('$name', ({ of: [succeeded, failed, slow, inARow], near }) => {
    expect(breaker.reachesPart(50, succeeded, failed, slow, inARow, true)).toBe(near ? 1 : 0);
  });

  test('law: what trips is near a trip, by whatever part', () => {
    const counts = fc.tuple(fc.nat(1000), fc.nat(1000), fc.nat(1000), fc.nat(50));
    fc.assert(
      fc.property(counts, fc.integer({ min: 1, max: 100 }), fc.boolean(), ([succeeded, failed, slow, inARow], percent, judgesSlow) => {
        if (breaker.reachesPart(100, succeeded, failed, slow, inARow, judgesSlow) === 0) return;
        expect(breaker.reachesPart(percent, succeeded, failed, slow, inARow, judgesSlow)).toBe(1);
      }),
    );
  });

  test('is noted for all workers while CLOSED in that epoch, and forgotten with the phase', () => {
    expect(breaker.change(Change.Guard, 7n, 0n, 0), 'of another epoch').toBe(0);
    expect(breaker.change(Change.Guard, 1n, 0n, 0)).toBe(1);
    expect(breaker.change(Change.Guard, 1n, 0n, 0), 'already').toBe(0);
    expect(breaker.guarded()).toBe(1);
    expect(breaker.change(Change.Unguard, 1n, 0n, 0)).toBe(1);
    breaker.change(Change.Guard, 1n, 0n, 0);
    breaker.change(Change.Trip, 1n, 0n, 0);
    expect([breaker.phase(), breaker.guarded()]).toEqual([Phase.Open, 0]);
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
    const phases = [true, false, true, true, true].map((ok) => {
      breaker.settle(ok);
      return breaker.phase();
    });
    expect(phases).toEqual([Phase.HalfOpen, Phase.HalfOpen, Phase.HalfOpen, Phase.HalfOpen, Phase.Closed]);
  });

  test('opens again as soon as four can no longer succeed', () => {
    takeAll();
    breaker.settle(false);
    expect(breaker.phase()).toBe(Phase.HalfOpen);
    breaker.settle(false);
    expect(breaker.phase()).toBe(Phase.Open);
  });

  test('a probe that says nothing is given back', () => {
    takeAll();
    breaker.giveBack();
    expect([breaker.probe(0n), breaker.probe(0n)]).toEqual([1, 0]);
  });

  test('probes without an outcome are given out anew, a little more than a timeout after the last one', () => {
    takeAll();
    breaker.settle(true);
    expect(breaker.rearm(1249n)).toBe(0);
    expect(breaker.rearm(1250n)).toBe(1);
    expect([1, 2, 3, 4, 5].map(() => breaker.probe(1250n))).toEqual([1, 1, 1, 1, 0]);
  });
});

describe('probes that an upstream which hangs still holds', () => {
  const trialAfter = (ended: number): number => {
    breaker.tripNow(0n, 0);
    breaker.startTrial();
    for (let i = 0; i < 5; i++) breaker.probe(0n);
    breaker.settle(false);
    breaker.settle(false);
    for (let i = 0; i < ended; i++) breaker.endOne();
    breaker.startTrial();
    let given = 0;
    while (breaker.probe(0n) === 1) given++;
    return given;
  };

  test.for([
    { ended: 5, given: 5 },
    { ended: 2, given: 2 },
    { ended: 0, given: 1 },
  ])('$ended of five ended: the next trial has $given', ({ ended, given }) => {
    expect(trialAfter(ended)).toBe(given);
  });

  test('are forgotten when the breaker closes: those of a dead worker never end', () => {
    trialAfter(0);
    breaker.closeNow(0n, 10_000);
    expect(breaker.probesInFlight()).toBe(0);
    expect(breaker.endOne()).toBe(0);
  });

  test('law: never are more in flight than a trial has, and one for each trial in which all of them still were', () => {
    const event = fc.record({ kind: fc.constantFrom('trip', 'trial', 'probe', 'end', 'bad'), times: fc.integer({ min: 1, max: 6 }) });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        fiveProbes();
        let inFlight = 0;
        let crowded = 0;
        for (const { kind, times } of events) {
          for (let i = 0; i < times; i++) {
            if (kind === 'trip' && breaker.phase() === Phase.Closed) breaker.tripNow(0n, 0);
            if (kind === 'trial' && breaker.phase() === Phase.Open) {
              breaker.startTrial();
              if (inFlight >= 5) crowded++;
            }
            if (kind === 'probe' && breaker.probe(0n) === 1) inFlight++;
            if (kind === 'end' && breaker.endOne() === 1) inFlight--;
            if (kind === 'bad' && inFlight > 0 && breaker.phase() === Phase.HalfOpen) breaker.settle(false);
          }
          expect(breaker.probesInFlight()).toBe(inFlight);
          expect(inFlight).toBeLessThanOrEqual(5 + crowded);
        }
      }),
    );
  });
});

describe("a proxy's part of the fleet's budget (R8)", () => {
  test.for([
    { proxies: 0, budget: 5, wanted: 7, is: 7, why: 'the fleet is not known' },
    { proxies: 1, budget: 5, wanted: 3, is: 3, why: 'the budget is larger' },
    { proxies: 1, budget: 2, wanted: 3, is: 2, why: 'alone it has all of the budget' },
    { proxies: 2, budget: 5, wanted: 5, is: 2, why: 'half of it' },
    { proxies: 5, budget: 5, wanted: 5, is: 1, why: 'one each' },
    { proxies: 500, budget: 5, wanted: 5, is: 1, why: 'fewer than one: the wait is stretched instead' },
    { proxies: 2 ** 31 - 1, budget: 1, wanted: 1000, is: 1, why: 'huge' },
  ])('$is of $wanted with $proxies proxies and a budget of $budget: $why', ({ proxies, budget, wanted, is }) => {
    expect(breaker.trialOf(wanted, proxies, budget, 0)).toBe(is);
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
