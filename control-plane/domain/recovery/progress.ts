import type { Feature } from '../../contract/policy.ts';
import type { FeatureRecord, FeatureRecovery, Reason } from '../model.ts';
import { stabilityWindowMs } from './stability.ts';

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
    promotion: null,
    lastStep: null,
    reason,
    ...begins,
  };
}

/** For a feature that is lowered but in no recovery: it goes on from the share that it has, or at the probes. */
export function resumedRecovery(record: FeatureRecord, feature: Feature, nowMs: number, reason: Reason): FeatureRecovery {
  if (record.state === 'DISABLED') return newRecovery(record, nowMs, reason);
  return rampingFrom(newRecovery(record, nowMs, reason), feature, record.admit, nowMs);
}

/** Goes on at the largest step up to this share, with a fresh window. */
export function rampingFrom(recovery: FeatureRecovery, feature: Feature, admit: number, nowMs: number): FeatureRecovery {
  const rampIndex = stepAtMost(feature, admit);
  const { stableForMs } = feature.recovery;
  return {
    ...recovery,
    phase: 'ramping',
    rampIndex,
    passedIndex: Math.max(-1, rampIndex - 1),
    stableMs: recovery.stableMs || stabilityWindowMs(nowMs - recovery.outageStartedAtMs, stableForMs),
    stepStartedAtMs: nowMs,
    sampleFromMs: nowMs,
    promotion: null,
    lastStep: null,
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
