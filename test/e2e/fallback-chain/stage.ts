import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { deriveListeners, type ListenerPlan, loopbackCluster, rekindleFilter } from '../../../envoy/demo/envoy-listeners.ts';
import { type EnvoyProcess, envoyReady, startEnvoy } from '../../../envoy/demo/envoy-process.ts';
import { close, listen } from '../../../envoy/demo/http-server.ts';
import { freePort } from '../../../envoy/demo/ports.ts';
import { waitFor } from '../../../envoy/demo/wait.ts';
import { projectRoot } from '../../../scripts/project-root.ts';
import { findEnvoy } from '../../../scripts/servers.ts';
import { type Ask, askOn, type Reply } from '../connection.ts';

/** A breaker that the first failure trips, for longer than a test takes. */
const ONE_FAILURE = { consecutiveFailures: 1, openMs: 60_000, openCapMs: 60_000, jitter: 'none' };
/** A breaker that never trips. */
export const PATIENT = { minimumRequests: 100_000, consecutiveFailures: 0 };

/** A feature of all paths under its name. */
export const feature = (name: string, more: object = {}): object => ({
  name,
  routes: [{ path: { prefix: `/${name}` } }],
  breaker: ONE_FAILURE,
  ...more,
});

export interface ListenerSpec {
  readonly name: string;
  readonly features: readonly object[];
  readonly routes: readonly object[];
  readonly routeConfig?: object;
  /** Further members of the plugin configuration. */
  readonly plugin?: object;
  /** Further members of the HTTP connection manager. */
  readonly manager?: object;
}

/** What the access log says of a request. */
export interface LogLine {
  readonly listener: string;
  readonly path: string;
  readonly code: number;
  readonly details: string;
  readonly rekindle: string;
}

export interface ChainStage {
  readonly envoy: EnvoyProcess;
  readonly ports: Readonly<Record<string, number>>;
  ask(path: string, options?: Ask & { readonly listener?: string }): Promise<Reply>;
  /** The access log, once it has this many lines for the path. */
  logged(path: string, count: number): Promise<LogLine[]>;
}

export interface ChainStageInit {
  readonly listeners: readonly ListenerSpec[];
  /** Ports by listener; chosen beforehand where a cluster points to one. */
  readonly ports?: Readonly<Record<string, number>>;
  readonly clusters: readonly object[];
}

const FORMAT = { path: '%REQ(:PATH)%', code: '%RESPONSE_CODE%', details: '%RESPONSE_CODE_DETAILS%', rekindle: '%RESP(REKINDLE)%' };

/** One Envoy with these listeners, each with a filter of its own, one worker, and an access log as an operator would format it. */
export async function openChainStage({ listeners, clusters, ports: chosen = {} }: ChainStageInit): Promise<ChainStage> {
  const folder = await mkdtemp(join(tmpdir(), 'rekindle-e2e-'));
  const adminPort = await freePort();
  const ports: Record<string, number> = {};
  const plans: ListenerPlan[] = [];
  for (const { name, features, routes, routeConfig = {}, plugin = {} } of listeners) {
    const port = chosen[name] ?? (await freePort());
    ports[name] = port;
    const configuration = { services: [{ service: 'shop', policy: { service: 'shop', features } }], ...plugin };
    const filter = await rekindleFilter({ name, module: join(projectRoot, 'build/rekindle.wasm'), plugin: configuration });
    plans.push({ name, port, virtualHost: { routes }, routeConfig, filters: [filter] });
  }
  const accessLog = join(folder, 'access.log');
  const document = JSON.parse(await deriveListeners({ nodeId: 'proxy-1', adminPort, listeners: plans, clusters }));
  for (const [i, listener] of document.static_resources.listeners.entries()) {
    const manager = listener.filter_chains[0].filters[0].typed_config;
    Object.assign(manager, listeners[i]?.manager, { access_log: [fileLog(accessLog, listeners[i]?.name ?? '')] });
  }
  const { path: binary } = await findEnvoy();
  const envoy = await startEnvoy({ binary, folder, configuration: JSON.stringify(document), adminPort, workers: 1 });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(async ({ task }) => {
    agent.destroy();
    await envoy.stop();
    const traps = await envoy.traps();
    if (task.result?.state === 'pass') await rm(folder, { recursive: true, force: true });
    else console.log(`logs are left in ${folder}`);
    expect(traps).toEqual([]);
  });
  await envoyReady(envoy);
  // The filter's VMs have ticked, and so agreed on what they share.
  await waitFor('the first gauges', async () => ((await envoy.metrics()).length > 0 ? true : null), 5000);
  const [first = ''] = Object.keys(ports);
  return {
    envoy,
    ports,
    ask: (path, { listener = first, ...options } = {}) => askOn(agent, ports[listener] ?? 0, path, options),
    logged: async (path, count) => {
      const lines = await waitFor(
        `${count} lines of ${path} in the access log`,
        async () => {
          // Envoy writes its access logs every 10 s, or when it opens them anew.
          await fetch(`http://127.0.0.1:${adminPort}/reopen_logs`, { method: 'POST' });
          const text = await readFile(accessLog, 'utf8');
          const all = text
            .trim()
            .split('\n')
            .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as LogLine]));
          const found = all.filter((line) => line.path === path);
          return found.length >= count ? found : null;
        },
        5000,
      );
      expect(lines).toHaveLength(count);
      return lines;
    },
  };
}

function fileLog(path: string, listener: string): object {
  const typed_config = {
    '@type': 'type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog',
    path,
    log_format: { json_format: { listener, ...FORMAT } },
  };
  return { name: 'envoy.access_loggers.file', typed_config };
}

/** An upstream whose answers the test gives. */
export interface Upstream {
  readonly cluster: object;
  /** Paths that arrived, oldest first. */
  readonly arrived: string[];
  readonly server: Server;
  answer: (request: IncomingMessage, response: ServerResponse) => void;
}

export async function openUpstream(name: string, answer: Upstream['answer']): Promise<Upstream> {
  const arrived: string[] = [];
  const server = createServer((incoming, response) => {
    arrived.push(incoming.url ?? '');
    incoming.resume();
    upstream.answer(incoming, response);
  });
  const port = await listen(server, 0);
  const upstream: Upstream = { cluster: loopbackCluster(name, port), arrived, server, answer };
  onTestFinished(() => close(server));
  return upstream;
}

/** Answers everything with this status and body. */
export const always =
  (status: number, body: string, headers: Record<string, string> = {}): Upstream['answer'] =>
  (_, response) => {
    response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers }).end(body);
  };
