#!/usr/bin/env node
import { CommanderError } from 'commander';
import { EXIT, type ExitCode, Failure } from './failure.ts';
import { harmless } from './output/width.ts';
import { buildProgram } from './program.ts';

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interruption.abort(signal));
// Whoever reads along may stop reading: `rekindle get services | head -1`.
for (const stream of [process.stdout, process.stderr]) stream.on('error', quitQuietly);

process.exitCode = await run();

async function run(): Promise<ExitCode> {
  const { stdout, stderr, env } = process;
  const { command, exitCode } = buildProgram({
    terminal: {
      out: (text) => void stdout.write(text),
      err: (text) => void stderr.write(text),
      columns: columnsOf(stdout),
      liveColumns: columnsOf(stderr),
      hasColour: stdout.isTTY && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    },
    environment: env,
    interrupted: interruption.signal,
    now: Date.now,
  });
  try {
    await command.parseAsync();
    return exitCode();
  } catch (error) {
    return told(error);
  }
}

/** null: not a terminal. One that does not know its width has 0. */
function columnsOf({ isTTY, columns }: NodeJS.WriteStream): number | null {
  return isTTY ? columns || 80 : null;
}

/** Says what went wrong, and gives the exit code. */
function told(error: unknown): ExitCode {
  if (interruption.signal.aborted) return interruption.signal.reason === 'SIGTERM' ? EXIT.terminated : EXIT.interrupted;
  if (error instanceof CommanderError) return toldUsage(error);
  const { message, details, hint, exitCode } = error instanceof Failure ? error : bug(error as Error);
  const lines = [`rekindle: ${message}`, ...details.map((line) => `  ${line}`), ...(hint === null ? [] : [`hint: ${hint}`])];
  process.stderr.write(`${lines.map(harmless).join('\n')}\n`);
  return exitCode;
}

function bug(error: Error): Failure {
  return new Failure(EXIT.refused, `a fault of this program: ${error.stack ?? error.message}`);
}

function toldUsage({ exitCode, message }: CommanderError): ExitCode {
  if (exitCode === 0) return EXIT.fine;
  if (message === '(outputHelp)') return EXIT.usage;
  // What follows an option after `=` may be a secret.
  const words = message.replace(/^error: /, '').replace(/('--?[^'=]+)=[^']*'/g, "$1'");
  const isToken = /'--token'/.test(words);
  process.stderr.write(
    `rekindle: ${words}\nhint: ${isToken ? 'a secret in the arguments is seen by everybody on the machine: use REKINDLE_TOKEN or --token-file' : '--help tells more'}\n`,
  );
  return EXIT.usage;
}

function quitQuietly(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.fine);
}
