import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Recovery, ServiceState } from '../../../control-plane/domain/model.ts';
import { pauseRecovery } from '../../../control-plane/domain/recovery/pause.ts';
import { openLmdbStore } from '../../../control-plane/store/lmdb/lmdb-store.ts';
import { type Store, type StoreOptions, StoreUnusable } from '../../../control-plane/store/store.ts';
import { describeStore } from './conformance.ts';
import { commitOf, entryOf, recoveryOf, stateOf } from './samples.ts';
import { temporaryFolder } from './temporary-folder.ts';

async function opened(folder: string, keep?: StoreOptions): Promise<Store> {
  const store = await openLmdbStore(folder, keep);
  onTestFinished(() => store.close());
  return store;
}

describeStore('LMDB', async () => {
  const folder = temporaryFolder();
  return {
    open: (keep) => openLmdbStore(folder, keep),
    // One process per folder: the next one is the same process under another name.
    depose: async (store) => (await store.lead('two', 5000))!,
  };
});

describe('a folder that cannot be a store', () => {
  const rows: { name: string; prepare: (folder: string) => void; says: RegExp }[] = [
    {
      name: 'a foreign file',
      prepare: (folder) => writeFileSync(join(folder, 'data.mdb'), 'x'.repeat(50_000)),
      says: /not a store of Rekindle/,
    },
    { name: 'a few bytes', prepare: (folder) => writeFileSync(join(folder, 'data.mdb'), 'x'), says: /not a store of Rekindle/ },
    { name: 'a file in place of the folder', prepare: (folder) => writeFileSync(join(folder, 'sub'), ''), says: /cannot be used/ },
  ];
  test.for(rows)('$name is refused with what to do', async ({ name, prepare, says }) => {
    const folder = temporaryFolder();
    prepare(folder);
    const place = name.includes('in place') ? join(folder, 'sub') : folder;
    const error = await openLmdbStore(place).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StoreUnusable);
    expect((error as Error).message).toMatch(says);
  });

  test('a file that was cut off is refused before it is mapped', async () => {
    const folder = temporaryFolder();
    const store = await openLmdbStore(folder);
    const entry = { ...entryOf('padding'), reason: { because: 'x'.repeat(20_000) } };
    for (let version = 1; version <= 100; version++) {
      await store.commit(commitOf(version - 1, stateOf('shop', { version }), { audit: Array.from({ length: 3 }, () => entry) }));
    }
    await store.close();
    const file = join(folder, 'data.mdb');
    truncateSync(file, Math.floor(readFileSync(file).length / 3 / 4096) * 4096);
    await expect(openLmdbStore(folder)).rejects.toThrow(/is cut off/);
  });

  test('a newer format is refused', async () => {
    const folder = temporaryFolder();
    mkdirSync(folder, { recursive: true });
    const root = open({ path: folder, maxDbs: 8, overlappingSync: false });
    await root.openDB({ name: 'meta', encoding: 'json' }).put('format', 99);
    await root.close();
    await expect(openLmdbStore(folder)).rejects.toThrow(/has format 99, this version reads 1/);
  });

  test('a folder that a living process uses is refused, and is free once that process was killed', async () => {
    const folder = temporaryFolder();
    const script = `import { open } from 'lmdb'; const root = open({ path: process.argv[1], maxDbs: 8, overlappingSync: false });
      await root.put('x', 1); root.get('x'); console.log('open'); setInterval(() => root.get('x'), 50);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    await expect(openLmdbStore(folder)).rejects.toThrow(`in use by process ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await expect(opened(folder)).resolves.toBeDefined();
  });
});

test('recoveries of a version that knew no pauses are read as ones without any', async () => {
  const folder = temporaryFolder();
  const { pauses: _, interventions: __, ...old } = recoveryOf('shop', 'shop-r1');
  const running = { ...old, id: 'shop-r2', endedAtMs: null, result: null } as Recovery;
  const store = await opened(folder);
  await store.commit(commitOf(0, stateOf('shop', { recovery: running }), { ended: [old as Recovery] }));
  const none = { pauses: [], interventions: 0 };
  expect(await store.load('shop')).toMatchObject({ recovery: { id: 'shop-r2', ...none } });
  expect(await store.recovery('shop', 'shop-r1')).toMatchObject(none);
  expect((await store.recoveries('shop', { limit: 5 })).items).toMatchObject([none]);
  const state = (await store.load('shop')) as ServiceState;
  expect(pauseRecovery(state, { who: 'ann', why: 'lunch' }, 5000, null)).toHaveProperty('state.recovery.interventions', 1);
});
