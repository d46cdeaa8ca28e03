import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Database, Key } from 'lmdb';
import { type BackupRow, type Restored, readBackup } from '../backup.ts';
import { StoreUnusable } from '../store.ts';
import { openCopies } from './copies.ts';
import { LmdbStore } from './lmdb-store.ts';
import { KEPT_TABLES, openTables, type Tables } from './open.ts';
import { within } from './transactions.ts';

const ROWS_AT_ONCE = 1000;

/**
 * Fills a folder that is empty or not there from the lines of a backup, wholly or not at all. The store has a new lineage, so that filters
 * take its directives though their revisions are lower (R5). Throws StoreUnusable with the reason.
 */
export async function restoreLmdb(folder: string, lines: AsyncIterable<string>): Promise<Restored> {
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new StoreUnusable(`the folder ${folder} is not empty; move it away, or set REKINDLE_DATA_DIR to another one`);
  const unfinished = `${folder.replace(/\/+$/, '')}.restoring`;
  rmSync(unfinished, { recursive: true, force: true });
  try {
    const restored = await fill(unfinished, lines);
    renameSync(unfinished, folder);
    return restored;
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
}

async function fill(folder: string, lines: AsyncIterable<string>): Promise<Restored> {
  const { lineage, ...tables } = await openTables(folder);
  const store = new LmdbStore(tables, lineage, openCopies(join(folder, 'copies')));
  try {
    let rows = 0;
    let some: BackupRow[] = [];
    for await (const row of readBackup(lines)) {
      rows++;
      some.push(row);
      if (some.length === ROWS_AT_ONCE) some = await put(tables, some);
    }
    await put(tables, some);
    const services = await store.services();
    for (const service of services) await store.load(service);
    return { lineage, rows, services: services.length };
  } finally {
    await store.close();
  }
}

async function put(tables: Tables, rows: readonly BackupRow[]): Promise<BackupRow[]> {
  await tables.root.childTransaction(() => {
    for (const { table, key, value } of rows) {
      const name = KEPT_TABLES.find((kept) => kept === table);
      if (!name) throw new StoreUnusable(`the backup has a table ${JSON.stringify(table)}, which this version does not know`);
      within((tables[name] as Database<unknown, Key>).put(key as Key, value));
    }
  });
  return [];
}
