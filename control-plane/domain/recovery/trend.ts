import type { Reason, StepFigures } from '../model.ts';

/** A mean latency that grew by this factor is worse: buckets are about twice as wide as the one before, so less may be rounding. */
const SLOWER_FACTOR = 2.5;
/** And by at least so much: nobody minds 3 ms that become 8. */
const SLOWER_MS = 20;

/**
 * Whether a step that would pass by itself went worse than the one before it, so that the ramp holds: more load may be what the upstream
 * cannot take yet. The present figures become the next ones to compare with, so it holds while things get worse, not for ever.
 */
export function worseThanLastStep(now: StepFigures, last: StepFigures | null, marginPercent: number): Reason | null {
  if (!last) return null;
  const failsMore = now.failedPercent > last.failedPercent + marginPercent;
  const isSlower = now.latencyMs !== null && last.latencyMs !== null && isWorse(now.latencyMs, last.latencyMs);
  if (!failsMore && !isSlower) return null;
  const latency = now.latencyMs === null || last.latencyMs === null ? {} : { latencyMs: now.latencyMs, lastLatencyMs: last.latencyMs };
  const numbers = { failedPercent: now.failedPercent, lastFailedPercent: last.failedPercent, marginPercent, ...latency };
  return { because: 'worse-than-last-step', numbers };
}

function isWorse(nowMs: number, lastMs: number): boolean {
  return nowMs >= SLOWER_FACTOR * lastMs && nowMs - lastMs >= SLOWER_MS;
}
