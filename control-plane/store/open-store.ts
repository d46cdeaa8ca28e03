import type { Logger } from 'pino';
import { prepareFolder } from './lmdb/inspect.ts';
import { openLmdbStore } from './lmdb/lmdb-store.ts';
import { verifyStore } from './lmdb/verify.ts';
import { openRedisStore } from './redis/redis-store.ts';
import type { Store } from './store.ts';

export interface StorePlace {
  /** Folder of the embedded store. */
  readonly dataDir: string;
  /** Of a shared one, which then takes its place. */
  readonly redisUrl: URL | null;
}

/** Opens the store at this place. Throws StoreUnusable with what to do. */
export async function openStore({ redisUrl, dataDir }: StorePlace, log: Logger): Promise<Store> {
  if (redisUrl) {
    log.info({ host: redisUrl.host, tls: redisUrl.protocol === 'rediss:' }, 'the store is shared: Redis or Valkey');
    return openRedisStore({ url: redisUrl, log });
  }
  prepareFolder(dataDir);
  verifyStore(dataDir);
  return openLmdbStore(dataDir);
}
