import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openLmdbStore } from '../../../control-plane/store/lmdb/lmdb-store.ts';
import { restoreLmdb } from '../../../control-plane/store/lmdb/restore.ts';
import { type Store, StoreUnusable } from '../../../control-plane/store/store.ts';
import { buildMain, runMain, startMain } from '../fleet/built.ts';
import { policyDraft } from '../fleet/stage.ts';
import { backupOf, contentOf, fill, given, ROWS } from './backup-samples.ts';
import { commitOf, entryOf, stateOf } from './samples.ts';
import { temporaryFolder } from './temporary-folder.ts';

async function opened(folder: string): Promise<Store> {
  const store = await openLmdbStore(folder);
  onTestFinished(() => store.close());
  return store;
}

const filled = async () => fill(await opened(temporaryFolder()));

test('a restored store has everything but the lineage and the leader', async () => {
  const store = await filled();
  const folder = join(temporaryFolder(), 'new');
  const restored = await restoreLmdb(folder, given(await backupOf(store)));
  expect(restored).toMatchObject({ services: 2, rows: ROWS });
  const copy = await opened(folder);
  expect(await contentOf(copy)).toEqual(await contentOf(store));
  expect(copy.lineage).toBe(restored.lineage);
  expect(copy.lineage).not.toBe(store.lineage);
});

test('a backup is one moment: what is written while it is read is not in it', async () => {
  const store = await filled();
  const before = await contentOf(store);
  const lines: string[] = [];
  let version = 2;
  for await (const line of store.backup(1000)) {
    lines.push(line.trimEnd());
    if (lines.length % 200 === 0)
      await store.commit(commitOf(version++, stateOf('shop', { version, revision: 2, policyRevision: 2 }), { audit: [entryOf('later')] }));
  }
  expect(version).toBeGreaterThan(5);
  const folder = join(temporaryFolder(), 'new');
  await restoreLmdb(folder, given(lines));
  expect(await contentOf(await opened(folder))).toEqual(before);
});

test.for<{ name: string; change: (lines: string[]) => string[]; says: RegExp }>([
  { name: 'is cut off', change: (lines) => lines.slice(0, -1), says: /was cut off/ },
  { name: 'lacks a row', change: (lines) => lines.toSpliced(3, 1), says: /not what was written/ },
  {
    name: 'has a changed row',
    change: (lines) => lines.with(3, lines[3]!.replace('"shop"', '"shoq"').replace('"bank"', '"bant"')),
    says: /not what was written/,
  },
  { name: 'has rows after its end', change: (lines) => [...lines, lines[1]!], says: /after the end/ },
  { name: 'is not JSON', change: (lines) => lines.with(2, '{'), says: /line 3 .* not an object of JSON/ },
  { name: 'is another file', change: () => ['{"hello":1}'], says: /not a backup of Rekindle/ },
  { name: 'is empty', change: () => [], says: /after 0 lines/ },
  { name: 'has a newer format', change: (lines) => lines.with(0, lines[0]!.replace('"format":1', '"format":9')), says: /format 9/ },
  { name: 'has a table of a newer version', change: (lines) => lines.with(1, '{"table":"x","key":"a","value":1}'), says: /table "x"/ },
])('a backup that $name restores nothing', async ({ change, says }) => {
  const folder = join(temporaryFolder(), 'new');
  const error = await restoreLmdb(folder, given(change(await backupOf(await filled())))).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StoreUnusable);
  expect((error as Error).message).toMatch(says);
  expect(await (await opened(folder)).services()).toEqual([]);
});

test('a folder that holds something is never restored into', async () => {
  const folder = temporaryFolder();
  await (await openLmdbStore(folder)).close();
  await expect(restoreLmdb(folder, given(await backupOf(await filled())))).rejects.toThrow(/is not empty/);
});

test('from a running process by HTTP, into a new folder by the command, served by a new process under a new lineage', async () => {
  const main = buildMain();
  const first = await startMain(main, { REKINDLE_DATA_DIR: join(temporaryFolder(), 'data') });
  const put = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(policyDraft('shop', 'catalog')) };
  expect((await fetch(`${first.base}/v1/policies/shop`, put)).status).toBe(201);
  const before = await (await fetch(`${first.base}/v1/services/shop/directive`)).json();
  const backup = await fetch(`${first.base}/v1/backup`);
  expect(backup.headers.get('content-type')).toBe('application/x-ndjson');
  const file = join(temporaryFolder(), 'backup.ndjson');
  writeFileSync(file, await backup.text());
  await first.end('SIGTERM');

  const environment = { REKINDLE_DATA_DIR: join(temporaryFolder(), 'restored') };
  const restore = runMain(main.replace('main.js', 'restore.js'), environment, file);
  expect(await once(restore.child, 'exit')).toEqual([0, null]);
  expect(restore.output()).toMatch(/^restored 1 services \(\d+ rows\) into /);
  const second = await startMain(main, environment);
  const after = await (await fetch(`${second.base}/v1/services/shop/directive`)).json();
  expect(after).toEqual({ ...(before as object), lineage: expect.not.stringMatching((before as { lineage: string }).lineage) });
});
