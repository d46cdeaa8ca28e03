import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { projectRoot } from '../../scripts/project-root.ts';

export interface SessionOptions {
  /** Where the commands run: what they write stays there; the project's files are linked into it. */
  readonly folder: string;
  /** Ports as the pages say them → ports of this run. */
  readonly ports: ReadonlyMap<number, number>;
  readonly envoyBinary: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** What a block of commands did. */
export interface Outcome {
  readonly output: string;
  /** null: all went well. */
  readonly failure: string | null;
}

/** One shell in which a page's commands run in order, as a reader would type them. */
export interface Session {
  run(commands: string, mayFail: boolean): Promise<Outcome>;
  /** Puts a file that the page shows into the folder. */
  write(path: string, text: string): void;
  stop(): Promise<void>;
}

const DEADLINE_MS = 60_000;
const END = 'rekindle-docs-end-of-block';

/**
 * curl: answers that are errors fail a block, unless the page shows what comes, asks for it by --fail, or throws the answer away; a
 * stream is read for a moment.
 * envoy: the one that tests use, with the ports of this run, an own base id, and no more threads than needed.
 */
const prologue = `
set -eo pipefail
curl() {
  case " $* " in
    *" --fail "*) command curl "$@"; return;;
    *" /dev/null "*) command curl "$@" || true; return;;
  esac
  local more=(--silent --show-error --max-time 30)
  [ "$REKINDLE_DOCS_MAY_FAIL" = 1 ] || more+=(--fail-with-body)
  case " $* " in *" -N "*) more+=(--max-time 2);; esac
  command curl "\${more[@]}" "$@" || { local code=$?; case "$code $*" in "28 "*-N*) return 0;; esac; return $code; }
}
envoy() {
  local arguments=() file
  while [ $# -gt 0 ]; do
    if [ "$1" = -c ]; then file=$(mktemp -p "$PWD" envoy-XXXXXX.yaml); sed -E "$REKINDLE_DOCS_PORTS" "$2" > "$file"; arguments+=(-c "$file"); shift 2
    else arguments+=("$1"); shift; fi
  done
  "$ENVOY_BIN" "\${arguments[@]}" --base-id "$REKINDLE_DOCS_BASE_ID"
}
rekindle() { node "$REKINDLE_DOCS_ROOT/dist/control-plane/cli/main.js" "$@"; }
npx() { if [ "$1" = rekindle ]; then shift; rekindle "$@"; else command npx "$@"; fi; }
`;

export function openSession({ folder, ports, envoyBinary, variables }: SessionOptions): Session {
  for (const name of readdirSync(projectRoot)) {
    if (!name.startsWith('.')) symlinkSync(join(projectRoot, name), join(folder, name));
  }
  const swap = portsSwapper(ports);
  const controlPlanePort = String(ports.get(7700) ?? 7700);
  const shell = spawn('bash', ['--noprofile', '--norc', '-s'], {
    cwd: folder,
    // A group of its own, so that what the page left running ends with it.
    detached: true,
    env: {
      ...process.env,
      REKINDLE_PORT: controlPlanePort,
      REKINDLE_URL: `http://127.0.0.1:${controlPlanePort}`,
      ENVOY_BIN: envoyBinary,
      REKINDLE_DOCS_ROOT: projectRoot,
      REKINDLE_DOCS_PORTS: [...ports].map(([said, real]) => `s/(port_value: |127\\.0\\.0\\.1:)${said}\\b/\\1${real}/g`).join('; '),
      REKINDLE_DOCS_BASE_ID: String((ports.get(9901) ?? 0) % 32_000),
      ...variables,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const listener = listenTo(shell);
  shell.stdin!.write(prologue);
  return {
    run: async (commands, mayFail) => {
      const text = `REKINDLE_DOCS_MAY_FAIL=${mayFail ? 1 : 0}\n${mayFail ? 'set +e' : 'set -e'}\n${swap.into(commands)}\nset +x; echo; echo ${END}\n`;
      const file = join(folder, '.block.sh');
      writeFileSync(file, text);
      shell.stdin!.write(`. ${file}\n`);
      const { output, failure } = await listener.next();
      return { output: swap.back(output), failure };
    },
    write: (path, text) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), swap.into(text));
    },
    stop: () => stop(shell),
  };
}

/** Ports of the pages for those of the run, and back, where a text means ports. */
export function portsSwapper(ports: ReadonlyMap<number, number>): { into(text: string): string; back(text: string): string } {
  const back = new Map([...ports].map(([said, real]) => [real, said]));
  const swap = (text: string, by: ReadonlyMap<number, number>): string =>
    text.replace(
      /(127\.0\.0\.1:|localhost:|"?port_value"?: |_PORT=|http\.server |--port[ =]|:\/\/redis:)(\d+)/g,
      (whole, before: string, port: string) => (by.has(Number(port)) ? `${before}${by.get(Number(port))}` : whole),
    );
  return { into: (text) => swap(text, ports), back: (text) => swap(text, back) };
}

function listenTo(shell: ChildProcess): { next(): Promise<Outcome> } {
  let heard = '';
  let wake: () => void = () => {};
  let ended: string | null = null;
  for (const stream of [shell.stdout, shell.stderr]) {
    stream!.setEncoding('utf8').on('data', (chunk: string) => {
      heard += chunk;
      wake();
    });
  }
  shell.once('close', (code, signal) => {
    ended = `the shell ended with ${signal ?? `exit code ${code}`}`;
    wake();
  });
  // `close` waits for whoever still holds the streams; a server in the background does.
  shell.once('exit', (code, signal) =>
    setTimeout(() => {
      ended = `the shell ended with ${signal ?? `exit code ${code}`}`;
      wake();
    }, 100),
  );
  return {
    next: async () => {
      const deadline = performance.now() + DEADLINE_MS;
      for (;;) {
        const end = heard.indexOf(`${END}\n`);
        if (end >= 0) {
          const output = heard.slice(0, end).trimEnd();
          heard = heard.slice(end + END.length + 1);
          return { output, failure: null };
        }
        if (ended !== null) return { output: heard, failure: ended };
        if (performance.now() > deadline) return { output: heard, failure: `no end after ${DEADLINE_MS} ms` };
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, 1000);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    },
  };
}

async function stop(shell: ChildProcess): Promise<void> {
  const gone =
    shell.exitCode !== null || shell.signalCode !== null ? Promise.resolve() : new Promise((resolve) => shell.once('exit', resolve));
  signal(shell, 'SIGTERM');
  await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, 2000))]);
  signal(shell, 'SIGKILL');
}

function signal(shell: ChildProcess, name: NodeJS.Signals): void {
  try {
    process.kill(-shell.pid!, name);
  } catch {
    // The group has no member left.
  }
}
