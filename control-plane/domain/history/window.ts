import { LATENCY_BUCKETS_MS } from '../../contract/limits.ts';
import type { Degraded, FeatureDelta } from '../evidence-delta.ts';
import type { Counts } from '../model.ts';

/** What one feature did in one span of time, as far as it was reported. */
export interface HistoryWindow {
  readonly atMs: number;
  readonly lengthMs: number;
  readonly counts: Counts;
  readonly degraded: Degraded;
  /** Count per latency bucket. */
  readonly latency: readonly number[];
  /** Some of it was reported late, and so happened some time before. */
  readonly late: boolean;
}

const COUNTERS = 9;
/** Counters of a window in a row: those of the counts, of the rungs, of the latency buckets, and how many reports were late. */
export const VALUES: number = COUNTERS + LATENCY_BUCKETS_MS.length + 2;
const LATE = VALUES - 1;

/** Adds what happened between two reports to the values of a window. */
export function addDelta(values: number[], { counts, degraded, latency, late }: FeatureDelta): void {
  values[0]! += counts.admitted;
  values[1]! += counts.succeeded;
  values[2]! += counts.failed;
  values[3]! += counts.ignored;
  values[4]! += counts.slow;
  values[5]! += counts.refused;
  values[6]! += degraded.stale;
  values[7]! += degraded.cluster;
  values[8]! += degraded.static;
  for (let bucket = 0; bucket <= LATENCY_BUCKETS_MS.length; bucket++) values[COUNTERS + bucket]! += latency[bucket] ?? 0;
  if (late) values[LATE]!++;
}

export function windowOf(values: readonly number[], atMs: number, lengthMs: number): HistoryWindow {
  const [admitted = 0, succeeded = 0, failed = 0, ignored = 0, slow = 0, refused = 0, stale = 0, cluster = 0, fixed = 0] = values;
  return {
    atMs,
    lengthMs,
    counts: { admitted, succeeded, failed, ignored, slow, refused },
    degraded: { stale, cluster, static: fixed },
    latency: values.slice(COUNTERS, LATE),
    late: (values[LATE] ?? 0) > 0,
  };
}
