import Type from 'typebox';
import { LIMITS } from './limits.ts';
import { DEGRADED_REASONS } from './metrics.ts';
import { describedCluster, HEADER_VALUE_PATTERN, HeaderName, PARAMETER_PATTERN } from './names.ts';
import { closed, count, duration } from './schema-kinds.ts';

const callTimeout = (defaultMs: number, description: string) => count(defaultMs, 10, 60_000, description);

/** Absent rather than a list of all, so that a reason that a later version adds is among them. */
const causes = Type.Optional(
  Type.Array(Type.Enum([...DEGRADED_REASONS]), {
    minItems: 1,
    maxItems: DEGRADED_REASONS.length,
    description: 'Why the chain runs, as far as this rung is to answer then; without it: whatever the reason',
  }),
);

export const StaleRung = Type.Object(
  {
    maxStaleMs: duration(
      3_600_000,
      1000,
      'How long after its freshness ended a copy may be served, unless the response says otherwise (`stale-if-error`)',
    ),
    timeoutMs: callTimeout(150, 'Deadline of the call-out for a copy that this proxy does not have'),
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
    causes,
  },
  { ...closed, description: 'Stale copy from the cache' },
);

export const ClusterRung = Type.Object(
  {
    name: describedCluster('Cluster of Envoy'),
    timeoutMs: callTimeout(1000, 'Deadline of the call-out'),
    causes,
  },
  { ...closed, description: 'Another cluster; it must be listed in `fallbackClusters` of the plugin configuration' },
);

/** Response headers that the filter or Envoy writes itself: a static rung must not set them. */
export const RESERVED_HEADERS = [
  'age',
  'cache-status',
  'connection',
  'content-length',
  'content-type',
  'keep-alive',
  'proxy-connection',
  'rekindle',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-envoy-ratelimited',
] as const;

const ContentType = { pattern: HEADER_VALUE_PATTERN, minLength: 1, maxLength: 255 } as const;

export const Representation = Type.Object(
  {
    contentType: Type.String({ ...ContentType, description: 'Media type of this body' }),
    body: Type.String({ maxLength: LIMITS.staticBody, description: 'Text that is sent' }),
  },
  closed,
);

export const StaticRung = Type.Object(
  {
    status: Type.Integer({ minimum: 200, maximum: 599, default: 503, description: 'Status of the reply' }),
    contentType: Type.String({ ...ContentType, default: 'text/plain; charset=utf-8', description: 'Of `body`' }),
    headers: Type.Record(HeaderName, Type.String({ pattern: HEADER_VALUE_PATTERN, maxLength: 1024 }), {
      ...closed,
      maxProperties: 16,
      default: {},
      description: 'Further headers of the reply, names in lower case',
    }),
    body: Type.String({ maxLength: LIMITS.staticBody, default: '', description: 'Text that is sent' }),
    representations: Type.Array(Representation, {
      minItems: 0,
      maxItems: LIMITS.representations,
      default: [],
      description: "In place of `contentType` and `body`: the one that suits the request's `accept` best, else the first",
    }),
    causes,
  },
  { ...closed, description: 'Fixed reply' },
);

export const Rung = Type.Object(
  { stale: Type.Optional(StaleRung), cluster: Type.Optional(ClusterRung), static: Type.Optional(StaticRung) },
  { ...closed, minProperties: 1, maxProperties: 1, description: 'One step of the fallback chain' },
);

export const FallbackTimeout = callTimeout(
  2000,
  'How long a request may wait for its fallback chain, over all rungs that call out; then one that answers at once, else the original answer',
);
