import Type, { type Static } from 'typebox';
import { Breaker, Failure } from './breaker.ts';
import { FallbackTimeout, Rung } from './fallback.ts';
import { LIMITS } from './limits.ts';
import { describedHeader, describedName, MODES, PARAMETER_PATTERN, PROTOCOLS } from './names.ts';
import { Probe } from './probe.ts';
import { FeatureRecovery, Governance, Health, ServiceRecovery } from './recovery.ts';
import { Route } from './routes.ts';
import { closed, count } from './schema-kinds.ts';

export const Dependency = Type.Object(
  {
    feature: describedName('Feature of this policy without which this one is pointless: it comes back after it'),
    hard: Type.Boolean({ default: false, description: 'Pull this feature back with its dependency even while its own traffic is healthy' }),
  },
  closed,
);

export const StickyKey = Type.Object(
  {
    header: Type.Optional(describedHeader('Request header whose value is the key')),
    cookie: Type.Optional(
      Type.String({ pattern: PARAMETER_PATTERN, minLength: 1, maxLength: 64, description: 'Cookie whose value is the key' }),
    ),
  },
  {
    ...closed,
    minProperties: 1,
    maxProperties: 1,
    description: 'Keeps a user on one side of the admit share; without it each request is drawn by itself',
  },
);

export const Feature = Type.Object(
  {
    name: describedName('Unique in the policy; a label of metrics'),
    description: Type.Optional(Type.String({ maxLength: 1024, description: 'For people' })),
    renamedFrom: Type.Optional(describedName('Name that this feature had before: flag, recovery and override move along. May stay')),
    priority: count(100, 1, 1000, '1 comes back first'),
    dependsOn: Type.Array(Dependency, {
      minItems: 0,
      maxItems: LIMITS.dependencies,
      default: [],
      description: 'Features that must be back before this one',
    }),
    mode: Type.Optional(Type.Enum([...MODES], { description: "Stricter than the policy's, never looser" })),
    routes: Type.Array(Route, { minItems: 1, maxItems: LIMITS.routes, description: 'Requests that belong to this feature' }),
    protocol: Type.Enum([...PROTOCOLS], {
      default: 'http',
      description:
        'grpc: each answer is judged by its `grpc-status`, one that ends without is a failure. http: a `grpc-status` is judged where there is one',
    }),
    stickyKey: Type.Optional(StickyKey),
    failure: Failure,
    breaker: Breaker,
    fallback: Type.Array(Rung, {
      minItems: 0,
      maxItems: LIMITS.rungs,
      default: [],
      description: 'Rungs that are tried in order when the upstream must not or did not answer; none: the original failure, or 503',
    }),
    fallbackTimeoutMs: FallbackTimeout,
    health: Health,
    recovery: FeatureRecovery,
    probe: Type.Optional(Probe),
  },
  closed,
);
export type Feature = Static<typeof Feature>;

export const Policy = Type.Object(
  {
    service: describedName('Name of the service, as in the plugin configuration; a label of metrics'),
    mode: Type.Enum([...MODES], { default: 'enforce', description: 'off: pass; shadow: judge and count, never act; enforce' }),
    autopilot: Type.Enum(['on', 'advise', 'off'], {
      default: 'on',
      description: 'advise: the control plane says what it would do; off: it only watches',
    }),
    recovery: ServiceRecovery,
    governance: Governance,
    features: Type.Array(Feature, {
      minItems: 1,
      maxItems: LIMITS.features,
      description: 'Named groups of routes; the first route that matches wins',
    }),
  },
  { ...closed, description: 'The policy document of one service' },
);
/** A policy with every default filled in. */
export type Policy = Static<typeof Policy>;
