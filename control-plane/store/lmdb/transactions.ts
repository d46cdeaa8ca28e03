import type { RootDatabase } from 'lmdb';

/** lmdb tells the cause of a failed commit by a promise that it rejects a moment later. */
type CommitFailure = Error & { readonly commitError?: Promise<never> };

/** How long to wait for that cause before the bare failure is told. */
const CAUSE_WITHIN_MS = 100;

/** The write transactions of one file. */
export class Transactions {
  private readonly root: RootDatabase;
  private lastFailure: Error | null = null;

  constructor(root: RootDatabase) {
    this.root = root;
  }

  /** Runs `action` as one transaction. Resolves when it is on disk; rejects with the cause when it is not, and then nothing of it is stored. */
  async run<T>(action: () => T): Promise<T> {
    try {
      const result = await this.root.childTransaction(action);
      this.lastFailure = null;
      return result;
    } catch (error) {
      const { commitError } = error as CommitFailure;
      if (!commitError) throw error;
      this.lastFailure = await causeOf(commitError);
      throw this.lastFailure;
    }
  }

  /** Why the last transaction could not be written; null: it could. */
  get failure(): Error | null {
    return this.lastFailure;
  }
}

/** Within a transaction a write is done when it returns; its promise is the transaction's, which is awaited as a whole. */
export function within(write: PromiseLike<unknown>): void {
  write.then(undefined, () => undefined);
}

async function causeOf(commitError: Promise<never>): Promise<Error> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, CAUSE_WITHIN_MS, 'unknown cause');
  });
  const cause = await Promise.race([commitError.catch((error: Error) => error.message), late]);
  clearTimeout(timer);
  return new Error(`the store cannot write to its disk: ${cause}`);
}
