import type { Feature } from '../contract/policy.ts';
import type { FeatureHistory } from '../domain/history/history.ts';
import { FINE_MS } from '../domain/history/series.ts';
import type { FilterBreaker } from './breaker.ts';
import { eventsOf, type ReplayEvent, type UnknownSpan, unknownSpans } from './events.ts';
import { type Criterion, type Replayed, replay, scaleOf, type Trip } from './replay.ts';

/** Where a breaker would have tripped first. */
export interface FirstTrip {
  /** The window in which it can have been, at the earliest. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly because: Criterion;
  /** By then it must have been, in whatever order requests ended; null: it need not have been at all. */
  readonly certainByMs: number | null;
  /** The breaker's window at that moment, and the limit that it reached. */
  readonly numbers: Readonly<Record<string, number>>;
}

export interface FeatureSimulation {
  readonly feature: string;
  readonly firstTrip: FirstTrip | null;
  readonly unknown: readonly UnknownSpan[];
  readonly requests: number;
  /** Counts were divided by this, to stay within a bounded time. */
  readonly scale: number;
}

/** What a draft of a feature (`before`: as the present policy has it) would have made of what was recorded, up to its first trip: what comes after cannot be known. */
export function simulateFeature(
  breaker: FilterBreaker,
  draft: Feature,
  before: Feature | null,
  history: FeatureHistory,
  fromMs: number,
  nowMs: number,
): FeatureSimulation {
  const events = eventsOf(history, fromMs, nowMs);
  return {
    feature: draft.name,
    firstTrip: firstTripOf(breaker, { feature: draft, slowMs: slowOf(draft, before), events, untilMs: nowMs }),
    unknown: unknownSpans(events),
    requests: events.reduce((total, event) => total + requestsOf(event), 0),
    scale: scaleOf(events),
  };
}

function firstTripOf(breaker: FilterBreaker, replayed: Replayed): FirstTrip | null {
  const draft = replayed.feature;
  const run = (criterion: Criterion, order: 'worst' | 'mildest') => {
    const trip = replay(breaker, replayed, criterion, order);
    return trip ? [{ criterion, trip }] : [];
  };
  const rates = criteriaOf(draft).filter((criterion) => criterion !== 'consecutive-failures'); // a row depends on the order alone
  const earliest = criteriaOf(draft)
    .flatMap((criterion) => run(criterion, 'worst'))
    .sort(byTime)[0];
  if (!earliest) return null;
  const certain = rates.flatMap((criterion) => run(criterion, 'mildest')).sort(byTime)[0];
  return {
    fromMs: earliest.trip.fromMs,
    toMs: earliest.trip.toMs,
    because: earliest.criterion,
    certainByMs: certain && isSure(certain.trip) ? certain.trip.toMs : null,
    numbers: numbersOf(draft, earliest.criterion, earliest.trip),
  };
}

function slowOf({ failure: { slowMs } }: Feature, before: Feature | null): Replayed['slowMs'] {
  if (slowMs === undefined) return null;
  return slowMs === before?.failure.slowMs ? 'as-recorded' : slowMs;
}

function criteriaOf({ failure, breaker }: Feature): Criterion[] {
  const criteria: Criterion[] = ['failure-rate'];
  if (failure.slowMs !== undefined) criteria.push('slow-rate');
  if (breaker.consecutiveFailures > 0) criteria.push('consecutive-failures');
  return criteria;
}

function byTime(a: { readonly trip: Trip }, b: { readonly trip: Trip }): number {
  return a.trip.fromMs - b.trip.fromMs;
}

/** Sums of ten seconds leave open how the requests lay within them. */
function isSure({ fromMs, toMs }: Trip): boolean {
  return toMs - fromMs <= FINE_MS;
}

function numbersOf({ breaker }: Feature, criterion: Criterion, { succeeded, failed, slow, consecutiveFailures }: Trip) {
  const samples = succeeded + failed;
  switch (criterion) {
    case 'failure-rate':
      return { observedPercent: percent(failed, samples), limitPercent: breaker.failureRatePercent, samples };
    case 'slow-rate':
      return { observedPercent: percent(slow, samples), limitPercent: breaker.slowRatePercent, samples };
    case 'consecutive-failures':
      return { observed: consecutiveFailures, limit: breaker.consecutiveFailures };
  }
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((1000 * part) / whole) / 10;
}

function requestsOf(event: ReplayEvent): number {
  return 'window' in event ? event.window.counts.succeeded + event.window.counts.failed : 0;
}
