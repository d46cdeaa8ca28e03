import type { Flag } from '../contract/directive.ts';
import { LIMITS } from '../contract/limits.ts';
import type { FeatureState } from '../contract/names.ts';
import { FULL_ADMIT, isActing } from './feature.ts';
import type { FeatureRecord, Override, ServiceState } from './model.ts';

/** What filters obey for one feature, be it the fleet's word or a person's. */
export interface EffectiveFlag {
  readonly state: FeatureState;
  readonly admit: number;
  readonly by: Flag['by'];
}

/** A person's word comes before the fleet's (R14). */
export function effectiveFlag(record: Pick<FeatureRecord, 'state' | 'admit' | 'override'>): EffectiveFlag {
  return record.override ? personFlag(record.override) : { state: record.state, admit: record.admit, by: 'recovery' };
}

function personFlag(override: Override): EffectiveFlag {
  switch (override.kind) {
    case 'FORCED_OPEN':
      return { state: 'DISABLED', admit: 0, by: 'person' };
    case 'FORCED_CLOSED':
      return { state: 'ENABLED', admit: FULL_ADMIT, by: 'person' };
    case 'HOLD':
      return { state: 'TESTING', admit: override.admit ?? 0, by: 'person' };
  }
}

/** The flags of a directive, in the policy's order. On the wire a person's flag carries what is left of its time (R14). */
export function flagsOf(state: ServiceState, nowMs: number): Flag[] {
  return records(state).map((record) => ({ feature: record.name, step: record.step, ...effectiveFlag(record), ...expiry(record, nowMs) }));
}

function expiry({ override }: FeatureRecord, nowMs: number): { expiresInMs?: number } {
  if (!override || override.expiresAtMs === null) return {};
  return { expiresInMs: Math.min(LIMITS.durationMs, Math.max(0, Math.round(override.expiresAtMs - nowMs))) };
}

/** What a directive says, apart from what merely runs down: the same as long as nothing changed. Its hash names the directive (R5). */
export interface DirectiveContent {
  readonly service: string;
  readonly policyRevision: number;
  readonly flags: readonly (EffectiveFlag & { readonly feature: string; readonly step: number; readonly expiresAtMs: number | null })[];
}

export function contentOf(state: ServiceState): DirectiveContent {
  const flags = records(state).map((record) => ({
    feature: record.name,
    step: record.step,
    ...effectiveFlag(record),
    expiresAtMs: record.override?.expiresAtMs ?? null,
  }));
  return { service: state.service, policyRevision: state.policyRevision, flags };
}

/**
 * Whether the fleet governs these proxies. If not, reports are answered with the longest `governorAgeMs`, so that the lease ends and
 * proxies recover by themselves from where they are (R2, R3, R14).
 */
export function isGoverning(state: ServiceState): boolean {
  return isActing(state.policy) && !state.released;
}

function records(state: ServiceState): FeatureRecord[] {
  return state.policy.features.map((feature) => state.features[feature.name]).filter((record) => record !== undefined);
}
