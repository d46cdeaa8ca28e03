import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { expectClean, feature, scene } from '../../filter/stream/scene.ts';
import { draftOf, historyOf, START_MS, tripOf, windowAt } from './recorded.ts';

afterEach(expectClean);

/** As long as any window: what leaves it may make what stays the worse. */
const QUIET: Second[] = Array.from({ length: 10 }, () => []);

/** Outcomes of one second, in the order in which they came. */
type Second = readonly ('good' | 'bad')[];

const outcome = fc.constantFrom('good' as const, 'bad' as const);
const mixed = fc.array(outcome, { maxLength: 12 });
/** Where all of a second ended alike, no order is left open. */
const plain = fc.tuple(outcome, fc.nat(12)).map(([kind, count]): Second => Array.from({ length: count }, () => kind));
const breakers = fc.record({
  minimumRequests: fc.integer({ min: 1, max: 25 }),
  failureRatePercent: fc.integer({ min: 10, max: 90 }),
  windowMs: fc.constantFrom(2000, 5000, 10_000),
  buckets: fc.constantFrom(2, 5, 10),
});

/** The second in which the release module trips in the emulated Envoy; null: it does not. */
function secondOfFilter(breaker: object, seconds: readonly Second[]): number | null {
  const it = scene({
    features: [
      feature('catalog', { breaker: { ...breaker, consecutiveFailures: 0, openMs: 600_000, openCapMs: 600_000, jitter: 'none' } }),
    ],
  });
  for (const [second, outcomes] of [...seconds, ...QUIET].entries()) {
    for (const kind of outcomes) it[kind]('/catalog');
    it.advance((second + 1) * 1000 - 1 - it.proxy.clock.nowMs); // counters are flushed meanwhile
    if (it.metric('transitions_total', { to: 'OPEN' }) > 0) return second;
    it.advance(1);
  }
  return null;
}

function recorded(seconds: readonly Second[]) {
  const count = (outcomes: Second, kind: string) => outcomes.filter((each) => each === kind).length;
  return historyOf(
    seconds.map((outcomes, second) => windowAt(second, { succeeded: count(outcomes, 'good'), failed: count(outcomes, 'bad') })),
  );
}

const RUNS = { numRuns: 60 };

test('law: the filter trips within what the replay of the same requests answers', () => {
  fc.assert(
    fc.property(breakers, fc.array(mixed, { minLength: 1, maxLength: 15 }), (breaker, seconds) => {
      const filter = secondOfFilter(breaker, seconds);
      const answer = tripOf(draftOf(breaker), recorded(seconds));
      if (filter !== null) expect(answer?.from).toBeLessThanOrEqual(filter);
      if (answer && answer.certainBy !== null) expect(filter ?? Number.POSITIVE_INFINITY).toBeLessThan(answer.certainBy);
    }),
    RUNS,
  );
});

test('law: where the order is known, the replay trips in the very second of the filter', () => {
  let exact = 0;
  fc.assert(
    fc.property(breakers, fc.array(plain, { minLength: 1, maxLength: 15 }), (breaker, seconds) => {
      const answer = tripOf(draftOf(breaker), recorded(seconds));
      const filter = secondOfFilter(breaker, seconds);
      // Whether a tick sees what has left before the next outcome comes stays open.
      if (answer && answer.certainBy !== answer.from + 1) return void (filter !== null && expect(answer.from).toBeLessThanOrEqual(filter));
      exact++;
      expect(answer && [answer.from, answer.certainBy]).toEqual(expected(filter));
    }),
    RUNS,
  );
  expect(exact).toBeGreaterThan(RUNS.numRuns / 2);
});

const expected = (second: number | null) => (second === null ? null : [second, second + 1]);

test('the emulated clock begins where a bucket of any window does', () => {
  const it = scene({});
  expect(Number(it.proxy.clock.monotonicNs / 1_000_000n)).toBe(START_MS);
});
