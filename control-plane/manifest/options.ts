import Type, { type Static } from 'typebox';
import { LIMITS } from '../contract/limits.ts';
import { ClusterName, HEADER_VALUE_PATTERN, MODES } from '../contract/names.ts';
import { ServiceEntry } from '../contract/plugin-configuration.ts';
import { closed } from '../contract/schema-kinds.ts';
import { FILTER_SHA256, FILTER_VERSION } from './filter.gen.ts';

export const KINDS = ['EnvoyFilter', 'WasmPlugin', 'TrafficExtension'] as const;
const CONTEXTS = ['inbound', 'outbound', 'gateway'] as const;
const DELIVERIES = ['local-file', 'ecds-http', 'ecds-oci'] as const;
export const PLACES = ['before-router', 'before-cors'] as const;
export const CONTROL_PLANES = ['mesh-service', 'added-cluster', 'none'] as const;

const LABEL_VALUE = '^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$';
const LABEL_KEY = '^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$';
const NAMESPACE = '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$';
const HOST = '^[a-z0-9]([a-z0-9.-]{0,235}[a-z0-9])?$';

const time = (value: number, minimum: number, maximum: number, description: string) =>
  Type.Integer({ minimum, maximum, default: value, description });
const port = (description: string) => ({ minimum: 1, maximum: 65_535, description });
const clusters = (description: string) => Type.Array(ClusterName, { minItems: 0, maxItems: 64, default: [], description });

/** What a manifest for Istio is made of. The descriptions are the help of `rekindle manifest`. */
export const ManifestOptions = Type.Object(
  {
    kind: Type.Enum([...KINDS], {
      default: 'EnvoyFilter',
      description: 'API that places the filter; the other two cannot set all that EnvoyFilter can, and say so in the manifest',
    }),
    context: Type.Enum([...CONTEXTS], { default: 'inbound', description: 'side of the sidecar, or a gateway' }),
    name: Type.Optional(
      Type.String({
        pattern: NAMESPACE,
        minLength: 1,
        maxLength: 63,
        description: 'name of the manifest; default: rekindle-CONTEXT-VERSION, for the inbound side rekindle-SERVICE-inbound-VERSION',
      }),
    ),
    namespace: Type.String({
      pattern: NAMESPACE,
      minLength: 1,
      maxLength: 63,
      default: 'default',
      description: 'namespace of the workloads (of the gateway), where the manifest applies',
    }),
    labels: Type.Record(Type.String({ pattern: LABEL_KEY }), Type.String({ pattern: LABEL_VALUE, minLength: 0, maxLength: 63 }), {
      ...closed,
      minProperties: 1,
      maxProperties: 16,
      description: 'labels of the pods that get the filter; without any, Istio would take the whole namespace',
    }),
    filterVersion: Type.String({
      pattern: LABEL_VALUE,
      minLength: 1,
      maxLength: 63,
      default: FILTER_VERSION,
      description: 'version of the filter; a new one gets manifests of its own beside the old',
    }),
    versionLabel: Type.Boolean({
      default: true,
      description: 'take only pods that also carry the label rekindle-filter: VERSION, so that an upgrade and its rollback go pod by pod',
    }),
    delivery: Type.Enum([...DELIVERIES], {
      default: 'local-file',
      description: 'how the module gets to the proxy: a mounted file, or fetched by the Istio agent over HTTP or from an OCI registry',
    }),
    folder: Type.String({
      pattern: '^/[A-Za-z0-9._/-]{1,200}$',
      minLength: 2,
      maxLength: 201,
      default: '/etc/rekindle',
      description: 'local-file: folder in the proxy where the module is mounted as rekindle-SHA.wasm, by the first 12 digits of its hash',
    }),
    url: Type.Optional(
      Type.String({
        pattern: '^(https?|oci)://[^\\x00-\\x20"\'\\\\]{1,1000}$',
        minLength: 8,
        maxLength: 1010,
        description: 'ecds-http: https://… of the module; ecds-oci: oci://… of its image',
      }),
    ),
    sha256: Type.Optional(
      Type.String({
        pattern: '^[0-9a-f]{64}$',
        minLength: 64,
        maxLength: 64,
        description: `hash of the module, default: of the one that this version was built with (${FILTER_SHA256.slice(0, 12)}…); ecds-oci: digest of the image, without sha256:`,
      }),
    ),
    port: Type.Optional(
      Type.Integer(
        port('only this port: of the workload (inbound), of the service called (outbound), of the listener (gateway); default: all'),
      ),
    ),
    place: Type.Enum([...PLACES], {
      default: 'before-router',
      description:
        'before-cors: further out than cors, whose headers degraded answers then lack, and which sees no preflight that is refused',
    }),
    mode: Type.Enum([...MODES], { default: 'enforce', description: 'off: pass; shadow: judge and count, never act; enforce' }),
    services: Type.Array(ServiceEntry, {
      minItems: 1,
      maxItems: LIMITS.services,
      description: 'services with their hosts or clusters and their inline policy; without a policy the default breaker over all requests',
    }),
    controlPlane: Type.Enum([...CONTROL_PLANES], {
      default: 'mesh-service',
      description: 'the control plane as a service of the mesh (mTLS as everywhere), as a cluster that the manifest adds, or none',
    }),
    controlPlaneHost: Type.String({
      pattern: HOST,
      minLength: 1,
      maxLength: 237,
      default: 'rekindle.rekindle.svc.cluster.local',
      description: 'host of the control plane; a mesh service by its full name',
    }),
    controlPlanePort: Type.Integer({ ...port('port of the control plane'), default: 7700 }),
    controlPlaneTls: Type.Boolean({
      default: false,
      description: 'added-cluster: TLS to the control plane, its certificate checked against the system roots of the proxy image',
    }),
    token: Type.Optional(
      Type.String({
        pattern: HEADER_VALUE_PATTERN,
        minLength: 1,
        maxLength: 512,
        description: "the filter's access token; it stands in the manifest in clear text",
      }),
    ),
    sharedCopies: Type.Boolean({ default: false, description: 'share copies of answers between proxies through the control plane' }),
    fallbackClusters: clusters('Envoy clusters that `cluster` rungs may name; each gets a route on x-rekindle-fallback'),
    fallbackTimeoutMs: time(5000, 100, 300_000, 'timeout of the routes to fallback clusters'),
    probeClusters: clusters('Envoy clusters that `probe.request` may name'),
    streamIdleTimeoutMs: time(
      300_000,
      1000,
      86_400_000,
      "ends streams without any activity, for instance such as a trap of the module left hanging; Istio's sidecars never do otherwise",
    ),
  },
  closed,
);
export type ManifestOptions = Static<typeof ManifestOptions>;

/** One option as help shows it. */
export interface OptionHelp {
  readonly name: string;
  readonly type: string;
  readonly description: string;
  readonly isRequired: boolean;
  /** Words to choose from; empty: any. */
  readonly choices: readonly string[];
  /** undefined: none, or it depends on others, as the description says. */
  readonly default: unknown;
}

/** All options, in the order of the schema. */
export function manifestOptionHelp(): OptionHelp[] {
  const { properties, required } = ManifestOptions as unknown as {
    readonly properties: Readonly<Record<string, { type?: string; enum?: readonly string[]; default?: unknown; description?: string }>>;
    readonly required: readonly string[];
  };
  return Object.entries(properties).map(([name, { type = 'string', enum: choices = [], default: value, description = '' }]) => ({
    name,
    type,
    description,
    isRequired: required.includes(name) && value === undefined,
    choices,
    default: value,
  }));
}
