import { Command, Option } from 'commander';
import { ApiClient } from './api/client.ts';
import type { Act, Cli, NewCommand } from './cli.ts';
import { applyCommand } from './commands/apply.ts';
import { completeCommand } from './commands/complete.ts';
import { completionCommand } from './commands/completion.ts';
import { demoCommand } from './commands/demo.ts';
import { diffCommand } from './commands/diff.ts';
import { featuresCommand } from './commands/features.ts';
import { getCommand } from './commands/get.ts';
import { historyCommand } from './commands/history.ts';
import { lintCommand } from './commands/lint.ts';
import { fillManifest, manifestCommand } from './commands/manifest.ts';
import { overrideCommand } from './commands/override.ts';
import { recoverCommand } from './commands/recover.ts';
import { rollbackCommand } from './commands/rollback.ts';
import { schemaCommand } from './commands/schema.ts';
import { simulateCommand } from './commands/simulate.ts';
import { statusCommand } from './commands/status.ts';
import { tokenCommand } from './commands/token.ts';
import { whyCommand } from './commands/why.ts';
import { type Connection, connectionOf, DEFAULT_URL } from './connection.ts';
import { EXIT, type ExitCode } from './failure.ts';
import { duration } from './options.ts';
import { FORMATS, type Format, Output, type Terminal } from './output/output.ts';
import { version } from './version.ts';

/** In the order of the help: what a person needs in an outage comes first. */
const COMMANDS: readonly NewCommand[] = [
  statusCommand,
  featuresCommand,
  whyCommand,
  recoverCommand,
  overrideCommand,
  rollbackCommand,
  historyCommand,
  getCommand,
  lintCommand,
  diffCommand,
  applyCommand,
  simulateCommand,
  tokenCommand,
  manifestCommand,
  schemaCommand,
  demoCommand,
  completionCommand,
];

export interface Host {
  readonly terminal: Terminal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly interrupted: AbortSignal;
  readonly now: () => number;
}

interface GlobalOptions {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly timeout: number;
  readonly output: Format;
}

export interface Program {
  readonly command: Command;
  /** Of the command that ran. */
  readonly exitCode: () => ExitCode;
}

/** All commands, on the terminal and the environment of a host. */
export function buildProgram(host: Host): Program {
  let exitCode: ExitCode = EXIT.fine;
  const endWith = (code: ExitCode): void => {
    exitCode = code;
  };
  const act: Act =
    (action) =>
    async (...parameters) => {
      const command = parameters.at(-1) as unknown as Command;
      await action(cliOf(host, command.optsWithGlobals<GlobalOptions>(), endWith), ...parameters);
    };
  const program = new Command('rekindle')
    .description('Keeps services answering while their upstreams fail, and brings them back in a controlled way')
    .version(version, '-V, --version')
    .addOption(new Option('-u, --url <url>', `the control plane (default: $REKINDLE_URL, else ${DEFAULT_URL})`))
    .addOption(new Option('--token-file <file>', 'file that holds the access token (default: $REKINDLE_TOKEN, else none)'))
    .addOption(new Option('--timeout <duration>', 'longest time of one request').argParser(duration).default(10_000, '10s'))
    .addOption(new Option('-o, --output <format>', 'how data is printed').choices(FORMATS).default('table'))
    .addHelpText('after', '\nExit codes: 0 fine, 1 refused, 2 usage, 3 unreachable.');
  for (const newCommand of COMMANDS) program.addCommand(newCommand(act));
  program.addCommand(completeCommand(act), { hidden: true });
  program.hook('preSubcommand', (_, subcommand) => fillManifest(program, subcommand));
  for (const command of withSubcommands(program)) {
    command.exitOverride().configureOutput({
      writeOut: host.terminal.out,
      writeErr: host.terminal.err,
      outputError: () => undefined, // main.ts says it, without what may be a secret
    });
    command.configureHelp({ showGlobalOptions: true });
  }
  return { command: program, exitCode: () => exitCode };
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

function cliOf({ terminal, environment, interrupted, now }: Host, options: GlobalOptions, endWith: Cli['endWith']): Cli {
  let connection: Connection | null = null;
  let api: ApiClient | null = null;
  return {
    out: new Output(terminal, options.output),
    now,
    interrupted,
    endWith,
    // What needs no control plane does not mind how it would be reached.
    get api() {
      connection ??= connectionOf(options, environment);
      api ??= new ApiClient(connection, interrupted, version);
      return api;
    },
  };
}
