import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { openLmdbStore } from '../../../control-plane/store/lmdb/lmdb-store.ts';
import { buildMain, runMain } from '../fleet/built.ts';
import { commitOf, entryOf, stateOf } from './samples.ts';
import { temporaryFolder } from './temporary-folder.ts';

const PAGE = 4096;
const PAGES_OF_META = 2;

let main: string;
beforeAll(() => {
  main = buildMain();
});

async function filledFolder(): Promise<string> {
  const folder = temporaryFolder();
  const store = await openLmdbStore(folder);
  const audit = Array.from({ length: 20 }, (_, index) => entryOf(`entry-${index}`.padEnd(200, '.')));
  for (let version = 1; version <= 10; version++) await store.commit(commitOf(version - 1, stateOf('shop', { version }), { audit }));
  await store.close();
  return folder;
}

test.for([
  { name: 'all pages after the first two overwritten', damage: (file: Buffer) => file.fill(0xa5, PAGES_OF_META * PAGE) },
  { name: 'all pages after the first two zeroed', damage: (file: Buffer) => file.fill(0, PAGES_OF_META * PAGE) },
  {
    name: 'each page with a foreign header',
    damage: (file: Buffer) => {
      for (let at = PAGES_OF_META * PAGE; at < file.length; at += PAGE) file.fill(0xff, at + 8, at + 24);
    },
  },
])('a file with $name: the process says so and what to do, and does not start', async ({ damage }) => {
  const folder = await filledFolder();
  const file = join(folder, 'data.mdb');
  const bytes = readFileSync(file);
  damage(bytes);
  writeFileSync(file, bytes);
  const { child, output } = runMain(main, { REKINDLE_PORT: '0', REKINDLE_DATA_DIR: folder });
  expect(await once(child, 'exit')).toEqual([1, null]);
  expect(output()).toMatch(/is damaged.*restore a backup/);
});

test('a sound file passes the same check', async () => {
  const { child, output } = runMain(main, { REKINDLE_PORT: '0', REKINDLE_DATA_DIR: await filledFolder() });
  await expect.poll(output, { timeout: 10_000 }).toContain('Server listening');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});
