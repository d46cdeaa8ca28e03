import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../../scripts/project-root.ts';

/** One of several listeners in one Envoy. */
export interface ListenerPlan {
  /** Of the listener, and its prefix in the stats. */
  readonly name: string;
  readonly port: number;
  /** Members of its virtual host: the routes, and what else it needs. */
  readonly virtualHost: { readonly routes: readonly object[] };
  /** Members of its route configuration. */
  readonly routeConfig?: object;
  /** HTTP filters before the router, in order. */
  readonly filters: readonly object[];
}

/** Several listeners side by side in one Envoy, each with its own routes and filters. */
export interface ListenersPlan {
  readonly nodeId: string;
  readonly adminPort: number;
  readonly listeners: readonly ListenerPlan[];
  readonly clusters: readonly object[];
}

/** A Rekindle filter of its own: under an own `vm_id` it shares nothing with another in the same Envoy. */
export interface FilterPlan {
  readonly name: string;
  /** Path of the compiled module. */
  readonly module: string;
  /** The plugin configuration. */
  readonly plugin: object;
}

interface HttpFilter {
  readonly name: string;
}

interface WasmFilter extends HttpFilter {
  readonly typed_config: { readonly config: Record<string, unknown> };
}

interface HttpManager {
  stat_prefix: string;
  route_config: object;
  http_filters: readonly HttpFilter[];
}

interface Listener {
  name: string;
  address: object;
  readonly filter_chains: readonly { readonly filters: readonly { readonly typed_config: HttpManager }[] }[];
}

interface EnvoyYaml {
  readonly node: { readonly id: string };
  readonly static_resources: { readonly listeners: readonly Listener[] };
}

/** envoy/envoy.yaml with its listener once for each plan, as JSON. */
export async function deriveListeners({ nodeId, adminPort, listeners, clusters }: ListenersPlan): Promise<string> {
  const { listener, ...document } = await readEnvoyYaml();
  return JSON.stringify({
    ...document,
    node: { ...document.node, id: nodeId },
    admin: { address: loopback(adminPort) },
    static_resources: { listeners: listeners.map((plan) => listenerOf(listener, plan)), clusters },
  });
}

/** The filter of envoy/envoy.yaml, for a listener of its own. */
export async function rekindleFilter({ name, module, plugin }: FilterPlan): Promise<object> {
  const { listener } = await readEnvoyYaml();
  const filter = managerOf(listener).http_filters.find((candidate) => candidate.name === 'rekindle') as WasmFilter | undefined;
  if (filter === undefined) throw new Error('envoy.yaml has no HTTP filter named rekindle');
  const config = {
    ...filter.typed_config.config,
    name,
    root_id: name,
    vm_config: { ...(filter.typed_config.config['vm_config'] as object), vm_id: name, code: { local: { filename: module } } },
    configuration: { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: JSON.stringify(plugin) },
  };
  return { ...filter, typed_config: { ...filter.typed_config, config } };
}

/** A cluster with one endpoint on loopback; `more` adds members or replaces them. */
export function loopbackCluster(name: string, port: number, more: object = {}): object {
  const endpoint = { endpoint: { address: loopback(port) } };
  const load_assignment = { cluster_name: name, endpoints: [{ lb_endpoints: [endpoint] }] };
  return { name, type: 'STATIC', connect_timeout: '1s', load_assignment, ...more };
}

function listenerOf(template: Listener, { name, port, virtualHost, routeConfig, filters }: ListenerPlan): Listener {
  const listener = structuredClone(template);
  const manager = managerOf(listener);
  listener.name = name;
  listener.address = loopback(port);
  manager.stat_prefix = name;
  manager.route_config = { ...manager.route_config, ...routeConfig, virtual_hosts: [{ name, domains: ['*'], ...virtualHost }] };
  manager.http_filters = [...(filters as readonly HttpFilter[]), ...manager.http_filters.slice(-1)];
  return listener;
}

function managerOf(listener: Listener): HttpManager {
  const manager = listener.filter_chains[0]?.filters[0]?.typed_config;
  if (manager === undefined) throw new Error("envoy.yaml's listener has no HTTP connection manager");
  return manager;
}

function loopback(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}

async function readEnvoyYaml(): Promise<EnvoyYaml & { readonly listener: Listener }> {
  const document = parse(await readFile(join(projectRoot, 'envoy/envoy.yaml'), 'utf8')) as EnvoyYaml;
  const [listener] = document.static_resources.listeners;
  if (listener === undefined) throw new Error('envoy.yaml has no listener');
  return { ...document, listener };
}
