import type { ASUtil } from '@assemblyscript/loader';

/** Calls `run` with a function that puts a string into the module; these strings live until `run` returns. */
export function withStrings<Result>(module: ASUtil, run: (put: (text: string) => number) => Result): Result {
  const pinned: number[] = [];
  try {
    return run((text) => {
      const pointer = module.__pin(module.__newString(text));
      pinned.push(pointer);
      return pointer;
    });
  } finally {
    for (const pointer of pinned) module.__unpin(pointer);
  }
}
