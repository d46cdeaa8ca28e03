import type { Command } from 'commander';
import type { ApiClient } from './api/client.ts';
import type { ExitCode } from './failure.ts';
import type { Output } from './output/output.ts';

/** What a command works with. */
export interface Cli {
  readonly api: ApiClient;
  readonly out: Output;
  /** Epoch ms. */
  readonly now: () => number;
  /** Aborts on Ctrl-C. */
  readonly interrupted: AbortSignal;
  /** The exit code of a command that did what it was asked to, where that is not 0. */
  readonly endWith: (exitCode: ExitCode) => void;
}

/** Turns what a command does into an action of commander. */
export type Act = <Arguments extends unknown[]>(
  action: (cli: Cli, ...parameters: Arguments) => unknown,
) => (...parameters: Arguments) => Promise<void>;

/** A command of the program. */
export type NewCommand = (act: Act) => Command;
