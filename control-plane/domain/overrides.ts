import { FULL_ADMIT, featuresOf, isActing, isRecovering, stateForDependants } from './feature.ts';
import type { FeatureRecord, Override, Reason, Refusal, ServiceState, StepResult } from './model.ts';
import { Draft } from './recovery/draft.ts';
import { lowerWithDependants } from './recovery/opening.ts';
import { admitOf, newRecovery, rampingFrom, stepAtMost } from './recovery/progress.ts';

/** Who does something, and why. */
export interface Author {
  readonly who: string;
  readonly why: string;
}

/** People are reminded of an override without an end this often. */
const REMIND_EVERY_MS = 24 * 3_600_000;

/** A person's word on a feature. It suspends the feature's recovery; FORCED_OPEN pulls dependants back as an opening does (R4, R14). */
export function setOverride(state: ServiceState, feature: string, override: Override, now: number): StepResult | Refusal {
  const record = state.features[feature];
  if (!record) return unknownFeature(feature);
  if (override.kind === 'HOLD' && override.admit === undefined) {
    return { refused: 'admit-missing', detail: 'HOLD needs the share to hold, in basis points', features: [feature] };
  }
  if (override.expiresAtMs !== null && override.expiresAtMs <= now) {
    return { refused: 'expired', detail: 'the override would end before it begins', features: [feature] };
  }
  const draft = new Draft(state, now);
  const why = told(override, now);
  const recovery =
    isRecovering(record) && record.recovery ? ({ ...record.recovery, phase: 'held', reason: why } as const) : record.recovery;
  const apply = () => draft.flag(feature, 'overridden', { override, recovery }, why);
  const opens = override.kind === 'FORCED_OPEN' && stateForDependants(record) !== 'DISABLED' && isActing(state.policy);
  const pulled = opens ? lowerWithDependants(draft, new Map([[feature, apply]])) : new Map<string, Reason>();
  if (!opens) apply();
  draft.event('overridden', why, feature);
  for (const [name, reason] of pulled) draft.event('pulled-back', reason, name);
  return draft.finish();
}

/** Takes a person's word back (R14). */
export function clearOverride(state: ServiceState, feature: string, author: Author, now: number): StepResult | Refusal {
  const record = state.features[feature];
  if (!record) return unknownFeature(feature);
  if (!record.override) return { refused: 'no-override', detail: `${feature} is not overridden`, features: [feature] };
  const draft = new Draft(state, now);
  leave(draft, record, record.override, { because: 'override-cleared', numbers: { who: author.who, why: author.why } });
  return draft.finish();
}

/** Ends what has run out and reminds of what never does. */
export function expireOverrides(draft: Draft): void {
  for (const name of draft.names()) {
    const record = draft.record(name);
    const { override } = record;
    if (!override) continue;
    const ageMs = draft.nowMs - override.createdAtMs;
    if (override.expiresAtMs !== null && override.expiresAtMs <= draft.nowMs) {
      leave(draft, record, override, { because: 'override-expired', numbers: { kind: override.kind, ageMs } });
    } else if (override.expiresAtMs === null && draft.nowMs - (override.remindedAtMs ?? override.createdAtMs) >= REMIND_EVERY_MS) {
      draft.patch(name, { override: { ...override, remindedAtMs: draft.nowMs } });
      draft.event(
        'override-reminder',
        { because: 'override-without-end', numbers: { kind: override.kind, author: override.author, ageMs } },
        name,
      );
    }
  }
}

/** FORCED_OPEN goes on at the probes, HOLD at the step up to its share, FORCED_CLOSED is judged anew. */
function leave(draft: Draft, record: FeatureRecord, override: Override, why: Reason): void {
  draft.flag(record.name, 'override-left', { override: null, ...afterwards(draft, record, override, why) }, why);
  draft.event('override-left', why, record.name);
}

function afterwards(draft: Draft, record: FeatureRecord, override: Override, why: Reason): Partial<FeatureRecord> {
  const outageStartedAtMs = record.recovery?.outageStartedAtMs ?? override.createdAtMs;
  const probes = (): Partial<FeatureRecord> => ({
    state: 'DISABLED',
    admit: 0,
    recovery: newRecovery(record, draft.nowMs, why, { outageStartedAtMs }),
  });
  if (override.kind === 'FORCED_OPEN') return probes();
  if (override.kind === 'HOLD') {
    const feature = featuresOf(draft.state.policy).get(record.name);
    const index = feature ? stepAtMost(feature, override.admit ?? 0) : -1;
    if (!feature || index < 0) return probes();
    const admit = admitOf(feature, index);
    const recovery = rampingFrom(newRecovery(record, draft.nowMs, why, { outageStartedAtMs }), feature, admit, draft.nowMs);
    return { state: 'TESTING', admit, recovery };
  }
  return {
    state: 'ENABLED',
    admit: FULL_ADMIT,
    recovery: null,
    health: 'UNKNOWN',
    healthSinceMs: draft.nowMs,
    healthReason: { because: 'judged-anew' },
    healthKeptSinceMs: null,
  };
}

function told({ kind, admit, author, reason, expiresAtMs }: Override, now: number): Reason {
  const expires = expiresAtMs === null ? 'never' : expiresAtMs - now;
  return { because: 'overridden', numbers: { kind, author, why: reason, expiresInMs: expires, ...(admit === undefined ? {} : { admit }) } };
}

function unknownFeature(feature: string): Refusal {
  return { refused: 'unknown-feature', detail: `the policy has no feature ${feature}`, features: [feature] };
}
