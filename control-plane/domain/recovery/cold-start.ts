import { featuresOf, isRecovering, LONGEST_WAIT_MS } from '../feature.ts';
import type { Evidence, FeatureRecord, FeatureRecovery, Reason, ServiceState, StepResult } from '../model.ts';
import { quorumOf } from '../quorum.ts';
import { Draft } from './draft.ts';

/** Reports of a proxy until it is known again. */
const REPORTS = 2;
const LONGEST_HOLD_IN_STALE_AFTER = 3;

/**
 * Why the ticker must not act yet after a start or a change of leader, or null (R16): until a quorum of the stored proxies has reported
 * twice, or three times `staleAfterMs` has passed. `startedAtMs`: when this process became the leader, on the same clock as `now`.
 */
export function coldStartHold(state: ServiceState, evidence: Evidence, startedAtMs: number, now: number): Reason | null {
  const stored = new Set(state.nodes);
  const reported = evidence.proxies.filter((proxy) => stored.has(proxy.node) && proxy.reportsSinceStart >= REPORTS).length;
  const needed = stored.size === 0 ? 0 : quorumOf(stored.size);
  const leftMs = startedAtMs + LONGEST_HOLD_IN_STALE_AFTER * state.policy.governance.staleAfterMs - now;
  if (reported >= needed || leftMs <= 0) return null;
  return { because: 'cold-start', numbers: { reported, needed, leftMs } };
}

/** Once, when the hold is over: windows start anew, for they were not stored, and overdue attempts fire with jitter (R16). */
export function resume(state: ServiceState, now: number, random: () => number): StepResult {
  const draft = new Draft(state, now);
  for (const feature of featuresOf(state.policy).values()) {
    const record = state.features[feature.name];
    if (!record?.recovery || !isRecovering(record)) continue;
    draft.patchRecovery(feature.name, anew(record, record.recovery, feature.recovery.backoff.baseMs, now, random));
  }
  return draft.finish();
}

function anew(
  record: FeatureRecord,
  recovery: FeatureRecovery,
  baseMs: number,
  now: number,
  random: () => number,
): Partial<FeatureRecovery> {
  const leftMs = recovery.nextAttemptAtMs - now;
  const isOverdue = leftMs <= 0 && record.state === 'DISABLED';
  // More than the longest wait is left only if the clock was set back.
  const waitMs = isOverdue ? Math.round(random() * baseMs) : Math.min(leftMs, LONGEST_WAIT_MS);
  return { sampleFromMs: now, stepStartedAtMs: now, nextAttemptAtMs: now + waitMs };
}
