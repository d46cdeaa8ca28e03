import { FULL_ADMIT } from './feature.ts';
import { type EffectiveFlag, effectiveFlag } from './flags.ts';
import type { Reason, ServiceState, Transition } from './model.ts';

/** Who or what changed what, why, and by which figures. */
export interface AuditEntry {
  readonly atMs: number;
  /** `recovery` for the ticker, else the name of a person or program. */
  readonly actor: string;
  /** Stable code: `flag-changed`, `policy-changed`, or another event of the domain. */
  readonly action: string;
  readonly feature?: string;
  readonly from?: Transition['from'];
  readonly to?: Transition['to'];
  readonly reason: Reason;
  /** Revision of the service after the change. */
  readonly revision: number;
}

export type AuditedFlag = EffectiveFlag & { readonly step: number };

/** What the audit says of a service: the word that filters have on each feature. Without a feature there is no policy. */
export type AuditedState = Readonly<Record<string, AuditedFlag>>;

/** The present state, as the audit must tell it. */
export function auditedStateOf(state: ServiceState): AuditedState {
  return Object.fromEntries(Object.values(state.features).map((record) => [record.name, { ...effectiveFlag(record), step: record.step }]));
}

/** What entries, in the order in which they were written, make of a state: from a snapshot on they lead to the present one (R17). */
export function replay(from: AuditedState, entries: Iterable<AuditEntry>): AuditedState {
  const features: Record<string, AuditedFlag> = { ...from };
  for (const entry of entries) {
    const { action, feature, to, revision } = entry;
    if (action === 'policy-deleted') for (const name of Object.keys(features)) delete features[name];
    if (action === 'policy-created' || action === 'policy-changed') replayPolicy(features, entry);
    if (action === 'flag-changed' && feature !== undefined && to) features[feature] = { ...to, step: revision };
  }
  return features;
}

function replayPolicy(features: Record<string, AuditedFlag>, { reason, revision }: AuditEntry): void {
  for (const pair of wordsOf(reason, 'renamed')) {
    const [before = '', after = ''] = pair.split('>');
    const flag = features[before];
    delete features[before];
    if (flag) features[after] = flag;
  }
  for (const name of wordsOf(reason, 'dropped')) delete features[name];
  for (const name of wordsOf(reason, 'added')) features[name] = { state: 'ENABLED', admit: FULL_ADMIT, by: 'recovery', step: revision };
}

function wordsOf({ numbers }: Reason, name: string): string[] {
  return String(numbers?.[name] ?? '')
    .split(' ')
    .filter((word) => word !== '');
}
