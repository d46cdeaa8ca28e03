import { graphOf } from '../dependency-graph.ts';
import { isRecovering, isSteered, unfitBecause } from '../feature.ts';
import type { Reason, ServiceState } from '../model.ts';
import type { RecoveryContext } from './context.ts';

/** Why the dependencies keep this feature from rising, or null (R4). */
export function dependencyHold({ draft }: RecoveryContext, name: string): Reason | null {
  return dependencyHoldIn(draft.state, name, draft.nowMs);
}

export function dependencyHoldIn(state: ServiceState, name: string, nowMs: number): Reason | null {
  for (const { feature } of graphOf(state.policy).dependencies(name)) {
    const unfit = unfitBecause(state, feature, nowMs);
    if (unfit) return unfit;
  }
  return null;
}

/** Earlier waves go first, but none gates for ever (R13). */
export function waveHold(context: RecoveryContext, name: string): Reason | null {
  for (const wave of context.draft.state.recovery?.plan ?? []) {
    if (wave.includes(name)) return null;
    const gate = wave.find((earlier) => isGating(context, earlier));
    if (gate !== undefined) return { because: 'earlier-wave', numbers: { feature: gate } };
  }
  return null;
}

/** One that waits for a dependency or for a person gates nobody either: that may last. */
function isGating(context: RecoveryContext, name: string): boolean {
  const record = context.draft.state.features[name];
  if (!record?.recovery || !isRecovering(record) || !isSteered(context.draft.state, name)) return false;
  const { phase, failedOnce } = record.recovery;
  if (failedOnce || phase === 'ceiling' || phase === 'held') return false;
  return !context.isIdle(name) && dependencyHold(context, name) === null;
}

/**
 * The load cap limits the start of further ramps; the feature of highest priority is exempt (R13). Services of one upstream group take
 * turns by priority (R8).
 */
export function loadHold(context: RecoveryContext, name: string): Reason | null {
  const { maxRamping } = context.draft.state.policy.recovery;
  const { priority } = context.feature(name);
  // One that is held by a dependency puts no further load on anybody; counting it could hold up that very dependency.
  const ramping = context.draft.names().filter((other) => context.isRamping(other) && !dependencyHold(context, other));
  const isFirst = ramping.every((other) => priority < context.feature(other).priority);
  if (!isFirst && ramping.length >= maxRamping) return { because: 'load-cap', numbers: { ramping: ramping.length, maxRamping } };
  const before = context.surroundings.rampingElsewhere.filter((other) => other <= priority).length;
  return before > 0 ? { because: 'upstream-group-turn', numbers: { ramping: before } } : null;
}
