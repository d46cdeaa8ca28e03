import type { Feature } from '../contract/policy.ts';
import { FINE_MS } from '../domain/history/series.ts';
import type { HistoryWindow } from '../domain/history/window.ts';
import type { FilterBreaker } from './breaker.ts';
import type { ReplayEvent } from './events.ts';
import { slowWithin } from './slow.ts';

export type Criterion = 'failure-rate' | 'slow-rate' | 'consecutive-failures';

/** How the outcomes of one window are put in order, which is not recorded: as likely as can be to trip, or as unlikely. */
export type Order = 'worst' | 'mildest';

/** Where a replay tripped, with the filter's window at that moment. */
export interface Trip {
  readonly fromMs: number;
  readonly toMs: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly slow: number;
  readonly consecutiveFailures: number;
}

/** Outcomes of one window; of the failed ones some are slow too. */
interface Outcomes {
  readonly succeeded: number;
  readonly failed: number;
  readonly slow: number;
}

/** A draft of a feature, and what it is held against. */
export interface Replayed {
  readonly feature: Feature;
  /** From where on an answer is slow; null: none is. */
  readonly slowMs: number | 'as-recorded' | null;
  readonly events: readonly ReplayEvent[];
  /** End of what is known. */
  readonly untilMs: number;
}

const NEVER = 2 ** 30;
const ABOVE_ALL_PERCENT = 101;

/** Runs one criterion of a draft over the events, in one order, with the breaker of the filter; null: it does not trip. */
export function replay(
  breaker: FilterBreaker,
  { feature, slowMs, events, untilMs }: Replayed,
  criterion: Criterion,
  order: Order,
): Trip | null {
  const scale = scaleOf(events);
  begin(breaker, feature, criterion, scale);
  for (const event of events) {
    const startMs = 'gap' in event ? event.gap.fromMs : event.window.atMs;
    const elapsedMs = elapse(breaker, startMs, order);
    if (elapsedMs >= 0) return { fromMs: elapsedMs, toMs: elapsedMs + FINE_MS, ...seen(breaker, scale) };
    if ('gap' in event) {
      breaker.forget(event.gap.toMs);
      continue;
    }
    const { window } = event;
    const scaled = (count: number) => Math.round(count / scale);
    const { succeeded, failed } = window.counts;
    const slow = slowWithin(window, slowMs, order === 'worst' ? 'most' : 'least');
    const outcomes = {
      succeeded: scaled(succeeded),
      failed: scaled(failed),
      slow: Math.min(scaled(slow), scaled(succeeded) + scaled(failed)),
    };
    if (feed(breaker, feature, window, outcomes, criterion, order, scale))
      return { fromMs: window.atMs, toMs: window.atMs + window.lengthMs, ...seen(breaker, scale) };
  }
  const elapsedMs = breaker.elapse(untilMs);
  return elapsedMs < 0 ? null : { fromMs: elapsedMs, toMs: elapsedMs + FINE_MS, ...seen(breaker, scale) };
}

/** Up to the start of a window. Mildest: its outcomes come before the tick that would judge what left just then. */
function elapse(breaker: FilterBreaker, startMs: number, order: Order): number {
  if (order === 'worst') return breaker.elapse(startMs);
  const elapsedMs = breaker.elapse(startMs - 1);
  breaker.pass(startMs);
  return elapsedMs;
}

/** Outcomes of a window beyond this many are recorded in proportion. */
const MOST_OUTCOMES = 500;

/** By how much all counts, and the thresholds that are counts, are divided. */
export function scaleOf(events: readonly ReplayEvent[]): number {
  let most = 0;
  for (const event of events) if ('window' in event) most = Math.max(most, event.window.counts.succeeded + event.window.counts.failed);
  return Math.max(1, Math.ceil(most / MOST_OUTCOMES));
}

function begin(breaker: FilterBreaker, { breaker: settings }: Feature, criterion: Criterion, scale: number): void {
  const { windowMs, buckets, failureRatePercent, slowRatePercent, consecutiveFailures } = settings;
  const minimum = minimumOf(settings.minimumRequests, scale);
  const row = Math.max(1, Math.ceil(consecutiveFailures / scale));
  switch (criterion) {
    case 'failure-rate':
      breaker.begin(windowMs, buckets, minimum, failureRatePercent, ABOVE_ALL_PERCENT, 0, false);
      break;
    case 'slow-rate':
      breaker.begin(windowMs, buckets, minimum, ABOVE_ALL_PERCENT, slowRatePercent, 0, true);
      break;
    case 'consecutive-failures':
      breaker.begin(windowMs, buckets, NEVER, ABOVE_ALL_PERCENT, ABOVE_ALL_PERCENT, row, false);
  }
}

