import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { type BreakerExports, Change, loadBreaker, Phase } from './breaker-module.ts';

const PROBES = 5;
const OPEN_MS = 5000;
const CAP_MS = 30_000;
const Jitter = { Full: 0, Equal: 1, Decorrelated: 2, None: 3 } as const;

let breaker: BreakerExports;
beforeAll(async () => {
  breaker = await loadBreaker();
});

interface Outage {
  /** Probes per second that one proxy sends. */
  readonly perSecond: number;
  /** Mean wait between its trials as if it were alone, ms. */
  readonly meanWaitMs: number;
}

/** One proxy, on its own, through a long outage in which each probe fails at once. */
function outage(proxies: number, budget: number, jitter: number, randoms: () => number, trials = 400): Outage {
  breaker.create(PROBES, 80, BigInt(OPEN_MS), BigInt(CAP_MS), 10_000n, 60_000n);
  breaker.setFleet(proxies, budget);
  breaker.setJitter(jitter);
  breaker.change(Change.Trip, breaker.epoch(), 0n, randoms());
  let now = 0n;
  let probes = 0;
  let aloneMs = 0;
  for (let trial = 0; trial < trials; trial++) {
    const waited = Number(breaker.waitMs());
    aloneMs += Math.min(waited, (waited * budget) / Math.max(proxies, budget));
    now += BigInt(waited);
    expect(breaker.change(Change.StartTrial, 0n, now, 0)).toBe(1);
    let inFlight = 0;
    while (breaker.change(Change.TakeProbe, 0n, now, 0) === 1) inFlight++;
    probes += inFlight;
    for (; inFlight > 0; inFlight--) {
      breaker.change(Change.ProbeFailed, breaker.epoch(), now, randoms());
      breaker.change(Change.EndProbe, 0n, now, 0);
    }
    expect(breaker.phase()).toBe(Phase.Open);
  }
  return { perSecond: (probes * 1000) / Number(now), meanWaitMs: aloneMs / trials };
}

describe('autonomous proxies together probe at most max(budget per wait, n per 30 s) in expectation (R8)', () => {
  const rows = [1, 2, 3, 5, 6, 10, 50, 1000].flatMap((proxies) => [1, 5, 20].map((budget) => ({ proxies, budget })));
  test.for(rows)('$proxies proxies, budget $budget', ({ proxies, budget }) => {
    let seed = proxies * 31 + budget;
    const randoms = (): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed / 2 ** 31;
    };
    for (const [name, jitter] of Object.entries(Jitter)) {
      const { perSecond, meanWaitMs } = outage(proxies, budget, jitter, randoms);
      const together = proxies * perSecond;
      // A wait that full jitter draws close to 0 is not stretched as far as 30 s: a few percent.
      const most = 1.05 * Math.max((budget * 1000) / meanWaitMs, proxies / 30);
      expect(together, `${name}: ${together.toFixed(3)} probes a second, mean wait ${meanWaitMs.toFixed(0)} ms`).toBeLessThanOrEqual(most);
    }
  });

  test('law: while the proxies are no more than the budget, so are the probes in flight, whatever the draws', () => {
    const small = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(small, small, fc.integer({ min: 1, max: 1000 }), (proxies, more, wanted) => {
        const budget = proxies + more;
        expect(proxies * breaker.trialOf(wanted, proxies, budget, 0)).toBeLessThanOrEqual(budget);
      }),
    );
  });
});
