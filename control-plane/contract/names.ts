import Type, { type Static } from 'typebox';
import { LIMITS } from './limits.ts';

/** Name of a service, feature or upstream group: also a metric label, so its alphabet is small. */
export const NAME_PATTERN = '^[a-z0-9][a-z0-9-]{0,62}$';
/** Host to match: a name, or `*.suffix`. Compared without port, in lower case. */
export const HOST_PATTERN = '^(\\*\\.)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$';
/** Field name of RFC 9110 section 5.1, in lower case as Envoy keeps it. */
export const HEADER_NAME_PATTERN = "^[a-z0-9!#$%&'*+.^_`|~-]{1,128}$";
/** Field value of RFC 9110 section 5.5 without CR, LF, NUL and other controls. */
export const HEADER_VALUE_PATTERN = '^[\\x20-\\x7e]{0,1024}$';
/** Name of an Envoy cluster; Istio's hold `|`. */
export const CLUSTER_PATTERN = '^[a-zA-Z0-9][a-zA-Z0-9._|:-]{0,252}$';
/** Path as sent by a client: starts with a slash, printable ASCII, no query or fragment. */
export const PATH_PATTERN = '^/[!-"$->@-~]{0,1023}$';
/** Opaque id: lineage, content hash, instance. */
export const ID_PATTERN = '^[a-z0-9-]{1,64}$';
/** HTTP method in capitals. */
export const METHOD_PATTERN = '^[A-Z]{1,16}$';
/** Query parameter or cookie name. */
export const PARAMETER_PATTERN = '^[A-Za-z0-9._~-]{1,64}$';

const nameOptions = { pattern: NAME_PATTERN, minLength: 1, maxLength: LIMITS.nameLength } as const;
const idOptions = { pattern: ID_PATTERN, minLength: 1, maxLength: 64 } as const;

export const Name = Type.String(nameOptions);
export const describedName = (description: string) => Type.String({ ...nameOptions, description });
const clusterOptions = { pattern: CLUSTER_PATTERN, minLength: 1, maxLength: 253 } as const;
export const ClusterName = Type.String(clusterOptions);
export const describedCluster = (description: string) => Type.String({ ...clusterOptions, description });
const headerOptions = { pattern: HEADER_NAME_PATTERN, minLength: 1, maxLength: 128 } as const;
export const HeaderName = Type.String(headerOptions);
export const describedHeader = (description: string) => Type.String({ ...headerOptions, description });
export const Id = Type.String(idOptions);
export const describedId = (description: string) => Type.String({ ...idOptions, description });

/** What the control plane allows for a feature. */
export const FEATURE_STATES = ['DISABLED', 'TESTING', 'ENABLED'] as const;
export const FeatureState = Type.Enum([...FEATURE_STATES], { description: 'What the control plane allows' });
export type FeatureState = Static<typeof FeatureState>;

/** What the control plane judges of a feature. */
export const FEATURE_HEALTHS = ['UNKNOWN', 'HEALTHY', 'DEGRADED', 'UNHEALTHY'] as const;
export const FeatureHealth = Type.Enum([...FEATURE_HEALTHS], { description: 'What the control plane judges' });
export type FeatureHealth = Static<typeof FeatureHealth>;

/** What a proxy decides for a feature by itself, and the two phases a person can force. */
export const BREAKER_PHASES = ['CLOSED', 'OPEN', 'HALF_OPEN', 'FORCED_OPEN', 'FORCED_CLOSED'] as const;
export const BreakerPhase = Type.Enum([...BREAKER_PHASES], { description: 'Breaker phase of a proxy' });
export type BreakerPhase = Static<typeof BreakerPhase>;

export const RUNGS = ['stale', 'cluster', 'static'] as const;

export const MODES = ['enforce', 'shadow', 'off'] as const;
export type Mode = (typeof MODES)[number];

/** What a feature speaks; the order is that of the filter's `Protocol`. */
export const PROTOCOLS = ['http', 'grpc', 'grpc-web'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export const JITTERS = ['full', 'equal', 'decorrelated', 'none'] as const;
export type Jitter = (typeof JITTERS)[number];

/** A share of requests in basis points. */
export const Admit = Type.Integer({ minimum: 0, maximum: 10_000, description: 'Share of requests let through, in basis points' });
/** A count or id that grows for ever. */
export const Counter = Type.Integer({ minimum: 0, maximum: LIMITS.safeInteger });
