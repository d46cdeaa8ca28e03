import Type, { type Static } from 'typebox';
import { LIMITS } from './limits.ts';
import { ClusterName, describedCluster, describedName, HEADER_VALUE_PATTERN, HOST_PATTERN, MODES } from './names.ts';
import { Policy } from './policy.ts';

const closed = { additionalProperties: false } as const;

export const ServiceEntry = Type.Object(
  {
    service: describedName('Name of the service, as in its policy'),
    hosts: Type.Optional(
      Type.Array(Type.String({ pattern: HOST_PATTERN, minLength: 1, maxLength: 255 }), {
        minItems: 1,
        maxItems: 64,
        description: 'Hosts whose requests belong to the service; `*.example.org` takes any subdomain',
      }),
    ),
    clusters: Type.Optional(
      Type.Array(ClusterName, { minItems: 1, maxItems: 64, description: 'Clusters of the route whose requests belong to the service' }),
    ),
    policy: Type.Optional(Policy),
  },
  { ...closed, description: 'Requests of these hosts or clusters belong to this service; neither means all' },
);

export const ControlPlane = Type.Object(
  {
    cluster: describedCluster('Envoy cluster of the control plane'),
    authority: Type.String({
      pattern: HEADER_VALUE_PATTERN,
      minLength: 1,
      maxLength: 255,
      default: 'rekindle',
      description: 'Host that is asked for',
    }),
    token: Type.Optional(
      Type.String({ pattern: HEADER_VALUE_PATTERN, minLength: 1, maxLength: 512, description: 'Access token of scope `filter`' }),
    ),
    waitMs: Type.Integer({ minimum: 1000, maximum: 60_000, default: 25_000, description: 'Length of a long poll' }),
  },
  { ...closed, description: 'Without it the filter works by its inline policies alone' },
);

export const Cache = Type.Object(
  {
    entries: Type.Integer({ minimum: 4, maximum: 4096, default: 256, description: 'Slots of the stale cache, per proxy' }),
    maxBodyBytes: Type.Integer({ minimum: 1024, maximum: 262_144, default: 65_536, description: 'Largest body that is stored' }),
    shared: Type.Boolean({
      default: false,
      description: 'Proxies of a service share copies through the control plane, for the `stale` rung of one that has none itself',
    }),
  },
  { ...closed, default: {}, description: 'Copies for the `stale` rung' },
);

/** JSON of the filter's `configuration` (in a google.protobuf.StringValue). */
export const PluginConfiguration = Type.Object(
  {
    mode: Type.Enum([...MODES], { default: 'enforce', description: 'Beats every policy: off is a switch that needs no control plane' }),
    services: Type.Array(ServiceEntry, { minItems: 1, maxItems: LIMITS.services, description: 'Services behind this filter' }),
    controlPlane: Type.Optional(ControlPlane),
    cache: Cache,
    fallbackClusters: Type.Array(ClusterName, {
      minItems: 0,
      maxItems: 64,
      default: [],
      description: "The only clusters that a policy's `cluster` rungs may name",
    }),
    probeClusters: Type.Array(ClusterName, {
      minItems: 0,
      maxItems: 64,
      default: [],
      description: "The only clusters that a policy's `probe.request` may name: mostly the upstreams themselves",
    }),
  },
  closed,
);
export type PluginConfiguration = Static<typeof PluginConfiguration>;
