import type { FeatureReport } from '../contract/report.ts';
import { minus } from './counts.ts';
import type { Counts } from './model.ts';

/** Degraded replies by rung. */
export interface Degraded {
  readonly stale: number;
  readonly cluster: number;
  readonly static: number;
}

/** What one feature of one proxy did between two reports. */
export interface FeatureDelta {
  readonly feature: string;
  readonly step: number;
  readonly counts: Counts;
  readonly degraded: Degraded;
  /** Count per latency bucket. */
  readonly latency: readonly number[];
  /** The reports were too far apart for a verdict: for the history alone (R9). */
  readonly late: boolean;
}

export const NO_DEGRADED: Degraded = { stale: 0, cluster: 0, static: 0 };

/** What happened between two reports of one step; `before` null: since the step began. */
export function difference(report: FeatureReport, before: FeatureReport | null, late: boolean): FeatureDelta {
  const { feature, step, degraded, latency } = report;
  if (!before) return { feature, step, counts: countsOf(report), degraded, latency, late };
  return {
    feature,
    step,
    counts: minus(report, before),
    degraded: {
      stale: degraded.stale - before.degraded.stale,
      cluster: degraded.cluster - before.degraded.cluster,
      static: degraded.static - before.degraded.static,
    },
    latency: latency.map((count, bucket) => count - (before.latency[bucket] ?? 0)),
    late,
  };
}

/** Whether any counter is lower than it was. */
export function fell(before: FeatureReport, after: FeatureReport): boolean {
  return (
    after.admitted < before.admitted ||
    after.succeeded < before.succeeded ||
    after.failed < before.failed ||
    after.ignored < before.ignored ||
    after.slow < before.slow ||
    after.refused < before.refused ||
    after.degraded.stale < before.degraded.stale ||
    after.degraded.cluster < before.degraded.cluster ||
    after.degraded.static < before.degraded.static ||
    after.latency.some((count, bucket) => count < (before.latency[bucket] ?? 0))
  );
}

/** Neither a request nor a degraded reply. */
export function isNothing({ counts, degraded }: FeatureDelta): boolean {
  return (
    counts.admitted + counts.succeeded + counts.failed + counts.ignored + counts.slow + counts.refused === 0 &&
    degraded.stale + degraded.cluster + degraded.static === 0
  );
}

export function addDegraded(a: Degraded, b: Degraded): Degraded {
  return { stale: a.stale + b.stale, cluster: a.cluster + b.cluster, static: a.static + b.static };
}

function countsOf({ admitted, succeeded, failed, ignored, slow, refused }: FeatureReport): Counts {
  return { admitted, succeeded, failed, ignored, slow, refused };
}
