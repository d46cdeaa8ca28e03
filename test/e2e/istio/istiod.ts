/** A part of Envoy's or Istio's configuration, as JSON. */
// biome-ignore lint/suspicious/noExplicitAny: documents of others, whose shape the patches themselves decide
export type Json = any;

export type Context = 'SIDECAR_INBOUND' | 'SIDECAR_OUTBOUND' | 'GATEWAY';

/** What istiod would build for one proxy before patches. */
export interface MeshProxy {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly listeners: { readonly context: Context; readonly listener: Json }[];
  /** Route configurations that listeners name. */
  readonly routes: { readonly context: Context; readonly configuration: Json }[];
  readonly clusters: Json[];
  /** Resources of ECDS. */
  readonly extensions: Json[];
}

const CONNECTION_MANAGER = 'envoy.filters.network.http_connection_manager';

/**
 * Does to a proxy what istiod does with an EnvoyFilter, for the kinds of patches that our manifests hold; what it does not know it throws at,
 * so that nothing in a manifest goes unread. Modelled on istio's `pilot/pkg/networking/core/envoyfilter`.
 */
export function applyEnvoyFilter({ kind, metadata, spec, ...rest }: Json, proxy: MeshProxy): void {
  onlyKnown(rest, ['apiVersion'], 'EnvoyFilter');
  if (kind !== 'EnvoyFilter') throw new Error(`not an EnvoyFilter: ${kind}`);
  onlyKnown(spec, ['workloadSelector', 'configPatches'], 'spec');
  if (!isSelected(metadata.namespace, spec.workloadSelector.labels, proxy)) return;
  for (const entry of spec.configPatches) {
    onlyKnown(entry, ['applyTo', 'match', 'patch'], 'configPatches');
    onlyKnown(entry.patch, ['operation', 'value'], 'patch');
    const kindOfPatch = `${entry.applyTo} ${entry.patch.operation}`;
    const apply = PATCHES[kindOfPatch];
    if (!apply) throw new Error(`this stand-in does not know ${kindOfPatch}`);
    apply(entry.match, structuredClone(entry.patch.value), proxy);
  }
}

export function isSelected(namespace: string, labels: Readonly<Record<string, string>>, proxy: MeshProxy): boolean {
  return namespace === proxy.namespace && Object.entries(labels).every(([name, value]) => proxy.labels[name] === value);
}

const PATCHES: Readonly<Record<string, (match: Json, value: Json, proxy: MeshProxy) => void>> = {
  'HTTP_FILTER INSERT_BEFORE': (match, value, proxy) => {
    const subFilter = match.listener.filterChain.filter.subFilter.name;
    for (const { http_filters } of managersOf(match, proxy)) {
      const at = http_filters.findIndex(({ name }: Json) => name === subFilter);
      if (at >= 0) http_filters.splice(at, 0, structuredClone(value)); // no error where nothing matches: istiod tells none
    }
  },
  'NETWORK_FILTER MERGE': (match, value, proxy) => {
    for (const manager of managersOf(match, proxy)) merge(manager, value.typed_config);
  },
  'HTTP_ROUTE INSERT_FIRST': (match, value, proxy) => {
    onlyKnown(match, ['context'], 'match of a route');
    const inline = listenersOf(match.context, proxy)
      .flatMap(connectionManagers)
      .flatMap(({ route_config }) => route_config ?? []);
    const named = proxy.routes.filter(({ context }) => context === match.context).map(({ configuration }) => configuration);
    for (const { virtual_hosts } of [...inline, ...named]) for (const { routes } of virtual_hosts) routes.unshift(structuredClone(value));
  },
  'CLUSTER ADD': (match, value, proxy) => {
    onlyKnown(match, ['context'], 'match of a cluster');
    const isAdded = proxy.clusters.some(({ name }) => name === value.name);
    if (listenersOf(match.context, proxy).length > 0 && !isAdded) proxy.clusters.push(value);
  },
  // Whatever the context says: istiod looks for what is discovered by its name only.
  'EXTENSION_CONFIG ADD': (match, value, proxy) => {
    onlyKnown(match, ['context'], 'match of an extension');
    proxy.extensions.push(value);
  },
};

function managersOf(match: Json, proxy: MeshProxy): Json[] {
  onlyKnown(match, ['context', 'listener'], 'match');
  onlyKnown(match.listener, ['filterChain'], 'match.listener');
  onlyKnown(match.listener.filterChain, ['filter'], 'match.listener.filterChain');
  onlyKnown(match.listener.filterChain.filter, ['name', 'subFilter'], 'match.listener.filterChain.filter');
  if (match.listener.filterChain.filter.name !== CONNECTION_MANAGER) return [];
  return listenersOf(match.context, proxy).flatMap(connectionManagers);
}

const listenersOf = (wanted: Context, proxy: MeshProxy): Json[] =>
  proxy.listeners.filter(({ context }) => context === wanted).map(({ listener }) => listener);

/** The connection managers of all HTTP chains of a listener. */
export const connectionManagers = (listener: Json): Json[] =>
  listener.filter_chains
    .flatMap(({ filters }: Json) => filters.filter(({ name }: Json) => name === CONNECTION_MANAGER))
    .map((filter: Json) => filter.typed_config);

/** As protobuf merges: members one by one, lists grow, the rest is replaced. */
function merge(target: Json, source: Json): void {
  for (const [key, value] of Object.entries(source)) {
    const present = target[key];
    if (Array.isArray(present)) present.push(...(value as Json[]));
    else if (typeof present === 'object' && typeof value === 'object') merge(present, value);
    else target[key] = value;
  }
}

function onlyKnown(value: object, known: readonly string[], what: string): void {
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  if (unknown.length > 0) throw new Error(`${what}: ${unknown.join(', ')} would go unread`);
}
