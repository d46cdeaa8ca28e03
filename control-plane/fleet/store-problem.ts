import { StoreFailed, saying } from '../errors.ts';
import { StoreFault } from '../store/store.ts';

/** What a caller is told when the store failed: how, and whether the change may have been made all the same. */
export function storeProblem(error: unknown): InstanceType<typeof StoreFailed> {
  if (!(error instanceof StoreFault)) return saying(new StoreFailed('nothing was changed as far as is known'), { retryAfterSeconds: 1 });
  const outcome = error.isDoubtful ? 'whether anything was changed is not known, read it again' : 'nothing was changed';
  return saying(new StoreFailed(`${error.message}; ${outcome}`), { retryAfterSeconds: 1, because: `store-${error.kind}` });
}
