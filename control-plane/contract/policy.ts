import Type, { type Static } from 'typebox';
import { LIMITS } from './limits.ts';
import {
  ClusterName,
  describedName,
  HEADER_VALUE_PATTERN,
  HeaderName,
  HOST_PATTERN,
  JITTERS,
  METHOD_PATTERN,
  MODES,
  Name,
  PARAMETER_PATTERN,
  PATH_PATTERN,
} from './names.ts';

const closed = { additionalProperties: false } as const;
/** An object whose every member has a default may be left out as a whole. */
const defaulted = { additionalProperties: false, default: {} } as const;

const duration = (defaultMs: number, minimum: number, description: string) =>
  Type.Integer({ minimum, maximum: LIMITS.durationMs, default: defaultMs, description });
const percent = (defaultPercent: number, minimum: number, description: string) =>
  Type.Integer({ minimum, maximum: 100, default: defaultPercent, description });
const count = (defaultCount: number, minimum: number, maximum: number, description: string) =>
  Type.Integer({ minimum, maximum, default: defaultCount, description });

const path = Type.String({ pattern: PATH_PATTERN, minLength: 1, maxLength: LIMITS.pathLength });

export const PathMatch = Type.Object(
  {
    exact: Type.Optional(path),
    prefix: Type.Optional(path),
    template: Type.Optional(path),
  },
  {
    ...closed,
    minProperties: 1,
    maxProperties: 1,
    description:
      'Exactly one of: `exact`; `prefix` (whole segments: /items matches /items and /items/1, not /itemsale); `template` (`/items/{id}`: a `{name}` takes one whole segment)',
  },
);

export const Route = Type.Object(
  {
    host: Type.Optional(
      Type.String({
        pattern: HOST_PATTERN,
        minLength: 1,
        maxLength: 255,
        description: 'Host without port; `*.example.org` takes any subdomain',
      }),
    ),
    methods: Type.Optional(
      Type.Array(Type.String({ pattern: METHOD_PATTERN, minLength: 1, maxLength: 16 }), { minItems: 1, maxItems: 16 }),
    ),
    path: PathMatch,
  },
  { ...closed, description: 'First match in declared order wins, over features and their routes' },
);

export const StatusRange = Type.Object(
  { from: Type.Integer({ minimum: 100, maximum: 599 }), to: Type.Integer({ minimum: 100, maximum: 599 }) },
  { ...closed, description: 'Inclusive range of response statuses' },
);

export const Failure = Type.Object(
  {
    statuses: Type.Array(StatusRange, {
      minItems: 0,
      maxItems: 16,
      default: [{ from: 500, to: 599 }],
      description: 'Statuses that count as failures',
    }),
    slowMs: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: LIMITS.durationMs,
        description: 'Slower than this, from the last byte of the request to the response headers, counts as slow',
      }),
    ),
  },
  { ...defaulted, description: 'What counts as a failure. Cancelled requests, local overload and injected faults never count' },
);

export const HalfOpen = Type.Object(
  {
    probes: count(5, 1, 1000, 'Probes that a proxy sends while HALF_OPEN, over all its workers'),
    successPercent: percent(80, 1, 'Share of these that must succeed to close'),
    timeoutMs: duration(10_000, 100, 'Probes without an outcome for this long are given out anew'),
  },
  defaulted,
);

export const Breaker = Type.Object(
  {
    windowMs: duration(10_000, 1000, 'Length of the sliding window'),
    buckets: count(10, 2, 60, 'Buckets of the window'),
    minimumRequests: count(20, 1, 1_000_000, 'Below this many outcomes in the window no rate is judged'),
    failureRatePercent: percent(50, 1, 'Failure rate that trips'),
    slowRatePercent: percent(50, 1, 'Rate of slow requests that trips; only with `failure.slowMs`'),
    consecutiveFailures: count(10, 0, 10_000, 'Failures in a row that trip, on one worker; 0 turns this off'),
    openMs: duration(5000, 100, 'First time that the breaker stays OPEN'),
    openFactor: count(2, 1, 10, 'Growth of the open time with each trip in a row'),
    openCapMs: duration(30_000, 100, 'Longest open time before jitter'),
    jitter: Type.Enum([...JITTERS], {
      default: 'equal',
      description: 'equal: half fixed, half random; full: all random; decorrelated: between openMs and three times the last wait',
    }),
    halfOpen: HalfOpen,
    rampMs: duration(10_000, 0, 'After closing, traffic comes back linearly over this time'),
    resetAfterMs: duration(60_000, 1000, 'CLOSED for this long, the open time starts from openMs again'),
  },
  { ...defaulted, description: "Health-based breaker of each proxy (Envoy's own `circuit_breakers` are concurrency caps)" },
);

