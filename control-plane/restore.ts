import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { readSettings } from './settings.ts';
import { restoreLmdb } from './store/lmdb/restore.ts';
import { StoreUnusable } from './store/store.ts';

const USAGE = 'usage: node dist/control-plane/restore.js <backup file>; fills the folder that REKINDLE_DATA_DIR names';

const [file, ...more] = process.argv.slice(2);
if (!file || more.length > 0 || file.startsWith('-')) end(2, USAGE);
const read = readSettings(process.env);
if ('problems' in read) end(2, ...read.problems);
try {
  const { dataDir } = read.settings;
  const { services, rows, lineage } = await restoreLmdb(dataDir, linesOf(file));
  console.log(`restored ${services} services (${rows} rows) into ${dataDir}, lineage ${lineage}`);
} catch (error) {
  const isExpected = error instanceof StoreUnusable || 'syscall' in (error as object);
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
