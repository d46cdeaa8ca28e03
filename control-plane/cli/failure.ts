/** How a process of the command line ends; 130 is the shells' code for Ctrl-C. */
export const EXIT = { fine: 0, refused: 1, usage: 2, unreachable: 3, interrupted: 130 } as const;
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
