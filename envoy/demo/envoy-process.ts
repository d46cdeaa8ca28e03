import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, startChild, tailOf } from './child.ts';
import { deriveEnvoyConfiguration, type EnvoyPlaces } from './envoy-configuration.ts';
import { parseSamples, type Sample } from './prometheus.ts';
import { waitFor } from './wait.ts';

/** Workers of the demo's Envoy: two, so that what they share is seen at work. */
const workers = 2;

const logLevels = ['--log-level', 'warning', '--component-log-level', 'wasm:info'];

export interface EnvoyProcess extends Child {
  readonly adminPort: number;
  /** The filter's metrics as Envoy's admin port shows them to Prometheus. */
  metrics(): Promise<Sample[]>;
  /** Lines of the log that tell of a trap of the filter; there should be none. */
  traps(): Promise<string[]>;
}

/** An Envoy to start. */
export interface EnvoyRun {
  readonly binary: string;
  /** Takes the configuration and the log. */
  readonly folder: string;
  /** As JSON. */
  readonly configuration: string;
  readonly adminPort: number;
  readonly workers: number;
  /** Runs Envoy under this command, for instance `taskset -c 0`. */
  readonly under?: readonly string[];
  /** Further arguments for Envoy. */
  readonly more?: readonly string[];
}

/** Starts Envoy on envoy/envoy.yaml as changed for a run, not yet ready. */
export async function launchEnvoy(binary: string, folder: string, places: EnvoyPlaces): Promise<EnvoyProcess> {
  return startEnvoy({ binary, folder, configuration: await deriveEnvoyConfiguration(places), adminPort: places.adminPort, workers });
}

/** Writes the configuration into the folder and starts Envoy on it, not yet ready. */
export async function startEnvoy({
  binary,
  folder,
  configuration,
  adminPort,
  workers,
  under = [],
  more = [],
}: EnvoyRun): Promise<EnvoyProcess> {
  const file = join(folder, 'envoy.json');
  await writeFile(file, configuration);
  // With hot restart on, and only then, Envoy ends with the process that started it. The base id keeps it apart from other Envoys.
  const args = ['-c', file, '--concurrency', String(workers), '--base-id', String(adminPort), ...logLevels, ...more];
  const [command = binary, ...rest] = [...under, binary, ...args];
  const child = await startChild({
    name: 'envoy',
    command,
    args: rest,
    logFile: join(folder, 'envoy.log'),
    afterwards: () => rm(`/dev/shm/envoy_shared_memory_${adminPort}0`, { force: true }),
  });
  return { ...child, adminPort, metrics: () => readMetrics(adminPort), traps: () => readTraps(child.logFile) };
}

/** Resolves when Envoy serves; throws with the end of its log when it gave up instead. */
export async function envoyReady(envoy: EnvoyProcess): Promise<void> {
  let ended = false;
  void envoy.exited.then(() => {
    ended = true;
  });
  const answer = await waitFor(
    'Envoy to be ready',
    async () => {
      if (ended) return 'ended';
      const { status } = await fetch(`http://127.0.0.1:${envoy.adminPort}/ready`);
      return status === 200 ? 'ready' : null;
    },
    20_000,
  );
  if (answer === 'ended') throw new Error(`Envoy ended at its start:\n${tailOf(envoy.logFile)}`);
}

async function readMetrics(adminPort: number): Promise<Sample[]> {
  const response = await fetch(`http://127.0.0.1:${adminPort}/stats/prometheus?filter=rekindle_`);
  return parseSamples(await response.text());
}

async function readTraps(logFile: string): Promise<string[]> {
  const lines = (await readFile(logFile, 'utf8')).split('\n');
  return lines.filter((line) => /Function: \w+ failed|rekindle: abort:/.test(line));
}