export const StaleRung = Type.Object(
  {
    maxStaleMs: duration(
      3_600_000,
      1000,
      'How long after its freshness ended a copy may be served, unless the response says otherwise (`stale-if-error`)',
    ),
    refreshMs: duration(5000, 100, 'A copy is renewed at most once in this time'),
    queryParameters: Type.Array(Type.String({ pattern: PARAMETER_PATTERN, minLength: 1, maxLength: 64 }), {
      minItems: 0,
      maxItems: 32,
      default: [],
      description: 'Query parameters that are part of the key; a request with any other parameter is not cached',
    }),
    varyHeaders: Type.Array(HeaderName, {
      minItems: 0,
      maxItems: 8,
      default: [],
      description: 'Request headers that are part of the key; a response that varies on any other is not stored',
    }),
  },
  { ...closed, description: 'Stale copy from the cache' },
);

export const ClusterRung = Type.Object(
  {
    name: ClusterName,
    timeoutMs: Type.Integer({ minimum: 10, maximum: 60_000, default: 1000, description: 'Deadline of the call-out' }),
  },
  { ...closed, description: 'Another cluster; it must be listed in `fallbackClusters` of the plugin configuration' },
);

export const StaticRung = Type.Object(
  {
    status: Type.Integer({ minimum: 200, maximum: 599, default: 503 }),
    contentType: Type.String({ pattern: HEADER_VALUE_PATTERN, minLength: 1, maxLength: 255, default: 'text/plain; charset=utf-8' }),
    headers: Type.Record(HeaderName, Type.String({ pattern: HEADER_VALUE_PATTERN, maxLength: 1024 }), {
      ...closed,
      maxProperties: 16,
      default: {},
    }),
    body: Type.String({ maxLength: LIMITS.staticBody, default: '' }),
  },
  { ...closed, description: 'Fixed reply' },
);

export const Rung = Type.Object(
  { stale: Type.Optional(StaleRung), cluster: Type.Optional(ClusterRung), static: Type.Optional(StaticRung) },
  { ...closed, minProperties: 1, maxProperties: 1, description: 'One step of the fallback chain' },
);

export const Dependency = Type.Object(
  {
    feature: Name,
    hard: Type.Boolean({ default: false, description: 'Pull this feature back with its dependency even while its own traffic is healthy' }),
  },
  closed,
);

export const Backoff = Type.Object(
  {
    baseMs: duration(1000, 10, 'Wait before the first attempt'),
    factor: count(2, 1, 10, 'Growth per failed attempt'),
    capMs: duration(30_000, 10, 'Longest wait before jitter'),
    jitter: Type.Enum([...JITTERS], { default: 'equal' }),
  },
  defaulted,
);

export const FeatureRecovery = Type.Object(
  {
    pattern: Type.Enum(['partial', 'exponential-backoff'], {
      default: 'partial',
      description: 'partial: ramp in steps; exponential-backoff: from successful probes straight to ENABLED',
    }),
    rampPercent: Type.Array(Type.Integer({ minimum: 1, maximum: 100 }), {
      minItems: 1,
      maxItems: 20,
      default: [1, 5, 10, 25, 50, 100],
      description: 'Steps of the ramp, rising, the last one 100',
    }),
    stableForMs: duration(60_000, 1000, 'Longest stability window of a step'),
    minimumSamples: count(20, 1, 1_000_000, 'Outcomes that a step needs to pass'),
    maxFailurePercent: percent(10, 0, 'A step with a higher failure rate fails'),
    probes: count(3, 1, 1000, 'Successful probes that an attempt needs before the ramp'),
    backoff: Backoff,
    maxAttempts: count(10, 1, 10_000, 'Failed attempts after which the recovery counts as stuck'),
    onExhausted: Type.Enum(['continue', 'hold'], {
      default: 'continue',
      description: 'continue: go on probing at the cap; hold: wait for a person',
    }),
    resetAfterMs: duration(300_000, 1000, 'ENABLED for this long, a failure starts a new outage'),
  },
  { ...defaulted, description: 'How the fleet brings this feature back' },
);

