import type { Feature } from '../../contract/policy.ts';
import type { FeatureRecord, FeatureRecovery, Reason } from '../model.ts';

/**
 * Where a feature stands when it is taken into a recovery. What an earlier outage left behind counts on while it lies within
 * `resetAfterMs`: flapping lengthens its own ramp and its waits (R4, R12).
 */
export function newRecovery(record: FeatureRecord, nowMs: number, reason: Reason, begins: Partial<FeatureRecovery> = {}): FeatureRecovery {
  const earlier = record.recovery;
  return {
    phase: 'blocked',
    attempt: earlier?.attempt ?? 0,
    nextAttemptAtMs: nowMs,
    waitMs: earlier?.waitMs ?? 0,
    rampIndex: -1,
    passedIndex: -1,
    stepFailures: earlier?.stepFailures ?? [],
    stepStartedAtMs: nowMs,
    sampleFromMs: nowMs,
    fellBack: false,
    failedOnce: false,
    refailures: earlier?.refailures ?? 0,
    settleMs: 0,
    stableMs: 0,
    outageStartedAtMs: earlier?.outageStartedAtMs ?? nowMs,
    reason,
    ...begins,
  };
}

/** The last step whose share is at most this one, −1: none (R14, R15). */
export function stepAtMost(feature: Feature, admit: number): number {
  return feature.recovery.rampPercent.findLastIndex((percent) => percent * 100 <= admit);
}

/** Share of a step in basis points. */
export function admitOf(feature: Feature, rampIndex: number): number {
  return (feature.recovery.rampPercent[rampIndex] ?? 0) * 100;
}
