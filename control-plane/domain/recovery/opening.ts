import { graphOf } from '../dependency-graph.ts';
import { featuresOf, isRecovering, isSteered } from '../feature.ts';
import type { FeatureRecord, Reason } from '../model.ts';
import type { RecoveryContext } from './context.ts';
import type { Draft } from './draft.ts';
import { newRecovery } from './progress.ts';

/** The fleet opens a feature: it starts at the probes, after the first wait of its pattern. */
export function open(context: RecoveryContext, name: string, why: Reason): void {
  const { draft } = context;
  const record = draft.record(name);
  const fresh = newRecovery(record, draft.nowMs, why);
  const { waitMs } = context.pattern(name).nextAttempt(fresh, context.situation(name));
  const refailures = fresh.refailures + (record.recovery ? 1 : 0);
  const recovery = { ...fresh, refailures, waitMs, nextAttemptAtMs: draft.nowMs + waitMs };
  draft.flag(name, 'opened', { state: 'DISABLED', admit: 0, recovery }, why);
}

/**
 * Takes features down together with those of their dependants that cannot stand without them: one transition, told from the leaves
 * to the root (R4). `lowered` are the features that go down for their own sake, each with what to do. Tells what was pulled, and why.
 */
export function lowerWithDependants(draft: Draft, lowered: ReadonlyMap<string, () => void>): ReadonlyMap<string, Reason> {
  const pulled = dependantsToPull(draft, [...lowered.keys()]);
  for (const name of graphOf(draft.state.policy).order().toReversed()) {
    const why = pulled.get(name);
    if (why) pullBack(draft, name, why);
    lowered.get(name)?.();
  }
  return pulled;
}

function dependantsToPull(draft: Draft, lowered: readonly string[]): ReadonlyMap<string, Reason> {
  const graph = graphOf(draft.state.policy);
  const pulled = new Map<string, Reason>();
  const pending = [...lowered];
  for (let dependency = pending.pop(); dependency !== undefined; dependency = pending.pop()) {
    for (const { feature, hard } of graph.dependants(dependency)) {
      if (lowered.includes(feature) || pulled.has(feature) || !losesGround(draft, feature, hard)) continue;
      pulled.set(feature, { because: 'dependency-opened', numbers: { dependency } });
      pending.push(feature);
    }
  }
  return pulled;
}

/** TESTING falls; ENABLED only with a hard dependency or when its own window is bad too. Absence of evidence lowers nothing. */
function losesGround(draft: Draft, name: string, hard: boolean): boolean {
  if (!isSteered(draft.state, name)) return false;
  const record = draft.record(name);
  if (record.state === 'TESTING') return true;
  return record.state === 'ENABLED' && (hard || record.health === 'UNHEALTHY');
}

/** Keeps the attempt count and the last passed step, and will resume one step below it (R4). */
function pullBack(draft: Draft, name: string, why: Reason): void {
  const record = draft.record(name);
  const recovery = newRecovery(record, draft.nowMs, why, {
    passedIndex: passedSoFar(draft, record),
    failedOnce: record.recovery?.failedOnce ?? false,
  });
  draft.flag(name, 'pulled-back', { state: 'DISABLED', admit: 0, recovery }, why);
}

function passedSoFar(draft: Draft, record: FeatureRecord): number {
  if (record.recovery && isRecovering(record)) return record.recovery.passedIndex;
  return (featuresOf(draft.state.policy).get(record.name)?.recovery.rampPercent.length ?? 0) - 1;
}
