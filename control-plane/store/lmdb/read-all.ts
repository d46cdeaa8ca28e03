/** Reads every row of a store and ends with 0, or tells what cannot be read; run by `verify.ts`. */
import { StoreUnusable } from '../store.ts';
import { openLmdbStore } from './lmdb-store.ts';
import { UNUSABLE } from './verify.ts';

try {
  const store = await openLmdbStore(process.argv[2]!);
  for await (const _ of store.backup(0));
  for (const service of await store.services()) await store.load(service);
  await store.close();
} catch (error) {
  console.error((error as Error).message);
  process.exit(error instanceof StoreUnusable ? UNUSABLE : 1);
}
