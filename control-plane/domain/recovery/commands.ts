import { isActing, isRecovering, isSteered } from '../feature.ts';
import type { Refusal, ServiceState, StepResult } from '../model.ts';
import type { Author } from '../overrides.ts';
import { RecoveryContext } from './context.ts';
import { Draft } from './draft.ts';
import { PartialRecoveryManager } from './partial-recovery-manager.ts';
import { endRecovery, isRunning } from './recovery-end.ts';
import { BUILT_IN_PATTERNS } from './registry.ts';

/** A person starts the recovery of all lowered features, or lets go on those that wait for a person. Probing begins with the next tick. */
export function startRecovery(state: ServiceState, author: Author, now: number): StepResult | Refusal {
  if (!isActing(state.policy)) return refusal('not-acting', 'the policy lets the fleet only watch: autopilot, mode or scope', []);
  const lowered = Object.keys(state.features).filter((name) => isSteered(state, name) && state.features[name]?.state !== 'ENABLED');
  if (lowered.length === 0) return refusal('nothing-to-recover', 'every feature is ENABLED or overridden', []);
  const held = lowered.filter((name) => state.features[name]?.recovery?.phase === 'held');
  if (isRunning(state) && held.length === 0)
    return refusal('already-running', 'a recovery runs, and none of its features waits for a person', lowered);
  const draft = new Draft(state, now);
  const why = { because: 'started-by-person', numbers: { who: author.who, why: author.why } };
  for (const name of held) draft.patchRecovery(name, { phase: 'blocked', attempt: 0, nextAttemptAtMs: now, reason: why });
  for (const name of held) draft.event('released', why, name);
  const context = new RecoveryContext(draft, { proxies: [] }, { random: () => 0, patterns: BUILT_IN_PATTERNS, rampingElsewhere: [] });
  new PartialRecoveryManager(context).takeIn(author.who, why);
  return draft.finish();
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
