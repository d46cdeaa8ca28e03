import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../../scripts/project-root.ts';

/** What a run changes of envoy/envoy.yaml. */
export interface EnvoyPlaces {
  readonly nodeId: string;
  readonly listenerPort: number;
  readonly adminPort: number;
  readonly shopPort: number;
  readonly fallbackPort: number;
  readonly controlPlanePort: number;
  /** Path of the compiled filter. */
  readonly module: string;
  /** Changes the plugin configuration; without it the one of the file is used. */
  readonly plugin?: (configuration: PluginJson) => unknown;
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

/** The parts of envoy.yaml that are changed here. */
interface EnvoyConfiguration {
  node: { id: string };
  admin: { address: Address };
  static_resources: {
    listeners: { address: Address; filter_chains: { filters: { typed_config: ConnectionManager }[] }[] }[];
    clusters: { name: string; load_assignment: { endpoints: { lb_endpoints: { endpoint: { address: Address } }[] }[] } }[];
  };
}

const envoyYaml = join(projectRoot, 'envoy/envoy.yaml');

/** envoy/envoy.yaml with the ports, paths and the plugin configuration of one run, as JSON: no reader can take a name for a boolean. */
export async function deriveEnvoyConfiguration(places: EnvoyPlaces): Promise<string> {
  const configuration = parse(await readFile(envoyYaml, 'utf8')) as EnvoyConfiguration;
  configuration.node.id = places.nodeId;
  configuration.admin.address.socket_address.port_value = places.adminPort;
  only(configuration.static_resources.listeners).address.socket_address.port_value = places.listenerPort;
  setClusterPort(configuration, 'shop', places.shopPort);
  setClusterPort(configuration, 'recommendations-fallback', places.fallbackPort);
  setClusterPort(configuration, 'rekindle-control-plane', places.controlPlanePort);
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

function setClusterPort(configuration: EnvoyConfiguration, name: string, port: number): void {
  const cluster = configuration.static_resources.clusters.find((candidate) => candidate.name === name);
  if (cluster === undefined) throw new Error(`envoy.yaml has no cluster named ${name}`);
  only(only(cluster.load_assignment.endpoints).lb_endpoints).endpoint.address.socket_address.port_value = port;
}

function only<T>(list: readonly T[]): T {
  const [first] = list;
  if (first === undefined || list.length !== 1) throw new Error(`expected one entry in envoy.yaml, found ${list.length}`);
  return first;
}
