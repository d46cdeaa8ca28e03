import Type, { type Static } from 'typebox';
import { LATENCY_BUCKETS_MS, LIMITS } from './limits.ts';
import { BreakerPhase, Counter, describedId, FeatureHealth, Id, Name } from './names.ts';

const closed = { additionalProperties: false } as const;

/** Counters of one feature, summed over the workers of a proxy, cumulative within `step` (R9). */
export const FeatureReport = Type.Object(
  {
    feature: Name,
    step: Counter,
    phase: BreakerPhase,
    admitted: Type.Integer({ minimum: 0, maximum: LIMITS.safeInteger, description: 'Let through to the upstream' }),
    succeeded: Counter,
    failed: Counter,
    ignored: Type.Integer({
      minimum: 0,
      maximum: LIMITS.safeInteger,
      description: 'Admitted, but neither success nor failure: cancelled, local overload, degraded upstream',
    }),
    slow: Type.Integer({
      minimum: 0,
      maximum: LIMITS.safeInteger,
      description: 'Of the succeeded and failed, those slower than failure.slowMs',
    }),
    refused: Type.Integer({
      minimum: 0,
      maximum: LIMITS.safeInteger,
      description: 'Kept from the upstream by flag or breaker: demand that was not met',
    }),
    degraded: Type.Object(
      { stale: Counter, cluster: Counter, static: Counter },
      { ...closed, description: 'Served by each rung, after a refusal or a failure' },
    ),
    latency: Type.Array(Counter, {
      minItems: LATENCY_BUCKETS_MS.length + 1,
      maxItems: LATENCY_BUCKETS_MS.length + 1,
      description: 'Count per latency bucket, not summed up',
    }),
  },
  closed,
);
export type FeatureReport = Static<typeof FeatureReport>;

export const Report = Type.Object(
  {
    node: Type.String({ minLength: 1, maxLength: 253, description: 'Envoy node id; quorum and permits count nodes (R10)' }),
    instance: describedId('One Envoy process; the newest of a node speaks for it'),
    sequence: Type.Integer({
      minimum: 1,
      maximum: LIMITS.safeInteger,
      description: 'Grows by one per report of an instance; a repeat is answered as before',
    }),
    uptimeMs: Counter,
    intervalMs: Type.Integer({ minimum: 0, maximum: LIMITS.durationMs, description: 'Time until this instance means to report next' }),
    version: Type.String({ minLength: 1, maxLength: 64, description: 'Version of the module' }),
    lineage: Type.Optional(Id),
    revision: Type.Optional(Counter),
    governed: Type.Boolean({ description: "Whether the proxy holds a live lease of the fleet's recovery (R2)" }),
    rejected: Type.Optional(
      Type.Object(
        { count: Counter, revision: Counter, reason: Type.String({ maxLength: 512 }) },
        { ...closed, description: 'Directives that this proxy refused: how many, and the last one' },
      ),
    ),
    features: Type.Array(FeatureReport, { minItems: 0, maxItems: LIMITS.features }),
  },
  closed,
);
export type Report = Static<typeof Report>;

/** Right to let `count` live requests of a DISABLED feature through (R8). Set, never added to what is left. */
export const Permit = Type.Object(
  {
    feature: Name,
    step: Counter,
    count: Type.Integer({ minimum: 0, maximum: 1000 }),
    ttlMs: Type.Integer({ minimum: 1, maximum: LIMITS.durationMs }),
  },
  closed,
);
export type Permit = Static<typeof Permit>;

/** What the control plane judges of a feature, for the proxy's stats; it decides nothing there. */
export const ToldHealth = Type.Object({ feature: Name, health: FeatureHealth }, closed);

export const ReportReply = Type.Object(
  {
    lineage: Id,
    revision: Counter,
    governorAgeMs: Type.Integer({
      minimum: 0,
      maximum: LIMITS.durationMs,
      description: "How long ago this replica last saw the leader's tick move (R2)",
    }),
    permits: Type.Array(Permit, { minItems: 0, maxItems: LIMITS.features }),
    health: Type.Array(ToldHealth, {
      minItems: 0,
      maxItems: LIMITS.features,
      default: [],
      description: 'Of the features that the report names',
    }),
  },
  closed,
);
export type ReportReply = Static<typeof ReportReply>;
