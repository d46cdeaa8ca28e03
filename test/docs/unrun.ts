import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../scripts/project-root.ts';

/** Commands that no test here can run: which, why not, and what is looked at instead. */
interface Unrun {
  readonly command: RegExp;
  readonly because: string;
}

const UNRUN: readonly Unrun[] = [
  { command: /^npm start\b/, because: 'runs until Ctrl-C; its scenarios run in test/e2e/outage and overload' },
  {
    command: /^npm (test|ci|install)\b|^npm run /,
    because: 'builds, tests and benches of the project: CI runs them; names.test.ts looks for the scripts',
  },
  { command: /^git clone\b/, because: 'brings the project from its host' },
  { command: /^(kubectl|istioctl|helm|kind)\b/, because: 'needs a cluster; the files that it names must exist' },
  { command: /^(docker|docker-compose|podman|crane)\b/, because: 'needs a container engine; the files that it names must exist' },
];

/** A block's commands that run here, without those that cannot. */
export function runnable(text: string): string {
  return commandsOf(text)
    .filter((command) => reasonNotToRun(command) === null)
    .join('\n');
}

/** Paths of the project that the commands which cannot run name, and that do not exist. */
export function missingFiles(text: string): string[] {
  const named = commandsOf(text)
    .filter((command) => reasonNotToRun(command) !== null)
    .flatMap((command) => command.replace(/\s#.*$/gm, '').split(/[\s=]+/))
    .filter(
      (word) =>
        /^(control-plane|docs|envoy|filter|scripts|test|build)\/[\w./-]+$/.test(word) || /^(docker-compose\.yml|Dockerfile)$/.test(word),
    );
  return named.filter((path) => !existsSync(join(projectRoot, path)));
}

function reasonNotToRun(command: string): string | null {
  const bare = command.trimStart().replace(/^(\w+=\S+\s+)+/, '');
  return UNRUN.find((each) => each.command.test(bare))?.because ?? null;
}

/** Lines with their continuations and here-documents in one piece. */
function commandsOf(text: string): string[] {
  const commands: string[] = [];
  let open: string | null = null;
  for (const line of text.split('\n')) {
    const command: string = open === null ? line : `${open}\n${line}`;
    open = isWhole(command) ? null : command;
    if (open === null) commands.push(command);
  }
  return open === null ? commands : [...commands, open];
}

function isWhole(command: string): boolean {
  const end = /<<-?\s*['"]?(\w+)['"]?/.exec(command)?.[1];
  return end === undefined ? !command.endsWith('\\') : new RegExp(`\\n${end}$`).test(command);
}
