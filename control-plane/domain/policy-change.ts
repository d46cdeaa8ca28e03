import type { Feature, Policy } from '../contract/policy.ts';
import { graphOf } from './dependency-graph.ts';
import { effectiveMode, FULL_ADMIT, featuresOf, isActing, isRecovering, isSteered, newRecord } from './feature.ts';
import type { FeatureRecord, FeatureRecovery, Reason, Refusal, ServiceState, StepResult } from './model.ts';
import { Draft } from './recovery/draft.ts';
import { rampingFrom } from './recovery/progress.ts';
import { endRecovery } from './recovery/recovery-end.ts';
import { isRunning } from './recovery/running.ts';

export interface PolicyChange {
  /** Drop features though they recover or are overridden. */
  readonly force?: boolean;
  /** Of a new service: the revision before its first one, such as a tombstone's; default 0. */
  readonly afterRevision?: number;
}

/** Creates a service, or changes its policy. An edit by itself neither raises nor lowers traffic (R15). */
export function applyPolicy(state: ServiceState | null, policy: Policy, now: number, change: PolicyChange = {}): StepResult | Refusal {
  if (!state) return created(policy, now, change.afterRevision ?? 0);
  const renames = renamesOf(state, policy);
  const moved = new Set(renames.values());
  const dropped = Object.keys(state.features).filter((name) => !featuresOf(policy).has(name) && !moved.has(name));
  const busy = dropped.filter((name) => isBusy(state.features[name]));
  if (busy.length > 0 && !change.force) {
    const detail = 'recovers or is overridden: removing it needs force; where it has another name now, that one needs renamedFrom';
    return { refused: 'feature-recovers', detail, features: busy };
  }
  return edited(state, policy, { dropped, renames }, now);
}

/** Present names of the features that go on under another one, by that one. A rename that was carried out is over, though it is still told. */
function renamesOf(state: ServiceState, policy: Policy): ReadonlyMap<string, string> {
  const renames = new Map<string, string>();
  for (const { name, renamedFrom } of policy.features) {
    if (renamedFrom === undefined || state.features[name] || !state.features[renamedFrom]) continue;
    if (!featuresOf(policy).has(renamedFrom)) renames.set(name, renamedFrom);
  }
  return renames;
}

function isBusy(record: FeatureRecord | undefined): boolean {
  return record !== undefined && (record.override !== null || record.state !== 'ENABLED' || isRecovering(record));
}

function created(policy: Policy, now: number, afterRevision: number): StepResult {
  const revision = afterRevision + 1;
  const reason: Reason = { because: 'created' };
  const features = Object.fromEntries(policy.features.map(({ name }) => [name, newRecord(name, revision, now, reason)]));
  const state: ServiceState = {
    service: policy.service,
    policy,
    revision,
    policyRevision: revision,
    version: 1,
    features,
    recovery: null,
    nodes: [],
    released: false,
  };
  return {
    state,
    transitions: [],
    events: [
      { atMs: now, event: 'policy-created', reason: { because: 'created', numbers: { revision, added: Object.keys(features).join(' ') } } },
    ],
  };
}

interface Edit {
  readonly dropped: readonly string[];
  readonly renames: ReadonlyMap<string, string>;
}

function edited(state: ServiceState, policy: Policy, { dropped, renames }: Edit, now: number): StepResult {
  const draft = new Draft(state, now);
  const revision = state.revision + 1;
  draft.raiseRevision();
  draft.patchService({ policy, policyRevision: revision });
  for (const name of dropped) draft.replaceFeature(name, null);
  const added: string[] = [];
  for (const feature of policy.features) {
    const formerly = renames.get(feature.name) ?? feature.name;
    const before = featuresOf(state.policy).get(formerly);
    if (formerly !== feature.name) draft.renameFeature(formerly, feature.name);
    if (before && state.features[formerly]) carryOver(draft, before, feature);
    else {
      draft.replaceFeature(feature.name, newRecord(feature.name, revision, now, { because: 'feature-added' }));
      added.push(feature.name);
    }
  }
  settleRecovery(draft);
  const renamed = [...renames].map(([to, from]) => `${from}>${to}`);
  const numbers = { revision, added: added.join(' '), dropped: dropped.join(' '), renamed: renamed.join(' ') };
  draft.event('policy-changed', { because: 'edited', numbers });
  return draft.finish();
}

function carryOver(draft: Draft, before: Feature, after: Feature): void {
  const record = draft.record(after.name);
  if (effectiveMode(draft.state.policy, after) !== 'enforce') leaveToItself(draft, record);
  else if (isRecovering(record) && record.override === null && isJudgedDifferently(before, after)) judgeAnew(draft, record, after);
  else if (before.name !== after.name) countAnew(draft, record, before.name);
}

/** Under its new name proxies count from nothing, so what they show belongs to a step of its own. */
function countAnew(draft: Draft, record: FeatureRecord, from: string): void {
  const { nowMs } = draft;
  const recovery = record.recovery && { ...record.recovery, sampleFromMs: nowMs, stepStartedAtMs: nowMs };
  draft.flag(record.name, 'policy-changed', { recovery }, { because: 'renamed', numbers: { from } });
}

/** Shadow and off end the feature's recovery: no flag of ours acts there (R15). */
function leaveToItself(draft: Draft, record: FeatureRecord): void {
  const reason: Reason = { because: 'mode-left' };
  const free = { state: 'ENABLED', admit: FULL_ADMIT, recovery: null } as const;
  if (record.state === 'ENABLED' && record.recovery === null) return;
  if (record.state === 'ENABLED' || record.override) draft.patch(record.name, free);
  else draft.flag(record.name, 'mode-left', free, reason);
}

/** New thresholds: a new step id and a fresh window at the same share; a new ramp: its largest step up to that share (R15). */
function judgeAnew(draft: Draft, record: FeatureRecord, feature: Feature): void {
  if (!record.recovery) return;
  const recovery =
    record.state === 'TESTING' ? rampingFrom(record.recovery, feature, record.admit, draft.nowMs) : atProbes(record.recovery, draft.nowMs);
  const stableMs = Math.min(recovery.stableMs, feature.recovery.stableForMs);
  draft.flag(record.name, 'policy-changed', { recovery: { ...recovery, stableMs, stepFailures: [] } }, { because: 'policy-changed' });
}

function atProbes(recovery: FeatureRecovery, nowMs: number): FeatureRecovery {
  return { ...recovery, passedIndex: -1, sampleFromMs: nowMs, stepStartedAtMs: nowMs };
}

function isJudgedDifferently(before: Feature, after: Feature): boolean {
  const judging = ({ failure, breaker, health, recovery }: Feature) => JSON.stringify([failure, breaker, health, recovery]);
  return judging(before) !== judging(after);
}

/** The plan follows the new priorities and dependencies; without anybody left to bring back, or any right to, the recovery ends. */
function settleRecovery(draft: Draft): void {
  const { state } = draft;
  if (!isActing(state.policy)) {
    for (const name of draft.names()) if (isRecovering(draft.record(name))) draft.patch(name, { recovery: null });
    endRecovery(draft, 'aborted', { because: 'fleet-only-watches' });
    return;
  }
  if (!state.recovery || !isRunning(state)) return;
  const left = draft.names().filter((name) => isSteered(state, name) && isRecovering(draft.record(name)));
  if (left.length === 0) endRecovery(draft, 'superseded', { because: 'policy-changed' });
  else draft.patchService({ recovery: { ...state.recovery, plan: graphOf(state.policy).waves(left) } });
}
