import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Cores for the Envoy that is measured and for all that loads it; the same core where there is but one. */
const cores = { measured: 0, load: Math.min(1, cpus().length - 1) };

/** What a command is put behind to run on the core of the Envoy that is measured, or on the one of the load. */
export const onMeasuredCore = ['taskset', '-c', String(cores.measured)] as const;
export const onLoadCore = ['taskset', '-c', String(cores.load)] as const;

/** Throws what to install when a tool is missing. */
export async function requireTools(): Promise<void> {
  const tools = [
    { command: 'wrk', args: ['--version'], install: 'the load generator wrk (apt install wrk, brew install wrk, or github.com/wg/wrk)' },
    { command: 'taskset', args: ['--version'], install: 'taskset (apt install util-linux)' },
  ];
  for (const { command, args, install } of tools) {
    await run(command, args).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') throw new Error(`${command} is not on PATH: the benches of the filter need ${install}`);
    });
  }
}

export interface LoadRun {
  readonly port: number;
  readonly path: string;
  readonly seconds: number;
  readonly connections?: number;
}

/** Loads a listener as fast as it answers; gives the number of answers. Any error or status of 400 and more is thrown. */
export async function load({ port, path, seconds, connections = 16 }: LoadRun): Promise<number> {
  const [command = '', ...pin] = onLoadCore;
  const args = [...pin, 'wrk', '-t1', `-c${connections}`, `-d${seconds}s`, `http://127.0.0.1:${port}${path}`];
  const { stdout } = await run(command, args);
  const answers = Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0);
  if (answers === 0 || /Non-2xx|Socket errors/.test(stdout)) throw new Error(`the load on port ${port} met errors:\n${stdout}`);
  return answers;
}

/** CPU time of all threads of a process so far, in us. */
export function cpuTimeUs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => sum + threadTimeNs(pid, thread), 0) / 1000;
}

/** 0 for a thread that has just ended. */
function threadTimeNs(pid: number, thread: string): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  } catch {
    return 0;
  }
}

/** Resident memory of a process in bytes. */
export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}

/** One line on where figures come from. */
export function machine(envoyVersion: string): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown CPU';
  return `${cpus().length} × ${model}, ${process.platform}, Envoy ${envoyVersion}, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`;
}
