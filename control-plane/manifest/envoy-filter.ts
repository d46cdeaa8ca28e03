import { isIP } from 'node:net';
import { ADDED_CLUSTER } from './plugin-json.ts';
import type { Manifest } from './read.ts';
import { filterName, RBAC_TYPE, WASM_TYPE, wasmFilter, wasmFilterNotes } from './wasm-filter.ts';
import type { Note } from './yaml-text.ts';

const CONNECTION_MANAGER = 'envoy.filters.network.http_connection_manager';
const CONNECTION_MANAGER_TYPE = 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const ISTIO_CONTEXTS = { inbound: 'SIDECAR_INBOUND', outbound: 'SIDECAR_OUTBOUND', gateway: 'GATEWAY' } as const;
const TLS_TYPE = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext';
/** Where the image of Istio's proxy has its certificates. */
const SYSTEM_ROOTS = '/etc/ssl/certs/ca-certificates.crt';

/** One entry of `configPatches`, and why it is there. */
interface Patch {
  readonly applyTo: string;
  readonly match: object;
  readonly patch: { readonly operation: string; readonly value: object };
  readonly why: string;
  /** Inside of `patch.value`. */
  readonly notes?: readonly Note[];
}

/** The patches that place the filter itself. */
export function filterPatches(manifest: Manifest): Patch[] {
  const { place, delivery } = manifest;
  const isInnermost = place === 'before-router';
  const remote = delivery !== 'local-file';
  const value = { name: filterName(manifest), ...(remote ? { config_discovery: discovery } : { typed_config: wasmFilter(manifest) }) };
  const configNotes = wasmFilterNotes(manifest).map(({ path, text }) => ({ path: ['typed_config', 'config', ...path], text }));
  const placed: Patch = {
    applyTo: 'HTTP_FILTER',
    match: listenerMatch(manifest, { subFilter: { name: isInnermost ? 'envoy.filters.http.router' : 'envoy.filters.http.cors' } }),
    patch: { operation: 'INSERT_BEFORE', value },
    why: isInnermost
      ? `The innermost filter, so that cors and Istio's metrics see the answers that it gives. ${NEVER_ADD}`
      : `Further out than cors. ${NEVER_ADD}`,
    notes: remote ? [{ path: ['config_discovery', 'type_urls'], text: RBAC_WHY }] : configNotes,
  };
  if (!remote) return [placed];
  return [
    placed,
    {
      applyTo: 'EXTENSION_CONFIG',
      match: { context: ISTIO_CONTEXTS[manifest.context] },
      patch: { operation: 'ADD', value: { name: filterName(manifest), typed_config: wasmFilter(manifest) } },
      why: 'The configuration that is discovered, by the name of the filter: the Istio agent fetches modules for these only.',
      notes: configNotes,
    },
  ];
}

const NEVER_ADD = 'Never ADD: that puts the filter\nbehind the router, and Envoy rejects the listener.';
const RBAC_WHY =
  'What the agent hands over where it cannot fetch the module: an RBAC filter that denies (403). Without this type Envoy would refuse\neven that, and answer 500.';
const discovery = {
  config_source: { ads: {}, initial_fetch_timeout: '0s', resource_api_version: 'V3' },
  type_urls: [WASM_TYPE, RBAC_TYPE],
};

/** What the filter needs around it. */
export function surroundingPatches(manifest: Manifest): Patch[] {
  return [idleTimeout(manifest), ...controlPlaneCluster(manifest), ...fallbackRoutes(manifest)];
}

function idleTimeout(manifest: Manifest): Patch {
  const typed_config = { '@type': CONNECTION_MANAGER_TYPE, stream_idle_timeout: seconds(manifest.streamIdleTimeoutMs) };
  return {
    applyTo: 'NETWORK_FILTER',
    match: listenerMatch(manifest, {}),
    patch: { operation: 'MERGE', value: { name: CONNECTION_MANAGER, typed_config } },
    why: "Istio's sidecars have none: streams that a trap of the module left waiting would hang for ever.",
  };
}

function controlPlaneCluster(manifest: Manifest): Patch[] {
  const { controlPlane, controlPlaneHost: address, controlPlanePort: port_value, controlPlaneTls } = manifest;
  if (controlPlane !== 'added-cluster') return [];
  const value = {
    name: ADDED_CLUSTER,
    type: 'STRICT_DNS',
    connect_timeout: '1s',
    load_assignment: {
      cluster_name: ADDED_CLUSTER,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address, port_value } } } }] }],
    },
    ...(controlPlaneTls ? { transport_socket: tls(address) } : {}),
  };
  return [
    {
      applyTo: 'CLUSTER',
      match: { context: ISTIO_CONTEXTS[manifest.context] },
      patch: { operation: 'ADD', value },
      why: controlPlaneTls
        ? 'The control plane outside of the mesh.'
        : 'The control plane outside of the mesh. In clear text: for one inside of it use its mesh service, which has mTLS.',
    },
  ];
}

const tls = (host: string) => ({
  name: 'envoy.transport_sockets.tls',
  typed_config: {
    '@type': TLS_TYPE,
    ...(isIP(host) ? {} : { sni: host }),
    common_tls_context: {
      validation_context: {
        trusted_ca: { filename: SYSTEM_ROOTS },
        match_typed_subject_alt_names: [{ san_type: isIP(host) ? 'IP_ADDRESS' : 'DNS', matcher: { exact: host } }],
      },
    },
  },
});

/** On the ports that the filter is on: elsewhere nothing takes the mark from what clients send, and they would choose the cluster. */
function fallbackRoutes({ context, port, fallbackClusters, fallbackTimeoutMs }: Manifest): Patch[] {
  const narrowed = port !== undefined && context === 'inbound' ? { routeConfiguration: { portNumber: port } } : {};
  return fallbackClusters.map((cluster, index) => ({
    applyTo: 'HTTP_ROUTE',
    match: { context: ISTIO_CONTEXTS[context], ...narrowed },
    patch: {
      operation: 'INSERT_FIRST',
      value: {
        name: `rekindle-fallback-${index}`,
        match: { prefix: '/', headers: [{ name: 'x-rekindle-fallback', string_match: { exact: cluster } }] },
        route: { cluster, timeout: seconds(fallbackTimeoutMs) },
      },
    },
    why: 'A `cluster` rung marks the request, Envoy matches it anew. The filter removes the mark from what clients send.',
  }));
}

function listenerMatch({ context, port }: Manifest, filter: object): object {
  const listener = {
    ...(port === undefined ? {} : { portNumber: port }),
    filterChain: { filter: { name: CONNECTION_MANAGER, ...filter } },
  };
  return { context: ISTIO_CONTEXTS[context], listener };
}

const seconds = (ms: number) => `${ms / 1000}s`;

/** `configPatches`, and the comments by their paths. */
export function configPatches(patches: readonly Patch[]): { readonly value: object[]; readonly notes: Note[] } {
  const notes = patches.flatMap(({ why, notes: inner = [] }, index) => [
    { path: ['spec', 'configPatches', index], text: why },
    ...inner.map(({ path, text }) => ({ path: ['spec', 'configPatches', index, 'patch', 'value', ...path], text })),
  ]);
  return { value: patches.map(({ applyTo, match, patch }) => ({ applyTo, match, patch })), notes };
}
