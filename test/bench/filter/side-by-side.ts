import { mkdir } from 'node:fs/promises';
import { deriveListeners, type ListenerPlan, loopbackCluster } from '../../../envoy/demo/envoy-listeners.ts';
import { type EnvoyProcess, envoyReady, startEnvoy } from '../../../envoy/demo/envoy-process.ts';
import { freePort } from '../../../envoy/demo/ports.ts';
import { findEnvoy } from '../../../scripts/servers.ts';
import { cpuTimeUs, load, onLoadCore, onMeasuredCore } from './machine.ts';

/** How much is measured of each listener, in interleaved rounds. */
export interface Effort {
  readonly rounds: number;
  readonly seconds: number;
}

/** Where a route ends: an answer of Envoy itself, or a cluster. */
export interface Target {
  readonly route: object;
  /** Members of the route configuration. */
  readonly routeConfig?: object;
}

export interface Listener {
  readonly name: string;
  readonly port: number;
}

/** Answered by Envoy itself, with a body of this many bytes. */
export function directResponse(bytes: number): Target {
  return {
    route: { direct_response: { status: 200, body: { inline_string: 'x'.repeat(bytes) } }, response_headers_to_add: cacheable },
    routeConfig: { max_direct_response_body_size_bytes: 1 << 20 },
  };
}

const cacheable = [{ header: { key: 'cache-control', value: 'public, max-age=60, stale-if-error=600' } }];

export async function planListener(name: string, filters: readonly object[], { route, routeConfig = {} }: Target): Promise<ListenerPlan> {
  const routes = [{ match: { prefix: '/' }, ...route }];
  return { name, port: await freePort(), virtualHost: { routes }, routeConfig, filters };
}

/** Starts an Envoy with one worker on a core of its own. */
export async function startMeasured(
  folder: string,
  listeners: readonly ListenerPlan[],
  clusters: readonly object[],
): Promise<EnvoyProcess> {
  return start(folder, listeners, clusters, onMeasuredCore);
}

/** An upstream that costs little: an Envoy on the other core, which answers directly. Gives its cluster. */
export async function startUpstream(folder: string): Promise<{ readonly cluster: object; readonly envoy: EnvoyProcess }> {
  const plan = await planListener('upstream', [], directResponse(64));
  const envoy = await start(folder, [plan], [], onLoadCore);
  return { cluster: loopbackCluster('upstream', plan.port), envoy };
}

export const proxied: Target = { route: { route: { cluster: 'upstream' } } };

async function start(
  folder: string,
  listeners: readonly ListenerPlan[],
  clusters: readonly object[],
  under: readonly string[],
): Promise<EnvoyProcess> {
  const [binary, adminPort] = await Promise.all([findEnvoy(), freePort()]);
  await mkdir(folder, { recursive: true });
  const configuration = await deriveListeners({ nodeId: 'bench', adminPort, listeners, clusters });
  const envoy = await startEnvoy({ binary: binary.path, folder, configuration, adminPort, workers: 1, under });
  await envoyReady(envoy);
  return envoy;
}

/** CPU time of the Envoy process per request in us, by listener, one value a round; each round begins with another listener. */
export async function measure(
  envoy: EnvoyProcess,
  listeners: readonly Listener[],
  path: string,
  effort: Effort,
): Promise<Map<string, number[]>> {
  const costs = new Map(listeners.map(({ name }) => [name, [] as number[]]));
  for (const { port } of listeners) await load({ port, path, seconds: 1 });
  for (let round = 0; round < effort.rounds; round++) {
    for (const turn of listeners.keys()) {
      const { name, port } = listeners[(turn + round) % listeners.length] as Listener;
      const before = cpuTimeUs(envoy.pid);
      const answers = await load({ port, path, seconds: effort.seconds });
      costs.get(name)?.push((cpuTimeUs(envoy.pid) - before) / answers);
    }
  }
  const traps = await envoy.traps();
  if (traps.length > 0) throw new Error(`the filter trapped:\n${traps.join('\n')}`);
  return costs;
}
