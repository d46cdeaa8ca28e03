import { FULL_ADMIT } from '../feature.ts';
import type { FeatureRecovery, Reason } from '../model.ts';
import type { RecoveryContext } from './context.ts';
import { lowerWithDependants } from './opening.ts';
import { doubled } from './partial-recovery-pattern.ts';
import type { Move } from './pattern.ts';
import { admitOf } from './progress.ts';
import type { Verdict } from './trial.ts';

/** Carries out what the pattern wants after a passed attempt or step. */
export function rise(context: RecoveryContext, name: string, verdict: Verdict): void {
  const { draft } = context;
  const recovery = context.recovery(name);
  const situation = context.situation(name);
  const move = context.pattern(name).onSuccess(recovery, situation);
  const cause = context.isProbing(name) ? 'probes-passed' : 'step-passed';
  const why = explained(move, verdict);
  const lastStep = context.isProbing(name) ? null : context.figuresOf(name, verdict);
  const next = { ...recovery, ...move.progress, ...fresh(context, move), lastStep, stableMs: situation.stableMs, reason: why };
  if (move.to === 'enabled') {
    const done = { ...next, phase: 'done', settleMs: doubled(situation.stableMs, recovery.refailures) } as const;
    draft.flag(name, cause, { state: 'ENABLED', admit: FULL_ADMIT, recovery: done, recoveredAtMs: draft.nowMs }, why);
    acquit(context, name);
    draft.event('enabled', why, name);
  } else {
    const admit = admitOf(context.feature(name), move.progress.rampIndex);
    draft.flag(name, cause, { state: 'TESTING', admit, recovery: { ...next, phase: 'ramping' } }, why);
    draft.event(move.reason.because, why, name);
  }
}

/** Carries out what the pattern wants after a failed attempt or step. */
export function fall(context: RecoveryContext, name: string, verdict: Verdict): void {
  const { draft } = context;
  const recovery = context.recovery(name);
  const move = context.pattern(name).onFailure(recovery, context.situation(name), verdict.failedPercent);
  const why = explained(move, verdict);
  const next = { ...recovery, ...move.progress, ...fresh(context, move), phase: phaseAfter(move), failedOnce: true, reason: why };
  draft.event(move.reason.because, why, name);
  if (context.isProbing(name)) draft.patchRecovery(name, next);
  else if (move.to === 'probes') disable(context, name, next, why);
  else draft.flag(name, 'step-failed', { admit: admitOf(context.feature(name), move.progress.rampIndex), recovery: next }, why);
  if (move.alert) draft.event(move.alert === 'stuck' ? 'recovery_stuck' : 'ceiling', why, name);
}

function disable({ draft }: RecoveryContext, name: string, recovery: FeatureRecovery, why: Reason): void {
  const lower = () => draft.flag(name, 'step-failed', { state: 'DISABLED', admit: 0, recovery }, why);
  const pulled = lowerWithDependants(draft, new Map([[name, lower]]));
  for (const [dependant, reason] of pulled) draft.event('pulled-back', reason, dependant);
}

function phaseAfter(move: Move): FeatureRecovery['phase'] {
  if (move.isHeld) return 'held';
  if (move.to === 'probes') return 'waiting';
  return move.alert === 'ceiling' ? 'ceiling' : 'ramping';
}

function fresh({ nowMs }: RecoveryContext, move: Move): Partial<FeatureRecovery> {
  const from = { stepStartedAtMs: nowMs, sampleFromMs: nowMs };
  return { nextAttemptAtMs: nowMs + move.waitMs, ...from, promotion: null, lastStep: null };
}

function explained(move: Move, verdict: Verdict): Reason {
  return { because: move.reason.because, numbers: { ...verdict.reason.numbers, ...move.reason.numbers, verdict: verdict.reason.because } };
}

/** A passed ramp is evidence of health, even if the last window held too little to judge by itself. */
export function acquit({ draft }: RecoveryContext, name: string): void {
  if (draft.record(name).health === 'HEALTHY') return;
  const healthReason = { because: 'recovery-passed' };
  draft.patch(name, { health: 'HEALTHY', healthSinceMs: draft.nowMs, healthReason, healthKeptSinceMs: null });
  draft.explain(name, { health: healthReason });
}
