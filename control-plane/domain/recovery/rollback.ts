import { featuresOf, isSteered } from '../feature.ts';
import type { FeatureRecord, FeatureRecovery, Reason, Refusal, ServiceState, StepResult } from '../model.ts';
import type { Author } from '../overrides.ts';
import { Draft } from './draft.ts';
import { lowerWithDependants } from './opening.ts';
import { doubled, withOneMore } from './partial-recovery-pattern.ts';
import { admitOf, stepAtMost } from './progress.ts';
import { isRunning } from './running.ts';

/**
 * A person who sees what no figure shows takes features back to the last step that was seen healthy below the present one, or to the
 * probes where there is none (R14). It counts as a failure of the present step, so that the ramp does not climb back at once (R11).
 * Without a list: all that ramp.
 */
export function rollBack(state: ServiceState, author: Author, now: number, features?: readonly string[]): StepResult | Refusal {
  if (!isRunning(state) || !state.recovery) return refusal('no-recovery', 'no recovery runs', []);
  const names = features ?? Object.keys(state.features).filter((name) => state.features[name]?.state === 'TESTING');
  const unknown = names.filter((name) => !state.features[name]);
  if (unknown.length > 0) return refusal('unknown-feature', 'the policy has no such feature', unknown);
  const unable = names.filter((name) => !canRollBack(state, name));
  const able = names.filter((name) => !unable.includes(name));
  if (able.length === 0 || (features && unable.length > 0)) {
    return refusal('nothing-to-roll-back', 'it has risen nowhere in this recovery, or a person has it', unable);
  }
  const draft = new Draft(state, now);
  const why = { because: 'rolled-back-by-person', numbers: { who: author.who, why: author.why } };
  const lowering = able.map((name) => [name, lower(draft, name, why)] as const);
  const isOpened = (name: string) => targetOf(state, name) < 0;
  const toProbes = new Map(lowering.filter(([name]) => isOpened(name)));
  for (const [name, apply] of lowering) if (!isOpened(name)) apply();
  const pulled = lowerWithDependants(draft, toProbes);
  for (const name of able) draft.event('rolled-back', draft.record(name).reason, name);
  for (const [name, reason] of pulled) draft.event('pulled-back', reason, name);
  draft.patchService({ recovery: { ...state.recovery, interventions: state.recovery.interventions + 1 } });
  return draft.finish();
}

function canRollBack(state: ServiceState, name: string): boolean {
  const record = state.features[name];
  return record?.recovery != null && record.state !== 'DISABLED' && isSteered(state, name);
}

/** Index of the highest passed step with a smaller share than the present one; -1: none. */
function targetOf({ policy, features }: Pick<ServiceState, 'policy' | 'features'>, name: string): number {
  const { recovery, admit } = features[name]!;
  return Math.min(recovery?.passedIndex ?? -1, stepAtMost(featuresOf(policy).get(name)!, admit - 1));
}

function lower(draft: Draft, name: string, why: Reason): () => void {
  const record = draft.record(name);
  const feature = featuresOf(draft.state.policy).get(name)!;
  const index = targetOf(draft.state, name);
  const admit = index < 0 ? 0 : admitOf(feature, index);
  const recovery = loweredTo(index, record, feature.recovery, draft.nowMs);
  const numbers = {
    ...why.numbers,
    fromPercent: record.admit / 100,
    toPercent: admit / 100,
    waitMs: recovery.nextAttemptAtMs - draft.nowMs,
  };
  const reason = { ...why, numbers };
  return () =>
    draft.flag(name, 'rolled-back', { state: index < 0 ? 'DISABLED' : 'TESTING', admit, recovery: { ...recovery, reason } }, reason);
}

function loweredTo(
  index: number,
  { recovery }: FeatureRecord,
  { rampPercent, backoff }: { readonly rampPercent: readonly number[]; readonly backoff: { readonly baseMs: number } },
  nowMs: number,
): FeatureRecovery {
  const before = recovery!;
  const present = Math.min(before.rampIndex, rampPercent.length - 1);
  const stepFailures = present < 0 ? before.stepFailures : withOneMore(before.stepFailures, present);
  const failures = present < 0 ? 1 : (stepFailures[present] ?? 1);
  return {
    ...before,
    phase: index < 0 ? 'waiting' : 'ramping',
    rampIndex: index,
    passedIndex: index,
    stepFailures,
    fellBack: false,
    failedOnce: true,
    nextAttemptAtMs: nowMs + doubled(Math.max(before.stableMs, backoff.baseMs), failures - 1),
    stepStartedAtMs: nowMs,
    sampleFromMs: nowMs,
    promotion: null,
    lastStep: null,
  };
}

function refusal(refused: string, detail: string, features: readonly string[]): Refusal {
  return { refused, detail, features };
}
