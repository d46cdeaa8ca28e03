import type { WhyView } from '../contract/rest/why.ts';
import { graphOf } from '../domain/dependency-graph.ts';
import { effectiveMode, FULL_ADMIT, isActing, unfitBecause } from '../domain/feature.ts';
import { effectiveFlag } from '../domain/flags.ts';
import type { FeatureRecord, Reason, ServiceState } from '../domain/model.ts';
import type { AuditRecord } from '../store/store.ts';
import type { FleetService } from './service.ts';

type Said = WhyView['because'][number];

/** Why a feature is as it is, and what keeps it from letting more through (R17). */
export function whyOf(
  service: FleetService,
  state: ServiceState,
  record: FeatureRecord,
  changes: readonly AuditRecord[],
  nowMs: number,
): WhyView {
  const { state: allowed, admit } = effectiveFlag(record);
  const holds = admit < FULL_ADMIT || allowed !== 'ENABLED' ? holdsOf(service, state, record, nowMs) : [];
  const share = admit === FULL_ADMIT ? 'all requests' : admit === 0 ? 'no requests but probes' : `${admit / 100} % of the requests`;
  const cause = record.override ? personWord(record.override.kind) : wordsOf(record.reason);
  const waits = holds.length === 0 ? '' : `; what holds it: ${holds.map(({ text }) => text).join(', ')}`;
  return {
    service: state.service,
    feature: record.name,
    state: allowed,
    admit,
    health: record.health,
    text: `${record.name} is ${allowed} and lets ${share} through: ${cause}; its health is ${record.health}${waits}`,
    because: causesOf(service, state, record, nowMs),
    holds,
    changes: changes.map((entry) => ({ ...entry })),
  };
}

function causesOf(service: FleetService, state: ServiceState, record: FeatureRecord, nowMs: number): Said[] {
  const { proxies, features } = service.bookOf(state).view(nowMs);
  const suspects = service.suspects[record.name] ?? [];
  return [
    said('flag', record.reason),
    said('health', service.live[record.name]?.health ?? record.healthReason),
    ...overrideOf(record),
    said('proxies', {
      because: 'reporting',
      numbers: { proxies: proxies.length, known: state.nodes.length, ...features[record.name]?.phases },
    }),
    ...(suspects.length > 0 ? [said('suspects', { because: 'fail-alone', numbers: { nodes: suspects.join(' ') } })] : []),
  ];
}

function holdsOf(service: FleetService, state: ServiceState, record: FeatureRecord, nowMs: number): Said[] {
  const feature = state.policy.features.find(({ name }) => name === record.name);
  const mode = feature ? effectiveMode(state.policy, feature) : 'off';
  const dependencies = graphOf(state.policy)
    .dependencies(record.name)
    .flatMap(({ feature: name }) => {
      const unfit = unfitBecause(state, name, nowMs);
      return unfit ? [said('dependency', unfit)] : [];
    });
  const recovery = record.recovery && (service.live[record.name]?.recovery ?? record.recovery.reason);
  return [
    ...overrideOf(record),
    ...(mode === 'enforce' ? [] : [said('mode', { because: `mode-${mode}` })]),
    ...(isActing(state.policy) || mode !== 'enforce' ? [] : [said('autopilot', { because: watcherOnly(state.policy) })]),
    ...(state.released ? [said('recovery', { because: 'recovery-aborted' })] : []),
    ...(service.holding ? [said('cold-start', service.holding)] : []),
    ...(recovery && !record.override ? [said('recovery', recovery)] : []),
    ...dependencies,
  ];
}

function overrideOf({ override }: FeatureRecord): Said[] {
  if (!override) return [];
  const { kind, author, reason, expiresAtMs } = override;
  return [said('override', { because: personWord(kind), numbers: { author, reason, expiresAtMs: expiresAtMs ?? 'never' } })];
}

/** Why the fleet does not act by itself. */
const watcherOnly = ({ autopilot, recovery }: ServiceState['policy']): string =>
  autopilot === 'on' ? `scope-${recovery.scope}` : `autopilot-${autopilot}`;

const personWord = (kind: string): string => kind.toLowerCase().replace('_', '-');

function said(about: string, reason: Reason): Said {
  return {
    about,
    because: reason.because,
    ...(reason.numbers ? { numbers: { ...reason.numbers } } : {}),
    text: `${about}: ${wordsOf(reason)}`,
  };
}

/** `too-few-samples samples=2 needed=3` */
function wordsOf({ because, numbers = {} }: Reason): string {
  return [because, ...Object.entries(numbers).map(([name, value]) => `${name}=${value}`)].join(' ');
}
