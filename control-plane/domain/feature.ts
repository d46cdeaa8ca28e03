import { type FeatureHealth, type FeatureState, MODES, type Mode } from '../contract/names.ts';
import type { Feature, Policy } from '../contract/policy.ts';
import type { FeatureRecord, FeatureRecovery, Reason, ServiceState } from './model.ts';

/** All requests, in basis points. */
export const FULL_ADMIT = 10_000;
/** Longest wait that doubling can reach: 30 minutes (R11). */
export const LONGEST_WAIT_MS = 1_800_000;

/** A feature as it starts: ENABLED, and nothing known of its health (R4). */
export function newRecord(name: string, step: number, nowMs: number, reason: Reason): FeatureRecord {
  return {
    name,
    state: 'ENABLED',
    admit: FULL_ADMIT,
    step,
    sinceMs: nowMs,
    reason,
    health: 'UNKNOWN',
    healthSinceMs: nowMs,
    healthReason: { because: 'no-evidence' },
    healthKeptSinceMs: null,
    override: null,
    recovery: null,
    recoveredAtMs: 0,
  };
}

/** The looser word loses: a feature may be stricter than its policy about not acting, never the reverse. */
export function effectiveMode(policy: Policy, feature: Feature): Mode {
  const rank = Math.max(MODES.indexOf(policy.mode), MODES.indexOf(feature.mode ?? 'enforce'));
  return MODES[rank] ?? 'off';
}

const indexes = new WeakMap<Policy, ReadonlyMap<string, Feature>>();

/** The features of a policy by name; policies never change in place, so the index is built once for each. */
export function featuresOf(policy: Policy): ReadonlyMap<string, Feature> {
  let index = indexes.get(policy);
  if (!index) {
    index = new Map(policy.features.map((feature) => [feature.name, feature]));
    indexes.set(policy, index);
  }
  return index;
}

/** Whether the fleet's recovery acts on this service at all, rather than only judging it. */
export function isActing(policy: Policy): boolean {
  return policy.mode === 'enforce' && policy.autopilot === 'on' && policy.recovery.scope === 'fleet';
}

/** Whether the fleet may change this feature's flag by itself: an override suspends it (R14), shadow and off only watch (R15). */
export function isSteered(state: ServiceState, name: string): boolean {
  const feature = featuresOf(state.policy).get(name);
  const record = state.features[name];
  if (!feature || !record) return false;
  return effectiveMode(state.policy, feature) === 'enforce' && record.override === null;
}

/** Taking part in a recovery that has not reached its end. */
export function isRecovering(record: FeatureRecord): boolean {
  return record.recovery !== null && record.recovery.phase !== 'done';
}

/** What the feature is for those that depend on it: a person's word counts before the flag (R14). */
export function stateForDependants(record: FeatureRecord): FeatureState {
  switch (record.override?.kind) {
    case 'FORCED_OPEN':
      return 'DISABLED';
    case 'FORCED_CLOSED':
      return 'ENABLED';
    case 'HOLD':
      return 'TESTING';
    default:
      return record.state;
  }
}

/** Why a dependency keeps its dependants from rising, or null (R4). */
export function unfitBecause(state: ServiceState, dependency: string, nowMs: number): Reason | null {
  const feature = featuresOf(state.policy).get(dependency);
  const record = state.features[dependency];
  if (!feature || !record) return null;
  if (effectiveMode(state.policy, feature) !== 'enforce') return null; // gates nobody (R15)
  const seen = stateForDependants(record);
  if (seen !== 'ENABLED') return { because: 'dependency-not-enabled', numbers: { dependency, state: seen } };
  if (isSick(record.health)) return { because: 'dependency-not-healthy', numbers: { dependency, health: record.health } };
  return record.override ? null : unsettledBecause(record, record.recovery, nowMs);
}

function unsettledBecause(record: FeatureRecord, recovery: FeatureRecovery | null, nowMs: number): Reason | null {
  if (!recovery) return null;
  const enabledForMs = nowMs - record.sinceMs;
  if (enabledForMs >= recovery.settleMs) return null;
  return { because: 'dependency-settling', numbers: { dependency: record.name, enabledForMs, settleMs: recovery.settleMs } };
}

export function isSick(health: FeatureHealth): boolean {
  return health === 'DEGRADED' || health === 'UNHEALTHY';
}
