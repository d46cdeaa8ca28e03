import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** How a server process is run. */
export interface ChildSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Folder that it runs in; this process's, if not given. */
  readonly cwd?: string;
  /** Takes stdout and stderr; appended to. */
  readonly logFile: string;
  /** A Node process: it gets a channel whose end tells it that its parent is gone. */
  readonly node?: boolean;
  /** Clears away what the process leaves behind. */
  readonly afterwards?: () => Promise<void>;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A running server process. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Settles when the process has ended and nothing of it is left. */
  readonly exited: Promise<Exit>;
  /** Whether `stop` or `kill` was called: an end without it is a death. */
  readonly wasStopped: () => boolean;
  /** SIGTERM, then SIGKILL after `graceMs`; resolves when the process is gone. */
  stop(graceMs?: number): Promise<void>;
  /** SIGKILL: what a crash looks like. Resolves when the process is gone. */
  kill(): Promise<void>;
}

/** Starts a process with its output in a log file. Throws when the command cannot be run at all. */
export async function startChild(spec: ChildSpec): Promise<Child> {
  const log = openSync(spec.logFile, 'a');
  const child = spawn(spec.command, spec.args, {
    env: { ...process.env, ...spec.env },
    cwd: spec.cwd,
    // Out of the terminal's process group: Ctrl-C reaches the parent alone, which stops its servers in order.
    detached: true,
    stdio: ['ignore', log, log, ...(spec.node === true ? (['ipc'] as const) : [])],
  });
  closeSync(log);
  let stopped = false;
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  }).then(async (exit) => {
    await spec.afterwards?.();
    return exit;
  });
  await spawned(child);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    stopped = true;
    child.kill(signal);
    await exited;
  };
  return {
    name: spec.name,
    pid: child.pid ?? 0,
    logFile: spec.logFile,
    exited,
    wasStopped: () => stopped,
    kill: () => end('SIGKILL'),
    stop: async (graceMs = 5000) => {
      const force = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await end('SIGTERM');
      clearTimeout(force);
    },
  };
}

function spawned(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
}

/** Last lines of a log file, long ones cut: what a person needs to see of a process that died. */
export function tailOf(logFile: string, lines = 15): string {
  const last = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines);
  return last.map((line) => (line.length > 400 ? `${line.slice(0, 400)}…` : line)).join('\n');
}
