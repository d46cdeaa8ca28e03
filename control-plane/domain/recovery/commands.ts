import { graphOf } from '../dependency-graph.ts';
import { featuresOf, isActing, isRecovering, isSteered } from '../feature.ts';
import type { Reason, Refusal, ServiceState, StepResult } from '../model.ts';
import type { Author } from '../overrides.ts';
import { RecoveryContext } from './context.ts';
import { Draft } from './draft.ts';
import { PartialRecoveryManager } from './partial-recovery-manager.ts';
import { resumedRecovery } from './progress.ts';
import { endRecovery } from './recovery-end.ts';
import { BUILT_IN_PATTERNS } from './registry.ts';
import { isRunning } from './running.ts';

/**
 * A person starts the recovery of lowered features, or lets go on those that wait for a person. Probing begins with the next tick.
 * With a list only these start; what else is lowered and in no recovery waits for a person then.
 */
export function startRecovery(state: ServiceState, author: Author, now: number, features?: readonly string[]): StepResult | Refusal {
  const lowered = Object.keys(state.features).filter((name) => isSteered(state, name) && state.features[name]?.state !== 'ENABLED');
  const chosen = features ?? lowered;
  const refused = startRefusal(state, lowered, chosen);
  if (refused) return refused;
  const draft = new Draft(state, now);
  const why = { because: 'started-by-person', numbers: { who: author.who, why: author.why } };
  for (const name of lowered) {
    if (chosen.includes(name)) letGo(draft, name, why);
    else if (!isRecovering(draft.record(name))) leaveAside(draft, name);
  }
  const context = new RecoveryContext(draft, { proxies: [] }, { random: () => 0, patterns: BUILT_IN_PATTERNS, rampingElsewhere: [] });
  new PartialRecoveryManager(context).takeIn(author.who, why);
  if (isRunning(state) && draft.state.recovery) {
    draft.patchService({ recovery: { ...draft.state.recovery, interventions: draft.state.recovery.interventions + 1 } });
  }
  return draft.finish();
}

function startRefusal(state: ServiceState, lowered: readonly string[], chosen: readonly string[]): Refusal | null {
  if (!isActing(state.policy)) return refusal('not-acting', 'the policy lets the fleet only watch: autopilot, mode or scope', []);
  const unknown = chosen.filter((name) => !state.features[name]);
  if (unknown.length > 0) return refusal('unknown-feature', 'the policy has no such feature', unknown);
  const well = chosen.filter((name) => !lowered.includes(name));
  if (well.length > 0 || lowered.length === 0) return refusal('nothing-to-recover', 'it is ENABLED or overridden', well);
  const idle = lowered.filter((name) => isHeld(state, name) || !isRecovering(state.features[name]!));
  const waiting = chosen.filter((name) => idle.includes(name));
  if (isRunning(state) && waiting.length === 0) {
    return refusal('already-running', 'a recovery runs, and none of these features waits for a person', chosen);
  }
  const missing = idle.filter((name) => !chosen.includes(name) && chosen.some((each) => graphOf(state.policy).ancestors(each).has(name)));
  return missing.length > 0 ? refusal('dependency-left-out', 'features that were chosen depend on these', missing) : null;
}

function isHeld(state: ServiceState, name: string): boolean {
  return state.features[name]?.recovery?.phase === 'held';
}

function letGo(draft: Draft, name: string, why: Reason): void {
  if (!isHeld(draft.state, name)) return;
  const { state, recovery } = draft.record(name);
  const phase = state === 'TESTING' && recovery && recovery.rampIndex >= 0 ? 'ramping' : 'blocked';
  draft.patchRecovery(name, { phase, attempt: 0, nextAttemptAtMs: draft.nowMs, sampleFromMs: draft.nowMs, reason: why });
  draft.event('released', why, name);
}

/** The fleet governs the whole service again, so what is not chosen keeps its flag until a person decides. */
function leaveAside(draft: Draft, name: string): void {
  const why = { because: 'not-chosen' };
  const feature = featuresOf(draft.state.policy).get(name);
  if (!feature) return;
  const recovery = resumedRecovery(draft.record(name), feature, draft.nowMs, why);
  draft.patch(name, { recovery: { ...recovery, phase: 'held' } });
  draft.event('left-aside', why, name);
}

/** Governance ends: the flags stay as they are, proxies recover by themselves, and the flags follow them (R3, R14). */
export function abortRecovery(state: ServiceState, author: Author, now: number): StepResult | Refusal {
  if (!isRunning(state)) return refusal('no-recovery', 'no recovery runs', []);
  const draft = new Draft(state, now);
  for (const name of draft.names()) if (isRecovering(draft.record(name)) && isSteered(state, name)) draft.patch(name, { recovery: null });
  endRecovery(draft, 'aborted', { because: 'aborted-by-person', numbers: { who: author.who, why: author.why } });
  draft.patchService({ released: true });
  return draft.finish();
}

function refusal(refused: string, detail: string, features: readonly string[]): Refusal {
  return { refused, detail, features };
}
