import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openLmdbStore } from '../../../../control-plane/store/lmdb/lmdb-store.ts';
import { restoreLmdb } from '../../../../control-plane/store/lmdb/restore.ts';
import { restoreRedis } from '../../../../control-plane/store/redis/restore.ts';
import { ACCESS_AUDIT, type Store, StoreUnusable } from '../../../../control-plane/store/store.ts';
import { buildMain, runMain } from '../../fleet/built.ts';
import { backupOf, contentOf, fill, given, ROWS } from '../backup-samples.ts';
import { commitOf, entryOf, recoveryOf, stateOf } from '../samples.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { databases, openClient, openStore, silent } from './server.ts';

const newDatabase = databases();

async function embedded(folder = join(temporaryFolder(), 'data')): Promise<Store> {
  const store = await openLmdbStore(folder);
  onTestFinished(() => store.close());
  return store;
}

test.for<{ name: string; from: () => Promise<Store> }>([
  { name: 'the embedded store', from: () => embedded() },
  { name: 'Redis', from: () => openStore(newDatabase()) },
])('a backup of $name is restored into Redis, under a new lineage, and goes on where it was', async ({ from }) => {
  const store = await fill(await from());
  const url = newDatabase();
  const restored = await restoreRedis(url, silent, given(await backupOf(store)));
  expect(restored).toMatchObject({ services: 2, rows: ROWS });
  const copy = await openStore(url);
  expect(await contentOf(copy)).toEqual(await contentOf(store));
  expect(copy.lineage).toBe(restored.lineage);
  expect(copy.lineage).not.toBe(store.lineage);
  const change = { audit: [entryOf('later')], ended: [recoveryOf('shop', 'r2')] };
  expect(await copy.commit(commitOf(2, stateOf('shop', { version: 3, revision: 2, policyRevision: 2 }), change))).toBe('committed');
  expect((await copy.audit('shop', { limit: 1 })).items).toMatchObject([{ sequence: 1201, action: 'later' }]);
  expect((await copy.recoveries('shop', { limit: 5 })).items.map(({ id }) => id)).toEqual(['r2', 'r1']);
  await copy.removeToken('t1', entryOf('token-revoked'));
  expect((await copy.audit(ACCESS_AUDIT, { limit: 1 })).items).toMatchObject([{ sequence: 2 }]);
});

test('a backup of Redis is restored into the embedded store', async () => {
  const store = await fill(await openStore(newDatabase()));
  const folder = join(temporaryFolder(), 'new');
  expect(await restoreLmdb(folder, given(await backupOf(store)))).toMatchObject({ services: 2, rows: ROWS });
  expect(await contentOf(await embedded(folder))).toEqual(await contentOf(store));
});

test.for([
  { name: 'is cut off', change: (lines: string[]) => lines.slice(0, -1), says: /was cut off/ },
  {
    name: 'has a table of a newer version',
    change: (lines: string[]) => lines.with(1, '{"table":"x","key":"a","value":1}'),
    says: /table "x"/,
  },
  {
    name: 'lacks a policy',
    change: (lines: string[]) => lines.filter((line) => !line.includes('"policies"')),
    says: /not what was written/,
  },
])('a backup that $name leaves nothing behind', async ({ change, says }) => {
  const url = newDatabase();
  const lines = change(await backupOf(await fill(await embedded())));
  await expect(restoreRedis(url, silent, given(lines))).rejects.toThrow(says);
  expect(await openClient(url).dbsize()).toBe(0);
});

test('a database that is in use is never restored into', async () => {
  const url = newDatabase();
  const lines = await backupOf(await fill(await openStore(url)));
  const error = await restoreRedis(url, silent, given(lines)).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StoreUnusable);
  expect((error as Error).message).toMatch(/holds keys of Rekindle; stop all control planes/);
  const empty = newDatabase();
  const results = await Promise.allSettled([1, 2].map(() => restoreRedis(empty, silent, given(lines))));
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  expect(await contentOf(await openStore(empty))).toEqual(await contentOf(await openStore(url)));
});

test('by the command', async () => {
  const store = await fill(await embedded());
  const file = join(temporaryFolder(), 'backup.ndjson');
  writeFileSync(file, `${(await backupOf(store)).join('\n')}\n`);
  const url = newDatabase();
  const restore = runMain(buildMain().replace('main.js', 'restore.js'), { REDIS_URL: url.href }, file);
  expect(await once(restore.child, 'exit')).toEqual([0, null]);
  expect(restore.output()).toMatch(/restored 2 services \(\d+ rows\) into the database of REDIS_URL, lineage /);
  expect(await contentOf(await openStore(url))).toEqual(await contentOf(store));
});
