import type { Counts } from './model.ts';

export const NO_COUNTS: Counts = { admitted: 0, succeeded: 0, failed: 0, ignored: 0, slow: 0, refused: 0 };

export function plus(a: Counts, b: Counts): Counts {
  return {
    admitted: a.admitted + b.admitted,
    succeeded: a.succeeded + b.succeeded,
    failed: a.failed + b.failed,
    ignored: a.ignored + b.ignored,
    slow: a.slow + b.slow,
    refused: a.refused + b.refused,
  };
}

export function minus(a: Counts, b: Counts): Counts {
  return {
    admitted: a.admitted - b.admitted,
    succeeded: a.succeeded - b.succeeded,
    failed: a.failed - b.failed,
    ignored: a.ignored - b.ignored,
    slow: a.slow - b.slow,
    refused: a.refused - b.refused,
  };
}

/** A sum in the making. */
export type Tally = { -readonly [K in keyof Counts]: Counts[K] };

export function newTally(): Tally {
  return { admitted: 0, succeeded: 0, failed: 0, ignored: 0, slow: 0, refused: 0 };
}

export function addTo(tally: Tally, counts: Counts): void {
  tally.admitted += counts.admitted;
  tally.succeeded += counts.succeeded;
  tally.failed += counts.failed;
  tally.ignored += counts.ignored;
  tally.slow += counts.slow;
  tally.refused += counts.refused;
}

export function sum(all: Iterable<Counts>): Counts {
  const total = newTally();
  for (const counts of all) addTo(total, counts);
  return total;
}

/** Outcomes that count: ignored ones count neither way. */
export function outcomes(counts: Counts): number {
  return counts.succeeded + counts.failed;
}

/** Requests that wanted to reach the upstream. */
export function demand(counts: Counts): number {
  return counts.admitted + counts.refused;
}

/** Share of failed outcomes in percent; 0 without an outcome. */
export function failurePercent(counts: Counts): number {
  return percentOf(counts.failed, outcomes(counts));
}

/** Share of slow outcomes in percent; 0 without an outcome. */
export function slowPercent(counts: Counts): number {
  return percentOf(counts.slow, outcomes(counts));
}

function percentOf(part: number, whole: number): number {
  return whole === 0 ? 0 : (100 * part) / whole;
}
