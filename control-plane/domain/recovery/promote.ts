import { isRecovering, isSteered } from '../feature.ts';
import type { FeatureRecovery, Refusal, ServiceState, StepResult } from '../model.ts';
import type { Author } from '../overrides.ts';
import { Draft } from './draft.ts';
import { dependencyHoldIn } from './gates.ts';
import { activePause, isRunning } from './running.ts';
import { LOW_TRAFFIC_SAMPLES, type Verdict } from './trial.ts';

/**
 * A person lets features skip the one wait that they stand in: backoff, an earlier wave, the wait of a failed step, the rest of a
 * stability window (R14). Dependencies, verdicts, budgets and the load cap still hold. Without a list: all that wait.
 */
export function promote(state: ServiceState, author: Author, now: number, features?: readonly string[]): StepResult | Refusal {
  if (!isRunning(state) || !state.recovery) return refusal('no-recovery', 'no recovery runs', []);
  if (activePause(state)) return refusal('paused', 'the recovery is paused; resume it first', []);
  const names = features ?? Object.keys(state.features);
  const unknown = names.filter((name) => !state.features[name]);
  if (unknown.length > 0) return refusal('unknown-feature', 'the policy has no such feature', unknown);
  const waiting = names.filter((name) => canSkip(state, name));
  if (waiting.length === 0 || (features && waiting.length < features.length)) {
    const idle = names.filter((name) => !waiting.includes(name));
    return refusal('nothing-to-skip', 'it stands in no wait that a person may skip: it is not recovering, or probes', idle);
  }
  const unfit = waiting.filter((name) => dependencyHoldIn(state, name, now) !== null);
  if (unfit.length > 0 && (features || unfit.length === waiting.length)) {
    return refusal('dependency-unfit', 'a dependency keeps it from rising; promote that first', unfit);
  }
  const draft = new Draft(state, now);
  const why = { because: 'promoted-by-person', numbers: { who: author.who, why: author.why } };
  for (const name of waiting.filter((each) => !unfit.includes(each))) {
    const isHeld = draft.record(name).recovery?.phase === 'held';
    const letGo = isHeld ? ({ phase: 'blocked', attempt: 0, nextAttemptAtMs: now } as const) : {};
    draft.patchRecovery(name, { ...letGo, promotion: why });
    draft.event('promoted', why, name);
  }
  draft.patchService({ recovery: { ...state.recovery, interventions: state.recovery.interventions + 1 } });
  return draft.finish();
}

function canSkip(state: ServiceState, name: string): boolean {
  const record = state.features[name];
  return record !== undefined && isRecovering(record) && isSteered(state, name) && record.recovery?.phase !== 'probing';
}

/** With a person's leave a step need not last its whole window: clean samples as few as under little traffic are enough (R7). */
export function promoted(verdict: Verdict, { promotion }: FeatureRecovery): Verdict {
  if (!promotion || verdict.verdict !== 'inconclusive') return verdict;
  const isClean = verdict.failedPercent === 0 && verdict.succeeded >= LOW_TRAFFIC_SAMPLES;
  const canPass = verdict.reason.because === 'stabilising' || (verdict.reason.because === 'too-few-samples' && isClean);
  if (!canPass || verdict.isVoid) return verdict;
  const numbers = { ...verdict.reason.numbers, ...promotion.numbers };
  return { ...verdict, verdict: 'pass', reason: { because: 'promoted', numbers } };
}

function refusal(refused: string, detail: string, features: readonly string[]): Refusal {
  return { refused, detail, features };
}
