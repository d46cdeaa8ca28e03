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

/** Writes the configuration into `folder` and starts Envoy on it, not yet ready. */
export async function launchEnvoy(binary: string, folder: string, places: EnvoyPlaces): Promise<EnvoyProcess> {
  const configuration = join(folder, 'envoy.json');
  await writeFile(configuration, await deriveEnvoyConfiguration(places));
  const child = await startChild({
    name: 'envoy',
    command: binary,
    // With hot restart on, and only then, Envoy ends with the process that started it. The base id keeps it apart from other Envoys.
    args: ['-c', configuration, '--concurrency', String(workers), '--base-id', String(places.listenerPort), ...logLevels],
    logFile: join(folder, 'envoy.log'),
    afterwards: () => rm(`/dev/shm/envoy_shared_memory_${places.listenerPort}0`, { force: true }),
  });
  return { ...child, adminPort: places.adminPort, metrics: () => readMetrics(places.adminPort), traps: () => readTraps(child.logFile) };
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
