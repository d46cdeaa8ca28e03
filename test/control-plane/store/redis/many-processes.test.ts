import { expect, test } from 'vitest';
import { serviceKeys } from '../../../../control-plane/store/redis/keys.ts';
import { CHANGES, type ChangeMessage, type Store } from '../../../../control-plane/store/store.ts';
import { commitOf, copyOf, entryOf, stateOf } from '../samples.ts';
import { startLine } from './cut-line.ts';
import { databases, openClient, openStore, startServer } from './server.ts';

const newDatabase = databases();
const ALL = { limit: 1000 };

/** Adds its mark `times` times, each time to what is there. */
async function mark(store: Store, name: string, times: number): Promise<void> {
  for (let i = 1; i <= times; i++) {
    let result: string;
    do {
      const before = (await store.load('shop'))!.version;
      result = await store.commit(commitOf(before, stateOf('shop', { version: before + 1 }), { audit: [entryOf(`${name}-${i}`)] }));
    } while (result === 'conflict');
    expect(result).toBe('committed');
  }
}

test('of processes that change one service at once each change is there once, and none is lost', async () => {
  const url = newDatabase();
  const stores = [await openStore(url), await openStore(url), await openStore(url)];
  await stores[0]!.commit(commitOf(0, stateOf('shop')));
  await Promise.all(stores.map((store, index) => mark(store, `p${index}`, 20)));
  expect(await stores[0]!.load('shop')).toMatchObject({ version: 61 });
  const { items } = await stores[1]!.audit('shop', ALL);
  expect(items.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 60 }, (_, index) => 60 - index));
  expect(new Set(items.map(({ action }) => action)).size).toBe(60);
});

test('a service is created by one of many', async () => {
  const url = newDatabase();
  const stores = await Promise.all(Array.from({ length: 4 }, () => openStore(url)));
  const results = await Promise.all(stores.map((store, index) => store.commit(commitOf(0, stateOf('shop', { nodes: [`p${index}`] })))));
  expect(results.filter((result) => result === 'committed')).toHaveLength(1);
  expect(await stores[0]!.load('shop')).toMatchObject({ nodes: [`p${results.indexOf('committed')}`] });
});

test('a change is told to the others, and seen by them when they ask', async () => {
  const url = newDatabase();
  const [one, two] = [await openStore(url), await openStore(url)];
  const told: ChangeMessage[] = [];
  two.bus!.subscribe(CHANGES, (message) => told.push(JSON.parse(message) as ChangeMessage));
  let version = 0;
  await expect
    .poll(async () => {
      await one.commit(commitOf(version, stateOf('shop', { version: ++version })));
      return told.length;
    })
    .toBeGreaterThan(0);
  await expect.poll(() => told.at(-1)).toEqual({ lineage: one.lineage, service: 'shop', version });
  expect(await two.versions()).toEqual({
    lineage: one.lineage,
    services: new Map([['shop', version]]),
    tokens: 0,
    areTokensLost: false,
    announced: null,
  });
});

test('a change whose answer was lost is told as doubtful, and read again it is there exactly once', async () => {
  const server = await startServer();
  const line = await startLine(server.port);
  const store = await openStore(`redis://127.0.0.1:${line.port}`);
  await store.commit(commitOf(0, stateOf('shop')));
  line.loseAnswers();
  const change = commitOf(1, stateOf('shop', { version: 2 }), { audit: [entryOf('once')] });
  await expect(store.commit(change)).rejects.toMatchObject({ name: 'StoreFault', isDoubtful: true });
  line.mend();
  await expect.poll(() => store.load('shop').catch(() => null)).toMatchObject({ version: 2 });
  expect(await store.commit(change)).toBe('conflict');
  expect((await store.audit('shop', ALL)).items.map(({ action }) => action)).toEqual(['once']);
});

test('copies stay within the room of their service though many processes put them at once, and leave nothing behind', async () => {
  const url = newDatabase();
  const stores = await Promise.all(Array.from({ length: 3 }, () => openStore(url)));
  const room = 10 * 2000;
  await Promise.all(
    Array.from({ length: 150 }, (_, n) =>
      stores[n % 3]!.putCopy('shop', `k${n % 50}`, copyOf(500 + n * 10, { expiresAtMs: 61_000 + n }), room),
    ),
  );
  const redis = openClient(url);
  const { copies, copyBytes, copyExpiries } = serviceKeys('shop');
  const sizes = await Promise.all((await redis.hkeys(copies)).map((key) => redis.hstrlen(copies, key)));
  const total = sizes.reduce((sum, size) => sum + size + 256, 0);
  expect(total).toBeLessThanOrEqual(room);
  expect(Number(await redis.get(copyBytes))).toBe(total);
  expect(await redis.zcard(copyExpiries)).toBe(sizes.length);
  for (const key of [copies, copyBytes, copyExpiries]) expect(await redis.pttl(key)).toBeGreaterThan(50_000);
});
