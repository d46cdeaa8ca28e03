import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { expect, onTestFinished } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { manifestText } from '../../../control-plane/manifest/manifest.ts';
import { readManifestOptions } from '../../../control-plane/manifest/read.ts';
import { moduleKey } from '../../../control-plane/manifest/workload.ts';
import { startControlPlane } from '../../../envoy/demo/control-plane-process.ts';
import { type EnvoyProcess, envoyReady, startEnvoy } from '../../../envoy/demo/envoy-process.ts';
import { close, listen, sendJson } from '../../../envoy/demo/http-server.ts';
import { freePort } from '../../../envoy/demo/ports.ts';
import { type Shop, startShop } from '../../../envoy/demo/shop.ts';
import { ISTIO_EXAMPLES } from '../../../envoy/istio/examples.ts';
import { projectRoot } from '../../../scripts/project-root.ts';
import { findEnvoy } from '../../../scripts/servers.ts';
import { statsTags } from '../../../scripts/stats-tags.ts';
import { Agent } from './agent.ts';
import { applyExtension } from './extension.ts';
import { applyEnvoyFilter, type Json, type MeshProxy } from './istiod.ts';
import type { Ports } from './proxies.ts';

export const builtModule = join(projectRoot, 'build/rekindle.wasm');

/** The documents of an example, its module in `folder` as a ConfigMap would put it there. */
export async function manifestsOf(example: string, folder: string, more: object = {}): Promise<Json[]> {
  const options = ISTIO_EXAMPLES[example] as { readonly delivery?: string };
  const isMounted = options.delivery === undefined;
  const read = readManifestOptions({ ...options, ...(isMounted ? { folder } : {}), ...more });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  if (isMounted) await copyFile(builtModule, join(folder, moduleKey(read.manifest)));
  return parseAllDocuments(manifestText(read.manifest)).map((document) => document.toJS());
}

export function applyAll(documents: readonly Json[], proxy: MeshProxy): void {
  for (const document of documents) {
    if (document.kind === 'EnvoyFilter') applyEnvoyFilter(document, proxy);
    else applyExtension(document, proxy, builtModule);
  }
}

/** A bootstrap with what istiod would have sent: routes by name stand inline, since nothing serves ADS here. */
export async function bootstrapOf(proxy: MeshProxy, folder: string, adminPort: number): Promise<string> {
  const roots = join(folder, 'roots.pem');
  await writeFile(roots, rootCertificates[0] ?? '');
  const bootstrap = {
    node: { id: 'sidecar~127.0.0.1~shop-1.demo~demo.svc.cluster.local', cluster: 'shop.demo' },
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: adminPort } } },
    stats_config: { stats_tags: statsTags() },
    static_resources: {
      listeners: proxy.listeners.map(({ listener }) => withRoutes(structuredClone(listener), proxy)),
      clusters: proxy.clusters,
    },
  };
  return JSON.stringify(bootstrap).replaceAll('/etc/ssl/certs/ca-certificates.crt', roots);
}

function withRoutes(listener: Json, { routes }: MeshProxy): Json {
  for (const { filters } of listener.filter_chains) {
    for (const { typed_config: manager } of filters) {
      if (!manager.rds) continue;
      const named = routes.find(({ configuration }) => configuration.name === manager.rds.route_config_name);
      manager.route_config = named?.configuration;
      delete manager.rds;
    }
  }
  return listener;
}

/** A folder that goes with the test when it passes. */
export async function folderOfTest(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rekindle-e2e-'));
  onTestFinished(async ({ task }) => {
    if (task.result?.state === 'pass') await rm(folder, { recursive: true, force: true });
    else console.log(`logs are left in ${folder}`);
  });
  return folder;
}

export async function freeIstioPorts(): Promise<Ports> {
  const names = ['inbound', 'undeclared', 'outbound', 'gateway', 'shop', 'fallback', 'controlPlane'] as const;
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await freePort()]))) as unknown as Ports;
}

export interface MeshStage {
  readonly ports: Ports;
  readonly folder: string;
  readonly shop: Shop;
  readonly envoy: EnvoyProcess;
  readonly agent: Agent;
  readonly proxy: MeshProxy;
  /** Headers of the requests that reached the fallback cluster. */
  readonly atFallback: readonly IncomingHttpHeaders[];
}

export interface MeshInit {
  readonly example: string;
  readonly build: (ports: Ports) => MeshProxy;
  readonly more?: object;
  /** For ECDS: what the agent's first fetch brings. */
  readonly download?: string | null;
  /** Starts the control plane as well. */
  readonly controlPlane?: boolean;
  /** Changes the patched proxy before Envoy starts on it. */
  readonly change?: (proxy: MeshProxy) => void;
}

/** A proxy of the mesh with the manifest applied, the shop and a fallback behind it, all of it gone when the test ends. */
export async function openMesh({
  example,
  build,
  more = {},
  download = builtModule,
  controlPlane = false,
  change,
}: MeshInit): Promise<MeshStage> {
  const folder = await folderOfTest();
  const ports = await freeIstioPorts();
  const proxy = build(ports);
  applyAll(await manifestsOf(example, folder, more), proxy);
  change?.(proxy);
  const agent = new Agent(folder);
  agent.takeOver(proxy);
  agent.deliver(proxy, download);
  const shop = await startShop({ shop: ports.shop, fallback: await freePort(), control: await freePort() });
  const atFallback: IncomingHttpHeaders[] = [];
  const fallback = createServer((incoming, response) => {
    atFallback.push(incoming.headers);
    incoming.resume();
    sendJson(response, 200, { from: 'fallback' });
  });
  await listen(fallback, ports.fallback);
  if (controlPlane) {
    const child = await startControlPlane(ports.controlPlane, folder);
    onTestFinished(() => child.stop());
  }
  const adminPort = await freePort();
  const configuration = await bootstrapOf(proxy, folder, adminPort);
  const own = join(folder, 'envoy');
  await mkdir(own);
  const { path: binary } = await findEnvoy();
  const envoy = await startEnvoy({ binary, folder: own, configuration, adminPort, workers: 2, more: ['--reject-unknown-dynamic-fields'] });
  onTestFinished(async () => {
    await envoy.stop();
    await shop.close();
    await close(fallback);
    expect(await envoy.traps()).toEqual([]);
  });
  await envoyReady(envoy);
  return { ports, folder, shop, envoy, agent, proxy, atFallback };
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A request with any headers, `host` included, which fetch would not send. */
export async function get(port: number, path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port, path, headers, method, agent: false }, async (response: IncomingMessage) => {
      let body = '';
      for await (const part of response) body += part;
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
    });
    call.once('error', reject);
    call.end();
  });
}