export const Health = Type.Object(
  {
    windowMs: duration(10_000, 1000, 'Window that is judged'),
    minimumRequests: count(20, 1, 1_000_000, 'Below this many outcomes health is UNKNOWN'),
    degradedPercent: percent(10, 1, 'Failure rate from which the feature is DEGRADED'),
    unhealthyPercent: percent(50, 1, 'Failure rate from which the feature is UNHEALTHY'),
    hysteresisPercent: Type.Integer({
      minimum: 0,
      maximum: 50,
      default: 5,
      description: 'A rate must fall this far below a threshold to leave it',
    }),
  },
  { ...defaulted, description: 'How the control plane judges this feature' },
);

export const StickyKey = Type.Object(
  { header: Type.Optional(HeaderName), cookie: Type.Optional(Type.String({ pattern: PARAMETER_PATTERN, minLength: 1, maxLength: 64 })) },
  {
    ...closed,
    minProperties: 1,
    maxProperties: 1,
    description: 'Keeps a user on one side of the admit share; without it each request is drawn by itself',
  },
);

export const Feature = Type.Object(
  {
    name: Name,
    description: Type.Optional(Type.String({ maxLength: 1024 })),
    priority: count(100, 1, 1000, '1 comes back first'),
    dependsOn: Type.Array(Dependency, { minItems: 0, maxItems: LIMITS.dependencies, default: [] }),
    mode: Type.Optional(Type.Enum([...MODES], { description: "Stricter than the policy's, never looser" })),
    routes: Type.Array(Route, { minItems: 1, maxItems: LIMITS.routes }),
    stickyKey: Type.Optional(StickyKey),
    failure: Failure,
    breaker: Breaker,
    fallback: Type.Array(Rung, { minItems: 0, maxItems: LIMITS.rungs, default: [] }),
    health: Health,
    recovery: FeatureRecovery,
  },
  closed,
);
export type Feature = Static<typeof Feature>;

export const ServiceRecovery = Type.Object(
  {
    scope: Type.Enum(['fleet', 'proxy'], {
      default: 'fleet',
      description: 'proxy: each proxy has its own upstream (inbound side of a sidecar); it recovers alone, the fleet only watches',
    }),
    upstreamGroup: Type.Optional(describedName('Services that name one group share its probe budget; default: the service')),
    probesInFlight: count(5, 1, 1000, 'Probes in flight at the upstream, over the whole fleet'),
    probesPerSecond: count(5, 1, 1000, 'Probes granted per second, over the whole fleet'),
    maxRamping: count(2, 1, LIMITS.features, 'Features that may ramp at the same time; the one of highest priority is exempt'),
  },
  defaulted,
);

export const Governance = Type.Object(
  {
    staleAfterMs: duration(
      15_000,
      1000,
      "Without a sign of the fleet's leader for this long (× 1 to 1.3, drawn per proxy), proxies recover by themselves",
    ),
    reportMs: duration(1000, 100, 'Report interval under traffic; at most a third of staleAfterMs'),
    quietReportMs: duration(5000, 100, 'Report interval without traffic; at most a third of staleAfterMs'),
  },
  defaulted,
);

export const Policy = Type.Object(
  {
    service: Name,
    mode: Type.Enum([...MODES], { default: 'enforce', description: 'off: pass; shadow: judge and count, never act; enforce' }),
    autopilot: Type.Enum(['on', 'advise', 'off'], {
      default: 'on',
      description: 'advise: the control plane says what it would do; off: it only watches',
    }),
    recovery: ServiceRecovery,
    governance: Governance,
    features: Type.Array(Feature, { minItems: 1, maxItems: LIMITS.features }),
  },
  { ...closed, description: 'The policy document of one service' },
);
/** A policy with every default filled in. */
export type Policy = Static<typeof Policy>;
