import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { type BackupRow, type Restored, readBackup } from '../backup.ts';
import { StoreUnusable } from '../store.ts';
import type { Connection } from './connection.ts';
import { Filling } from './filling.ts';
import { FLEET_KEYS, KEY_PREFIX } from './keys.ts';
import { connectWithin } from './open.ts';
import { sent } from './scripts.ts';
import { loadService } from './service.ts';

const ROWS_AT_ONCE = 500;
const CONNECT_WITHIN_MS = 10_000;
/** A restore that died lets others in after this. */
const CLAIM_MS = 600_000;

/**
 * Fills a database without keys of Rekindle from the lines of a backup, wholly or not at all. The store has a new lineage, so that filters take
 * its directives though their revisions are lower (R5). Throws StoreUnusable with the reason.
 */
export async function restoreRedis(url: URL, log: Logger, lines: AsyncIterable<string>): Promise<Restored> {
  const { connection } = await connectWithin(url, log, CONNECT_WITHIN_MS, claim);
  try {
    return await fill(connection, lines);
  } catch (error) {
    await clear(connection);
    throw error;
  } finally {
    connection.close();
  }
}

async function claim(connection: Connection): Promise<void> {
  const found = await keysOf(connection).next();
  if (!found.done) {
    throw new StoreUnusable(
      'the database of REDIS_URL holds keys of Rekindle; stop all control planes that use it, and empty it (FLUSHDB) or name another database',
    );
  }
  const isOurs = await connection.use((redis) => redis.set(FLEET_KEYS.restoring, '1', 'PX', CLAIM_MS, 'NX'));
  if (isOurs === null) throw new StoreUnusable('another backup is being restored into the database of REDIS_URL');
}

async function fill(connection: Connection, lines: AsyncIterable<string>): Promise<Restored> {
  const [seconds] = await connection.use((redis) => redis.time());
  const filling = new Filling(`${Number(seconds) * 1000}-${randomUUID()}`);
  let rows = 0;
  let some: BackupRow[] = [];
  const send = async () => {
    await connection.use((redis) => {
      const pipeline = redis.pipeline();
      for (const row of some) filling.add(pipeline, row);
      return sent(pipeline);
    });
    some = [];
  };
  for await (const row of readBackup(lines)) {
    rows++;
    some.push(row);
    if (some.length === ROWS_AT_ONCE) await send();
  }
  await send();
  for (const service of filling.services) await loadService(connection, service);
  await connection.use((redis) => {
    const pipeline = redis.multi();
    filling.finish(pipeline);
    return sent(pipeline);
  });
  return { lineage: filling.lineage, rows, services: filling.services.size };
}

/** All keys of Rekindle in this database, in portions. */
async function* keysOf(connection: Connection): AsyncGenerator<readonly string[]> {
  let cursor = '0';
  do {
    const [next, keys] = await connection.use((redis) => redis.scan(cursor, 'MATCH', `${KEY_PREFIX}*`, 'COUNT', 1000));
    if (keys.length > 0) yield keys;
    cursor = next;
  } while (cursor !== '0');
}

async function clear(connection: Connection): Promise<void> {
  for await (const keys of keysOf(connection)) await connection.use((redis) => redis.unlink(...keys));
}
