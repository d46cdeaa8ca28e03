import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../../scripts/project-root.ts';
import { findRedis } from '../../scripts/servers.ts';
import { tailOf } from './child.ts';
import type { DemoOptions } from './demo.ts';
import { runLive } from './live.ts';
import { playOverload } from './overload/play.ts';
import { portsForDemo, type StagePorts, wellKnownPorts } from './ports.ts';
import { startRedis } from './redis-process.ts';
import { playOutage } from './scenario-outage.ts';
import { LOGS } from './stage.ts';

const usage = `npm start [-- options]

Runs Envoy with the filter, the control plane, a demo shop and load on it, and prints a table every two seconds.

  --scenario outage    plays an outage and its recovery, then ends: exit code 0 only if all went as it should
  --scenario overload  an upstream that its own retries keep down: Envoy's means and Rekindle side by side (npm run scenario:overload)
  --replicas 2         two replicas of the control plane on a Valkey or Redis of the demo's own, found or fetched
  --duration SECONDS   ends the table after this time instead of on Ctrl-C
  --help               this text

REDIS_URL=redis://… npm start runs two replicas on that Redis or Valkey (keys under rekindle:); --replicas 1 beside it runs one.
Set ENVOY_BIN or REDIS_SERVER_BIN to use an Envoy, or a Valkey or Redis, of your own.`;

const { values } = parseArgs({
  options: {
    scenario: { type: 'string' },
    replicas: { type: 'string' },
    duration: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const scenarios = ['outage', 'overload'];

process.exitCode = await run();

async function run(): Promise<number> {
  if (values.help) return say(usage, 0);
  if (values.scenario !== undefined && !scenarios.includes(values.scenario))
    return say(`unknown scenario ${values.scenario}\n\n${usage}`, 2);
  const durationMs = values.duration === undefined ? null : Number(values.duration) * 1000;
  if (durationMs !== null && !(durationMs > 0)) return say(`--duration wants seconds, got ${values.duration}\n\n${usage}`, 2);
  if (!['1', '2', undefined].includes(values.replicas)) return say(`--replicas wants 1 or 2, got ${values.replicas}\n\n${usage}`, 2);
  const end = endSignal();
  if (values.scenario === 'overload') return inFolder(null, (folder) => playOverload({ folder, end, say: console.log }));
  const ports = await portsForDemo(console.log);
  const play = (folder: string, shared: Pick<DemoOptions, 'redisUrl' | 'replicas'>): Promise<number> => {
    const options = { ports, folder, end, say: console.log, ...shared };
    return values.scenario === 'outage' ? playOutage(options) : runLive({ ...options, durationMs });
  };
  return inFolder(values.scenario === 'outage' ? null : ports, (folder) =>
    withSharedStore(ports, folder, (shared) => play(folder, shared)),
  );
}

/** With the store that replicas share: the one that REDIS_URL names, one of the demo's own, or none. */
async function withSharedStore(
  ports: StagePorts,
  folder: string,
  task: (shared: Pick<DemoOptions, 'redisUrl' | 'replicas'>) => Promise<number>,
): Promise<number> {
  const redisUrl = process.env['REDIS_URL'] || undefined;
  if (redisUrl !== undefined) return task({ redisUrl, replicas: values.replicas === '1' ? 1 : 2 });
  if (values.replicas !== '2') return task({});
  const { path, version } = await findRedis();
  const redis = await startRedis({ binary: path, folder: join(folder, 'redis'), port: ports.redis });
  console.log(`Valkey or Redis ${version} at ${redis.url}`);
  try {
    return await task({ redisUrl: redis.url, replicas: 2 });
  } finally {
    await redis.stop();
  }
}

/** The store of `npm start` outlives it; a scenario, or a second demo beside the first, gets a folder of its own. */
async function inFolder(ports: StagePorts | null, task: (folder: string) => Promise<number>): Promise<number> {
  const isOwn = ports?.controlPlane !== wellKnownPorts.controlPlane;
  const folder = isOwn ? await mkdtemp(join(tmpdir(), 'rekindle-')) : join(projectRoot, '.data/demo');
  const exitCode = await task(folder).catch((error: Error) => say(`${error.message}\n${logTails(folder)}`, 1));
  if (exitCode !== 0) say(`logs and store are in ${folder}`, exitCode);
  else if (isOwn) await rm(folder, { recursive: true, force: true });
  return exitCode;
}

function logTails(folder: string): string {
  const present = LOGS.map((name) => join(folder, name)).filter((path) => existsSync(path));
  return present.map((path) => `\nThe end of ${path}:\n${tailOf(path)}`).join('\n');
}

/** Aborts when a person, or the system, asks the demo to end. */
function endSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => controller.abort());
  return controller.signal;
}

function say(text: string, exitCode: number): number {
  console.log(text);
  return exitCode;
}
