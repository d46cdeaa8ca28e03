import Type, { type Static, type TSchema } from 'typebox';
import { LIMITS } from './limits.ts';
import { Admit, BREAKER_PHASES, BreakerPhase, Counter, describedName, FeatureHealth, FeatureState, Id, MODES, Name } from './names.ts';

const closed = { additionalProperties: false } as const;
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const instant = (description: string) => Type.Number({ description: `${description}, in ms since 1970` });
const span = (description: string) => Type.Number({ minimum: 0, description: `${description}, in ms` });
const words = (description: string) => Type.String({ minLength: 1, maxLength: 1024, description });

/** Parameters of the path. */
export const ServicePath = Type.Object({ service: describedName('Name of the service') });
export const FeaturePath = Type.Object({ service: describedName('Name of the service'), feature: describedName('Name of the feature') });
export const RecoveryPath = Type.Object({ service: describedName('Name of the service'), id: Id });

const pageSize = Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'Items on one page' });
const etag = (description: string) => Type.Optional(Type.String({ description }));
/** Conditions of a write. */
export const WriteConditions = Type.Object({
  'if-match': etag('ETag of the policy that is replaced'),
  'if-none-match': etag('`*`: only if there is none yet'),
});
export const ReadConditions = Type.Object({ 'if-none-match': etag('ETag of the policy that the caller has') });

export const ForceQuery = Type.Object(
  { force: Type.Boolean({ default: false, description: 'Drop features though they recover or are overridden' }) },
  { ...closed, default: {} },
);

/** A page of things in order of their names. */
export const NamePage = Type.Object(
  { limit: pageSize, cursor: Type.Optional(describedName('`next` of the page before')) },
  { ...closed, default: {} },
);
/** A page of entries, newest first. */
export const HistoryPage = Type.Object(
  {
    limit: pageSize,
    cursor: Type.Optional(Type.Integer({ minimum: 1, maximum: LIMITS.safeInteger, description: '`next` of the page before' })),
  },
  { ...closed, default: {} },
);
const pageOf = <T extends TSchema, C extends TSchema>(items: T, cursor: C) =>
  Type.Object(
    { items: Type.Array(items), next: nullable(cursor) },
    { description: '`next` is the cursor of the next page, null on the last one' },
  );
export const namedPageOf = <T extends TSchema>(items: T) => pageOf(items, Name);
export const historyPageOf = <T extends TSchema>(items: T) => pageOf(items, Counter);

