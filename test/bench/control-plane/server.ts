import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, startChild } from '../../../envoy/demo/child.ts';
import { freePort } from '../../../envoy/demo/ports.ts';
import { waitFor } from '../../../envoy/demo/wait.ts';
import { projectRoot } from '../../../scripts/project-root.ts';

/** Ticks of a second in which Linux counts CPU time for those who read /proc. */
const CLOCK_TICKS = 100;

/** A profile takes its time to be written. */
const STOP_WITHIN_MS = 15_000;

export interface Server {
  readonly port: number;
  /** CPU time in ms that the process has used so far, all its threads together. */
  cpuMs(): number;
  /** Resident memory in bytes. */
  rss(): number;
  /** Value of a series at /metrics; 0: there is none. */
  metric(series: string): Promise<number>;
  stop(): Promise<void>;
}

/** The control plane as shipped, in a process of its own with an empty store. */
export async function startServer(environment: Readonly<Record<string, string>> = {}): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'rekindle-bench-'));
  const port = await freePort();
  const child = await startChild({
    name: 'control plane',
    command: process.execPath,
    args: [...nodeOptions(), join(projectRoot, 'dist/control-plane/main.js')],
    env: {
      REKINDLE_PORT: String(port),
      REKINDLE_DATA_DIR: join(folder, 'store'),
      REKINDLE_LOG_LEVEL: 'warn',
      REDIS_URL: '',
      ...environment,
    },
    logFile: join(folder, 'log'),
    node: true,
  });
  const base = `http://127.0.0.1:${port}`;
  await waitFor('the control plane to be ready', async () => ((await fetch(`${base}/readyz`)).status === 200 ? true : null), 20_000);
  return {
    port,
    cpuMs: () => cpuMsOf(child.pid),
    rss: () => rssOf(child),
    metric: async (series) => seriesValue(await (await fetch(`${base}/metrics`)).text(), series),
    stop: async () => {
      await child.stop(STOP_WITHIN_MS);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** `BENCH_NODE_OPTIONS="--cpu-prof --cpu-prof-dir=.data/profile"` profiles the server. */
function nodeOptions(): string[] {
  return process.env['BENCH_NODE_OPTIONS']?.split(' ') ?? [];
}

/** CPU time in ms that a process has used so far, all its threads together. */
export function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / CLOCK_TICKS;
}

function rssOf({ pid }: Child): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

function seriesValue(metrics: string, series: string): number {
  const line = metrics.split('\n').find((each) => each.startsWith(`${series} `));
  return line ? Number(line.slice(series.length + 1)) : 0;
}
