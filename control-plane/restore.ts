import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { buildLog } from './log.ts';
import { readSettings } from './settings.ts';
import { restoreLmdb } from './store/lmdb/restore.ts';
import { restoreRedis } from './store/redis/restore.ts';
import { StoreFault, StoreUnusable } from './store/store.ts';

const USAGE =
  'usage: node dist/control-plane/restore.js <backup file>; fills the folder that REKINDLE_DATA_DIR names, or the database of REDIS_URL';

const [file, ...more] = process.argv.slice(2);
if (!file || more.length > 0 || file.startsWith('-')) end(2, USAGE);
const read = readSettings(process.env);
if ('problems' in read) end(2, ...read.problems);
try {
  const { dataDir, redisUrl, logLevel } = read.settings;
  const restored = redisUrl ? restoreRedis(redisUrl, buildLog(logLevel), linesOf(file)) : restoreLmdb(dataDir, linesOf(file));
  const { services, rows, lineage } = await restored;
  console.log(`restored ${services} services (${rows} rows) into ${redisUrl ? 'the database of REDIS_URL' : dataDir}, lineage ${lineage}`);
} catch (error) {
  const isExpected = error instanceof StoreUnusable || error instanceof StoreFault || 'syscall' in (error as object);
  if (!isExpected) throw error;
  end(1, (error as Error).message);
}

/** Opened when the first line is asked for: readline loses what it reads before. */
async function* linesOf(path: string): AsyncGenerator<string> {
  yield* createInterface({ input: createReadStream(path), crlfDelay: Infinity });
}

function end(code: number, ...lines: readonly string[]): never {
  for (const line of lines) console.error(`rekindle: ${line}`);
  process.exit(code);
}