export const Problem = Type.Object(
  {
    type: Type.String({ description: 'URN of the kind of problem' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String(),
    code: Type.String({ description: 'Stable code of the kind of problem' }),
    because: Type.Optional(Type.String({ description: 'Stable code of a refusal, one level below `code`' })),
    errors: Type.Optional(Type.Array(Type.Object({ path: Type.String(), reason: Type.String() }))),
  },
  { description: 'RFC 9457', $id: 'Problem' },
);

export const Reason = Type.Object(
  {
    because: Type.String({ description: 'Stable code' }),
    numbers: Type.Optional(Type.Record(Type.String(), Type.Union([Type.Number(), Type.String(), Type.Boolean()]))),
  },
  { description: 'Why something is as it is, with the figures that led to it' },
);

export const WatchQuery = Type.Object(
  {
    lineage: Type.Optional(Id),
    revision: Type.Optional(Counter),
    hash: Type.Optional(Id),
    policyRevision: Type.Optional(Type.Integer({ ...Counter, description: 'Revision of the policy that the caller has, under `lineage`' })),
    wait: Type.Integer({ minimum: 0, maximum: 60, default: 0, description: 'Seconds to wait for a difference' }),
  },
  { ...closed, default: {} },
);

export const PolicySummary = Type.Object({
  service: Name,
  mode: Type.Enum([...MODES]),
  autopilot: Type.Enum(['on', 'advise', 'off']),
  revision: Counter,
  etag: Type.String(),
  features: Type.Integer({ description: 'Number of features' }),
});
export type PolicySummary = Static<typeof PolicySummary>;

export const OverrideRequest = Type.Object(
  {
    kind: Type.Enum(['FORCED_OPEN', 'FORCED_CLOSED', 'HOLD'], {
      description: 'FORCED_OPEN: nothing passes; FORCED_CLOSED: all passes; HOLD: the share `admit` passes',
    }),
    admit: Type.Optional(Admit),
    reason: words('Why; kept in the audit'),
    expiresInMs: Type.Union([Type.Integer({ minimum: 1000, maximum: LIMITS.durationMs }), Type.Literal('never')], {
      default: 3_600_000,
      description: 'ms, or "never", which is reminded of daily',
    }),
  },
  {
    ...closed,
    description: "A person's word on a feature; it beats everything else until it expires",
    examples: [{ kind: 'FORCED_OPEN', reason: 'vendor maintenance until 14:00', expiresInMs: 7_200_000 }],
  },
);
export type OverrideRequest = Static<typeof OverrideRequest>;

export const Because = Type.Object(
  { reason: words('Why; kept in the audit') },
  { ...closed, examples: [{ reason: 'vendor says it is fixed' }] },
);
export const BecauseQuery = Type.Object({ reason: Type.Optional(words('Why; kept in the audit')) }, { ...closed, default: {} });

export const OverrideView = Type.Object({
  kind: Type.Enum(['FORCED_OPEN', 'FORCED_CLOSED', 'HOLD']),
  admit: Type.Optional(Admit),
  reason: Type.String(),
  author: Type.String(),
  createdAtMs: instant('When it was set'),
  expiresAtMs: nullable(instant('When it ends; null: never')),
});

export const FeatureRecoveryView = Type.Object({
  phase: Type.String({ description: 'blocked, waiting, probing, ramping, ceiling, held or done' }),
  attempt: Type.Integer({ description: 'Attempts so far that had a sample' }),
  nextAttemptAtMs: instant('Next attempt, or next try of a failed step'),
  stepPercent: nullable(Type.Integer({ description: 'Present step of the ramp; null: probes' })),
  passedPercent: nullable(Type.Integer({ description: 'Highest step that passed' })),
  outageStartedAtMs: instant('First opening of this outage'),
  reason: Reason,
});

const perSecond = (description: string) => Type.Number({ minimum: 0, description: `${description}, per second` });
export const Rates = Type.Object(
  {
    requests: perSecond('Requests'),
    admitted: perSecond('Let through to the upstream'),
    failed: perSecond('Failed at the upstream'),
    degraded: Type.Object({ stale: perSecond('Stale copies'), cluster: perSecond('Other cluster'), static: perSecond('Static replies') }),
  },
  { description: 'Over the last seconds, all proxies together' },
);

export const FeatureView = Type.Object(
  {
    name: Name,
    priority: Type.Integer(),
    mode: Type.Enum([...MODES]),
    dependsOn: Type.Array(Name),
    state: FeatureState,
    admit: Admit,
    by: Type.Enum(['recovery', 'person'], { description: 'Whose word state and admit are' }),
    step: Counter,
    sinceMs: instant('Last change of the flag'),
    reason: Reason,
    health: FeatureHealth,
    healthSinceMs: instant('Last change of the health'),
    healthReason: Reason,
    override: nullable(OverrideView),
    recovery: nullable(FeatureRecoveryView),
    breakers: Type.Object(Object.fromEntries(BREAKER_PHASES.map((phase) => [phase, Type.Optional(Type.Integer())])), {
      description: 'Proxies per breaker phase',
    }),
    rates: Rates,
    suspects: Type.Array(Type.String(), { description: 'Nodes that fail alone' }),
  },
  { description: 'One feature over the whole fleet', $id: 'Feature' },
);
export type FeatureView = Static<typeof FeatureView>;

export const ServiceSummary = Type.Object({
  service: Name,
  mode: Type.Enum([...MODES]),
  revision: Counter,
  proxies: Type.Integer({ description: 'Proxies that report now' }),
  features: Type.Object({ ENABLED: Type.Integer(), TESTING: Type.Integer(), DISABLED: Type.Integer() }),
  recovering: nullable(Id),
});
export type ServiceSummary = Static<typeof ServiceSummary>;

export const ServiceView = Type.Object({
  service: Name,
  mode: Type.Enum([...MODES]),
  autopilot: Type.Enum(['on', 'advise', 'off']),
  lineage: Id,
  revision: Counter,
  hash: Id,
  policyRevision: Counter,
  proxies: Type.Integer({ description: 'Proxies that report now' }),
  knownProxies: Type.Integer({ description: 'Proxies that the store remembers' }),
  governing: Type.Boolean({ description: 'Whether proxies may rely on the fleet to bring features back' }),
  holding: nullable(Reason),
  recovering: nullable(Id),
  features: Type.Array(FeatureView),
});
export type ServiceView = Static<typeof ServiceView>;

export const ProxyView = Type.Object({
  node: Type.String(),
  instance: Id,
  version: Type.String({ description: 'Version of the filter module' }),
  uptimeMs: span('Age of the Envoy process'),
  lastReportAgeMs: span('Age of its last report'),
  intervalMs: span('Interval at which it means to report'),
  governed: Type.Boolean({ description: 'Holds a live lease of the recovery' }),
  revision: nullable(Counter),
  isCurrent: Type.Boolean({ description: 'Has the present revision' }),
  rejected: nullable(Type.Object({ count: Counter, revision: Counter, reason: Type.String() })),
  breakers: Type.Record(Type.String(), BreakerPhase, { description: 'Breaker phase per feature' }),
});
export type ProxyView = Static<typeof ProxyView>;

export const TimelineEntry = Type.Object({
  atMs: instant('When'),
  feature: Type.Optional(Name),
  event: Type.String({ description: 'Stable code' }),
  reason: Reason,
});

const recoveryMembers = {
  id: Id,
  service: Name,
  startedAtMs: instant('Start'),
  endedAtMs: nullable(instant('End; null: it runs')),
  startedBy: Type.String(),
  result: nullable(Type.Enum(['recovered', 'recovered-locally', 'aborted', 'superseded'])),
  plan: Type.Array(Type.Array(Name), { description: 'Waves of features in the order in which they start' }),
};
export const RecoverySummary = Type.Object(recoveryMembers);
export type RecoverySummary = Static<typeof RecoverySummary>;
export const RecoveryView = Type.Object({ ...recoveryMembers, timeline: Type.Array(TimelineEntry) }, { $id: 'Recovery' });

const flagValue = Type.Object({ state: FeatureState, admit: Admit });
export const AuditView = Type.Object({
  sequence: Counter,
  atMs: instant('When'),
  actor: Type.String({ description: '`recovery`, or who called' }),
  action: Type.String({ description: 'Stable code' }),
  feature: Type.Optional(Name),
  from: Type.Optional(flagValue),
  to: Type.Optional(flagValue),
  reason: Reason,
  revision: Counter,
});

export const Readiness = Type.Object({
  status: Type.Enum(['ready', 'not-ready']),
  parts: Type.Record(Type.String(), Type.Object({ ok: Type.Boolean(), detail: Type.String() })),
});
export type Readiness = Static<typeof Readiness>;
