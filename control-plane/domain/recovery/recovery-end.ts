import { featuresOf, isRecovering, isSteered } from '../feature.ts';
import type { FeatureRecord, Reason, Recovery } from '../model.ts';
import type { Draft } from './draft.ts';
import { endPause } from './pause.ts';
import { isRunning, pausedMs } from './running.ts';

/** Ends the running recovery, if one runs. It stays in the state until the next one begins. */
export function endRecovery(draft: Draft, result: NonNullable<Recovery['result']>, why: Reason): void {
  if (!isRunning(draft.state)) return;
  endPause(draft, { because: 'recovery-ended' });
  const { recovery } = draft.state;
  if (!recovery) return;
  const heldUp = pausedMs(recovery, draft.nowMs);
  draft.patchService({ recovery: { ...recovery, endedAtMs: draft.nowMs, result } });
  const numbers = { ...why.numbers, result, tookMs: draft.nowMs - recovery.startedAtMs, ...(heldUp > 0 ? { pausedMs: heldUp } : {}) };
  draft.event('recovery-ended', { ...why, numbers });
}

/** A recovery is over once every feature in it is ENABLED, and has been for its stability window. */
export function endIfOver(draft: Draft): void {
  const records = draft.names().map((name) => draft.record(name));
  const steered = records.filter((record) => isSteered(draft.state, record.name));
  if (steered.some((record) => isRecovering(record) || isStillProving(record, draft.nowMs))) return;
  const isSuspended = records.some((record) => isRecovering(record));
  endRecovery(draft, isSuspended ? 'superseded' : 'recovered', { because: isSuspended ? 'overridden' : 'all-enabled' });
}

function isStillProving({ recovery, sinceMs }: FeatureRecord, nowMs: number): boolean {
  return recovery?.phase === 'done' && nowMs - sinceMs < recovery.stableMs;
}

/** A feature that held for `resetAfterMs` has its outage behind it: the next failure starts a new one (R12). */
export function forgetOldOutages(draft: Draft): void {
  for (const name of draft.names()) {
    const { recovery, recoveredAtMs } = draft.record(name);
    const resetAfterMs = featuresOf(draft.state.policy).get(name)?.recovery.resetAfterMs ?? 0;
    if (recovery?.phase === 'done' && draft.nowMs - recoveredAtMs > resetAfterMs) draft.patch(name, { recovery: null });
  }
}