function minimumOf(minimumRequests: number, scale: number): number {
  return Math.ceil(minimumRequests / scale);
}

/** Records one window; true when it trips. */
function feed(
  breaker: FilterBreaker,
  feature: Feature,
  { atMs, lengthMs }: HistoryWindow,
  outcomes: Outcomes,
  criterion: Criterion,
  order: Order,
  scale: number,
): boolean {
  if (order === 'worst' || lengthMs <= FINE_MS) {
    return feedAt(breaker, atMs, outcomes, criterion, order, minimumOf(feature.breaker.minimumRequests, scale), feature);
  }
  const parts = lengthMs / FINE_MS;
  for (let part = 0; part < parts; part++) {
    const share = (count: number) => Math.floor(((part + 1) * count) / parts) - Math.floor((part * count) / parts);
    const some = { succeeded: share(outcomes.succeeded), failed: share(outcomes.failed), slow: share(outcomes.slow) };
    const minimum = minimumOf(feature.breaker.minimumRequests, scale);
    if (feedAt(breaker, atMs + part * FINE_MS, some, criterion, order, minimum, feature)) return true;
  }
  return false;
}

/** A run of outcomes of one kind. */
type Run = readonly [count: number, failed: boolean, slow: boolean];

function feedAt(
  breaker: FilterBreaker,
  atMs: number,
  outcomes: Outcomes,
  criterion: Criterion,
  order: Order,
  minimum: number,
  { breaker: { consecutiveFailures } }: Feature,
): boolean {
  if (elapse(breaker, atMs, order) >= 0) return true;
  const before = breaker.succeeded() + breaker.failed();
  const runs =
    criterion === 'consecutive-failures'
      ? inARow(outcomes, breaker.consecutiveFailures() + outcomes.failed >= consecutiveFailures)
      : byRate(kindsOf(outcomes, criterion), minimum - before, order);
  return runs.some(([count, failed, slow]) => count > 0 && breaker.record(count, failed, slow) !== 0) || breaker.judge() !== 0;
}

/** Failures first if they complete the row of the windows before, else last, where those of the next window may join them. */
function inARow({ succeeded, failed }: Outcomes, completesRow: boolean): Run[] {
  const good: Run = [succeeded, false, false];
  const bad: Run = [failed, true, false];
  return completesRow ? [bad, good] : [good, bad];
}

/** The outcomes that a criterion counts, and the others. */
interface Kinds {
  readonly bad: readonly Run[];
  readonly good: readonly Run[];
}

function kindsOf({ succeeded, failed, slow }: Outcomes, criterion: Criterion): Kinds {
  if (criterion === 'failure-rate') return { bad: [[failed, true, false]], good: [[succeeded, false, false]] };
  const slowFailed = Math.min(failed, slow);
  const slowSucceeded = slow - slowFailed;
  return {
    bad: [
      [slowFailed, true, true],
      [slowSucceeded, false, true],
    ],
    good: [
      [failed - slowFailed, true, false],
      [succeeded - slowSucceeded, false, false],
    ],
  };
}

/**
 * A rate is judged once there are `missing` outcomes: with each bad one, and at the end. Worst: just as many good ones as are needed for
 * that come first. Mildest: all good ones come first.
 */
function byRate({ bad, good }: Kinds, missing: number, order: Order): Run[] {
  if (order === 'mildest') return [...good, ...bad];
  const badCount = bad.reduce((total, [count]) => total + count, 0);
  const [first, rest] = split(good, Math.max(0, missing - badCount));
  return [...first, ...bad, ...rest];
}

function split(runs: readonly Run[], count: number): [Run[], Run[]] {
  const first: Run[] = [];
  const rest: Run[] = [];
  let left = count;
  for (const [size, failed, slow] of runs) {
    const taken = Math.min(size, left);
    left -= taken;
    first.push([taken, failed, slow]);
    rest.push([size - taken, failed, slow]);
  }
  return [first, rest];
}

function seen(breaker: FilterBreaker, scale: number): Omit<Trip, 'fromMs' | 'toMs'> {
  return {
    succeeded: breaker.succeeded() * scale,
    failed: breaker.failed() * scale,
    slow: breaker.slow() * scale,
    consecutiveFailures: breaker.consecutiveFailures() * scale,
  };
}
