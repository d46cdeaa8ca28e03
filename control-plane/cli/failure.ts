/** How a process of the command line ends; the last two are the shells' codes for Ctrl-C and for SIGTERM. */
export const EXIT = { fine: 0, refused: 1, usage: 2, unreachable: 3, interrupted: 130, terminated: 143 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Why a command did not do what it was asked to, for a person to read. */
export class Failure extends Error {
  readonly exitCode: ExitCode;
  /** Lines below the message: what exactly is wrong. */
  readonly details: readonly string[];
  /** What to do next. */
  readonly hint: string | null;

  constructor(
    exitCode: ExitCode,
    message: string,
    { details = [], hint = null }: { details?: readonly string[]; hint?: string | null } = {},
  ) {
    super(message);
    this.exitCode = exitCode;
    this.details = details;
    this.hint = hint;
  }
}

export const usage = (message: string, hint: string | null = null) => new Failure(EXIT.usage, message, { hint });
export const refused = (message: string, details: readonly string[] = [], hint: string | null = null) =>
  new Failure(EXIT.refused, message, { details, hint });
