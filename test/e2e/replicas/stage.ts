import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Child } from '../../../envoy/demo/child.ts';
import { putPolicy, startControlPlane } from '../../../envoy/demo/control-plane-process.ts';
import { loopback } from '../../../envoy/demo/envoy-configuration.ts';
import { type EnvoyProcess, envoyReady, launchEnvoy } from '../../../envoy/demo/envoy-process.ts';
import { type Answer, startLoad } from '../../../envoy/demo/load.ts';
import { freePort } from '../../../envoy/demo/ports.ts';
import { type RedisProcess, startRedis } from '../../../envoy/demo/redis-process.ts';
import { projectRoot } from '../../../scripts/project-root.ts';
import { findEnvoy, findRedis } from '../../../scripts/servers.ts';
import { withControlPlane } from '../plugin.ts';
import { type CountingUpstream, startCountingUpstream } from './counting-upstream.ts';
import { FakeProxy } from './fake-proxy.ts';
import { type Link, startLink } from './link.ts';
import { policy, SERVICE } from './policy.ts';
import { type Recorder, startRecorder } from './recorder.ts';
import { type Spans, watchSpans } from './spans.ts';

/** One replica of the control plane, behind the recorder on one side and a wire to the store on the other. */
export interface Replica {
  readonly port: number;
  readonly link: Link;
  child(): Child;
  start(): Promise<void>;
  kill(): Promise<void>;
  /** SIGSTOP, or SIGCONT. */
  pause(isPaused: boolean): void;
}

/** Two replicas on one Valkey, a real Envoy under load, and three proxies of our own. */
export interface ReplicaStage {
  readonly replicas: readonly [Replica, Replica];
  readonly recorder: Recorder;
  readonly upstream: CountingUpstream;
  readonly envoy: EnvoyProcess;
  readonly proxies: readonly FakeProxy[];
  readonly answers: readonly Answer[];
  readonly spans: Spans;
  redis(): RedisProcess;
  /** Kills the store without a goodbye. */
  killRedis(): Promise<void>;
  startRedis(how?: { readonly empty: boolean }): Promise<void>;
  pauseRedis(isPaused: boolean): void;
  /** Commands to the store over one connection, past all wires. */
  tellRedis(commands: readonly (readonly [string, ...string[]])[], password?: string): Promise<void>;
  stop(): Promise<void>;
  readonly folder: string;
}

/** Settings of each replica beside those that both have. */
export type ReplicaSettings = readonly [Readonly<Record<string, string>>, Readonly<Record<string, string>>];

const ownProxies = 3;
const requestsPerSecond = 20;

/** Starts everything and waits until every proxy holds the policy. On a failure nothing is left running. */
export async function openReplicas(settings: ReplicaSettings = [{}, {}]): Promise<ReplicaStage> {
  const folder = await mkdtemp(join(tmpdir(), 'rekindle-e2e-'));
  const endings: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of endings.splice(0).reverse()) await end();
  };
  try {
    const run = { binary: (await findRedis()).path, folder: join(folder, 'redis'), port: await freePort() };
    let redis = await startRedis(run);
    endings.push(async () => {
      process.kill(redis.pid, 'SIGCONT');
      await redis.kill();
    });
    const upstream = await startCountingUpstream();
    endings.push(() => upstream.close());
    const first = await openReplica(folder, 1, run.port, settings[0], endings);
    const second = await openReplica(folder, 2, run.port, settings[1], endings);
    const replicas = [first, second] as const;
    const recorder = await startRecorder(replicas.map(({ port }) => port));
    endings.push(() => recorder.close());
    await putPolicy(first.port, policy);

    const { envoy, port } = await openEnvoy(folder, recorder.ports, upstream.port);
    endings.push(() => envoy.stop());
    const proxies = Array.from({ length: ownProxies }, (_, n) => {
      return new FakeProxy({
        ...policy.governance,
        node: `own-${n}`,
        service: SERVICE,
        feature: 'catalog',
        ports: recorder.ports,
        upstream,
      });
    });
    for (const proxy of proxies) proxy.start();
    endings.push(() => Promise.all(proxies.map((proxy) => proxy.stop())));
    const answers: Answer[] = [];
    const rates = { catalog: requestsPerSecond, checkout: 0, recommendations: 0 };
    const load = startLoad({ port, rates, onAnswer: (answer) => answers.push(answer) });
    endings.push(() => load.stop());
    const spans = watchSpans(proxies, envoy);
    endings.push(() => spans.stop());
    return {
      ...{ replicas, recorder, upstream, envoy, proxies, answers, spans, folder, stop },
      redis: () => redis,
      killRedis: () => redis.kill(),
      startRedis: async ({ empty } = { empty: false }) => {
        redis = await startRedis({ ...run, empty });
      },
      pauseRedis: (isPaused) => void process.kill(redis.pid, isPaused ? 'SIGSTOP' : 'SIGCONT'),
      tellRedis: (commands, password = '') => tell(`redis://:${password}@127.0.0.1:${redis.port}`, commands),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openReplica(
  folder: string,
  number: number,
  redisPort: number,
  settings: Readonly<Record<string, string>>,
  endings: (() => Promise<unknown>)[],
): Promise<Replica> {
  const link = await startLink(redisPort);
  endings.push(() => link.close());
  const port = await freePort();
  let child: Child | null = null;
  const replica: Replica = {
    port,
    link,
    child: () => child!,
    start: async () => {
      const all = { REDIS_URL: `redis://127.0.0.1:${link.port}`, ...settings };
      child = await startControlPlane(port, folder, all, `control-plane-${number}`);
    },
    kill: async () => child?.kill(),
    pause: (isPaused) => void process.kill(child!.pid, isPaused ? 'SIGSTOP' : 'SIGCONT'),
  };
  await replica.start();
  endings.push(() => replica.kill());
  return replica;
}

async function openEnvoy(
  folder: string,
  controlPlanes: readonly number[],
  upstream: number,
): Promise<{ envoy: EnvoyProcess; port: number }> {
  await mkdir(join(folder, 'envoy'), { recursive: true });
  const port = await freePort();
  const envoy = await launchEnvoy((await findEnvoy()).path, join(folder, 'envoy'), {
    nodeId: 'shop-proxy-1',
    listenerPort: port,
    adminPort: await freePort(),
    shop: loopback(upstream),
    fallback: loopback(upstream),
    controlPlanes: controlPlanes.map(loopback),
    module: join(projectRoot, 'build/rekindle.wasm'),
    plugin: withControlPlane(policy),
  });
  await envoyReady(envoy);
  return { envoy, port };
}

async function tell(url: string, commands: readonly (readonly [string, ...string[]])[]): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, enableReadyCheck: false });
  client.on('error', () => undefined);
  try {
    await client.connect();
    for (const [name, ...parts] of commands) await client.call(name, ...parts);
  } finally {
    client.disconnect();
  }
}

/** Ends a stage and, if all went well, its folder. */
export async function closeReplicas(stage: ReplicaStage, isFine: boolean): Promise<void> {
  await stage.stop();
  if (isFine) await rm(stage.folder, { recursive: true, force: true });
  else console.log(`logs are left in ${stage.folder}`);
}
