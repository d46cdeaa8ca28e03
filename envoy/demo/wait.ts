/** Asks until the answer is not null; throws what it waited for, and the last error, after `timeoutMs`. */
export async function waitFor<T>(what: string, ask: () => Promise<T | null>, timeoutMs: number, pauseMs = 50): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown = null;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== null) return answer;
      lastError = null;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() > deadline) break;
    await pause(pauseMs);
  }
  const because = lastError === null ? '' : `: ${describe(lastError)}`;
  throw new Error(`waited ${timeoutMs} ms in vain for ${what}${because}`);
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}

/** A pause that an abort cuts short. */
export function nap(ms: number, end: AbortSignal): Promise<void> {
  if (end.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      end.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    end.addEventListener('abort', done);
  });
}

/** Aborts when one of these does. AbortSignal.any is not used: on Node 20 its signal may be collected before a timeout aborts it. */
export function firstOf(...signals: readonly AbortSignal[]): AbortSignal {
  const controller = new AbortController();
  for (const signal of signals) {
    if (signal.aborted) controller.abort();
    else signal.addEventListener('abort', () => controller.abort(), { once: true });
  }
  return controller.signal;
}
