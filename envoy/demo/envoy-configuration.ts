import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../../scripts/project-root.ts';

/** Where a server is found: an address, or a name for Envoy to resolve. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** What a run changes of envoy/envoy.yaml. */
export interface EnvoyPlaces {
  readonly nodeId: string;
  readonly listenerPort: number;
  readonly adminPort: number;
  /** Address that both listen on; loopback as in the file, if not given. */
  readonly listenOn?: string;
  readonly shop: Place;
  readonly fallback: Place;
  /** Replicas of the control plane. */
  readonly controlPlanes: readonly Place[];
  /** Path of the compiled filter. */
  readonly module: string;
  /** Changes the plugin configuration; without it the one of the file is used. */
  readonly plugin?: (configuration: PluginJson) => unknown;
  /** Takes the place of the file's `stats_config`. */
  readonly statsConfig?: object;
  /** Members of the route to the shop that are other than in the file, such as `retry_policy`. */
  readonly shopRoute?: object;
}

/** The plugin configuration as JSON; tests also build wrong ones. */
export interface PluginJson {
  services: { service: string; policy?: unknown; [member: string]: unknown }[];
  controlPlane?: unknown;
  [member: string]: unknown;
}

interface Address {
  socket_address: { address: string; port_value: number };
}

interface WasmConfig {
  vm_config: { code: { local: { filename: string } } };
  configuration: { value: string };
}

interface HttpFilter {
  name: string;
  typed_config: { config: WasmConfig };
}

interface ConnectionManager {
  http_filters: HttpFilter[];
  route_config: { virtual_hosts: { routes: { route: { cluster: string } }[] }[] };
}

interface Cluster {
  name: string;
  type: string;
  load_assignment: { endpoints: { lb_endpoints: { endpoint: { address: Address } }[] }[] };
}

/** The parts of envoy.yaml that are changed here. */
interface EnvoyConfiguration {
  node: { id: string };
  stats_config: object;
  admin: { address: Address };
  static_resources: {
    listeners: { address: Address; filter_chains: { filters: { typed_config: ConnectionManager }[] }[] }[];
    clusters: Cluster[];
  };
}

const envoyYaml = join(projectRoot, 'envoy/envoy.yaml');

/** envoy/envoy.yaml with the ports, paths and the plugin configuration of one run, as JSON: no reader can take a name for a boolean. */
export async function deriveEnvoyConfiguration(places: EnvoyPlaces): Promise<string> {
  const configuration = parse(await readFile(envoyYaml, 'utf8')) as EnvoyConfiguration;
  configuration.node.id = places.nodeId;
  const { listenOn: host = '127.0.0.1' } = places;
  if (places.statsConfig !== undefined) configuration.stats_config = places.statsConfig;
  configuration.admin.address = addressOf({ host, port: places.adminPort });
  only(configuration.static_resources.listeners).address = addressOf({ host, port: places.listenerPort });
  direct(configuration, 'shop', [places.shop]);
  direct(configuration, 'recommendations-fallback', [places.fallback]);
  direct(configuration, 'rekindle-control-plane', places.controlPlanes);
  for (const { routes } of managerOf(configuration).route_config.virtual_hosts) {
    for (const { route } of routes) if (route.cluster === 'shop') Object.assign(route, places.shopRoute);
  }
  const wasm = wasmConfigOf(configuration);
  wasm.vm_config.code.local.filename = places.module;
  if (places.plugin !== undefined) {
    const changed = places.plugin(JSON.parse(wasm.configuration.value) as PluginJson);
    wasm.configuration.value = typeof changed === 'string' ? changed : JSON.stringify(changed);
  }
  return JSON.stringify(configuration, null, 2);
}

function wasmConfigOf(configuration: EnvoyConfiguration): WasmConfig {
  const filter = managerOf(configuration).http_filters.find(({ name }) => name === 'rekindle');
  if (filter === undefined) throw new Error('envoy.yaml has no HTTP filter named rekindle');
  return filter.typed_config.config;
}

function managerOf(configuration: EnvoyConfiguration): ConnectionManager {
  return only(only(only(configuration.static_resources.listeners).filter_chains).filters).typed_config;
}

/** Gives a cluster its endpoints. Of several, Envoy asks only those that say they are ready, and hangs up on one that no longer does. */
function direct(configuration: EnvoyConfiguration, name: string, places: readonly Place[]): void {
  const cluster = configuration.static_resources.clusters.find((candidate) => candidate.name === name);
  if (cluster === undefined) throw new Error(`envoy.yaml has no cluster named ${name}`);
  if (places.some(({ host }) => isIP(host) === 0)) cluster.type = 'STRICT_DNS';
  only(cluster.load_assignment.endpoints).lb_endpoints = places.map((place) => ({ endpoint: { address: addressOf(place) } }));
  if (places.length > 1) Object.assign(cluster, readinessChecks);
}

const readinessChecks = {
  close_connections_on_host_health_failure: true,
  health_checks: [
    {
      http_health_check: { path: '/readyz' },
      ...{ timeout: '1s', interval: '2s', no_traffic_interval: '2s', unhealthy_threshold: 2, healthy_threshold: 1 },
    },
  ],
};

function addressOf({ host, port }: Place): Address {
  return { socket_address: { address: host, port_value: port } };
}

/** A server of this machine. */
export function loopback(port: number): Place {
  return { host: '127.0.0.1', port };
}

function only<T>(list: readonly T[]): T {
  const [first] = list;
  if (first === undefined || list.length !== 1) throw new Error(`expected one entry in envoy.yaml, found ${list.length}`);
  return first;
}
