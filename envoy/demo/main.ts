import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from '../../scripts/project-root.ts';
import { tailOf } from './child.ts';
import { runLive } from './live.ts';
import { playOverload } from './overload/play.ts';
import { portsForDemo, type StagePorts, wellKnownPorts } from './ports.ts';
import { playOutage } from './scenario-outage.ts';

const usage = `npm start [-- options]

Runs Envoy with the filter, the control plane, a demo shop and load on it, and prints a table every two seconds.

  --scenario outage    plays an outage and its recovery, then ends: exit code 0 only if all went as it should
  --scenario overload  an upstream that its own retries keep down: Envoy's means and Rekindle side by side (npm run scenario:overload)
  --duration SECONDS   ends the table after this time instead of on Ctrl-C
  --help               this text

Set ENVOY_BIN to use an Envoy of your own.`;

const { values } = parseArgs({
  options: { scenario: { type: 'string' }, duration: { type: 'string' }, help: { type: 'boolean', default: false } },
});

const scenarios = ['outage', 'overload'];

process.exitCode = await run();

async function run(): Promise<number> {
  if (values.help) return say(usage, 0);
  if (values.scenario !== undefined && !scenarios.includes(values.scenario))
    return say(`unknown scenario ${values.scenario}\n\n${usage}`, 2);
  const durationMs = values.duration === undefined ? null : Number(values.duration) * 1000;
  if (durationMs !== null && !(durationMs > 0)) return say(`--duration wants seconds, got ${values.duration}\n\n${usage}`, 2);
  const end = endSignal();
  if (values.scenario === 'overload') return inFolder(null, (folder) => playOverload({ folder, end, say: console.log }));
  const ports = await portsForDemo(console.log);
  if (values.scenario === 'outage') return inFolder(null, (folder) => playOutage({ ports, folder, end, say: console.log }));
  return inFolder(ports, (folder) => runLive({ ports, folder, end, durationMs, say: console.log }));
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
  const logs = ['control-plane.log', 'envoy.log'].map((name) => join(folder, name)).filter((path) => existsSync(path));
  return logs.map((path) => `\nThe end of ${path}:\n${tailOf(path)}`).join('\n');
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
