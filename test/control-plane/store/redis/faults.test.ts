import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Store } from '../../../../control-plane/store/store.ts';
import { backupOf, fill } from '../backup-samples.ts';
import { commitOf, copyOf, stateOf } from '../samples.ts';
import { startLine } from './cut-line.ts';
import { openClient, openStore, startServer, type TestServer } from './server.ts';

/** How soon whoever asks must have an answer, with much to spare for a busy machine. */
const BOUND_MS = 4000;

async function storeOn(server: TestServer): Promise<Store> {
  const store = await openStore(server.url);
  await store.commit(commitOf(0, stateOf('shop')));
  return store;
}

const write = (store: Store, version = 1) => store.commit(commitOf(version, stateOf('shop', { version: version + 1 })));

async function failure(use: () => Promise<unknown>): Promise<{ kind: string; isDoubtful: boolean; message: string }> {
  const since = performance.now();
  const error = await use().then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(performance.now() - since).toBeLessThan(BOUND_MS);
  expect(error).toMatchObject({ name: 'StoreFault' });
  return error as never;
}

/** Resolves when the store takes writes again. */
async function works(store: Store): Promise<void> {
  const state = () =>
    store.check().then(
      () => 'works',
      () => null,
    );
  await expect.poll(state, { timeout: 10_000 }).toBe('works');
}

describe('what Redis says is told apart', () => {
  test('read-only: reads go on, and writes are back after the failover', async () => {
    const server = await startServer();
    const store = await storeOn(server);
    await openClient(server.url).replicaof('127.0.0.1', 1);
    expect(await failure(() => write(store))).toMatchObject({ kind: 'read-only', isDoubtful: false });
    await expect.poll(() => failure(() => store.check())).toMatchObject({ kind: 'read-only' });
    await expect.poll(() => store.load('shop').catch(() => null), { timeout: 5000 }).toMatchObject({ version: 1 });
    await openClient(server.url).replicaof('NO', 'ONE');
    await expect.poll(() => write(store).catch(() => null), { timeout: 5000 }).toBe('committed');
  });

  test('full: nothing is half-written, reads go on', async () => {
    const server = await startServer();
    const store = await storeOn(server);
    const redis = openClient(server.url);
    await redis.config('SET', 'maxmemory', '1');
    expect(await failure(() => write(store))).toMatchObject({ kind: 'full', isDoubtful: false });
    expect(await failure(() => store.check())).toMatchObject({ kind: 'full' });
    expect(await failure(() => store.putCopy('shop', 'k', copyOf(10), 1000))).toMatchObject({ kind: 'full' });
    expect(await store.load('shop')).toEqual(stateOf('shop'));
    await redis.config('SET', 'maxmemory', '0');
    expect(await write(store)).toBe('committed');
  });

  test('too few replicas, and a disk that cannot be written', async () => {
    const server = await startServer();
    const store = await storeOn(server);
    await openClient(server.url).config('SET', 'min-replicas-to-write', '1');
    expect(await failure(() => write(store))).toMatchObject({ kind: 'unwritable', isDoubtful: false });
  });

  test('a password that was changed under a running process, without telling it in the log', async () => {
    const server = await startServer({ requirepass: 'old-secret' });
    const lines: string[] = [];
    const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
    const store = await openStore(server.url, { log });
    const redis = openClient(server.url);
    await redis.config('SET', 'requirepass', 'new-secret');
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await expect.poll(() => failure(() => store.check()), { timeout: 5000 }).toMatchObject({ kind: 'access', isDoubtful: false });
    expect(lines.some((line) => line.includes('refuses the password of REDIS_URL'))).toBe(true);
    expect(lines.join('')).not.toMatch(/old-secret|new-secret/);
    await redis.config('SET', 'requirepass', 'old-secret');
    await works(store);
  });

  test('missing rights; with those that the docs name everything works', async () => {
    const server = await startServer();
    const redis = openClient(server.url);
    const rights = /`(~rekindle:[^`]*)`/
      .exec(readFileSync(new URL('../../../../docs/shared-store.md', import.meta.url), 'utf8'))![1]!
      .split(' ');
    await redis.call('ACL', 'SETUSER', 'app', 'on', '>pw', ...rights);
    const url = `redis://app:pw@127.0.0.1:${server.port}`;
    const lines: string[] = [];
    await fill(await openStore(url, { log: pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) }) }));
    const store = await openStore(url);
    expect(await store.lead('one', 1000)).not.toBeNull();
    await store.renew([stateOf('held')], 1000);
    await store.putCopy('shop', 'k', copyOf(10), 1000);
    expect(await backupOf(store)).not.toHaveLength(0);
    expect((await store.versions()).services.size).toBe(3);
    await store.check();
    const heard: string[] = [];
    store.bus!.subscribe('news', (message) => heard.push(message));
    await expect.poll(() => store.bus!.publish('news', 'x') ?? heard.length).toBeGreaterThan(0);
    expect(lines).toEqual([]);
    await redis.call('ACL', 'SETUSER', 'app', '-@write');
    expect(await failure(() => store.check())).toMatchObject({ kind: 'access', isDoubtful: false });
  });

  test('loading', async () => {
    const first = await startServer();
    const redis = openClient(first.url);
    await Promise.all(Array.from({ length: 400 }, (_, n) => redis.set(`k${n}`, 'x'.repeat(2000))));
    await redis.save();
    const store = await storeOn(first);
    await first.kill();
    const slow = { appendonly: 'no', 'key-load-delay': '10000', 'loading-process-events-interval-bytes': '1024' };
    const loaded = first.restart({ settings: slow });
    await expect.poll(() => failure(() => store.check()), { timeout: 5000, interval: 20 }).toMatchObject({ kind: 'loading' });
    await loaded;
    await works(store);
  });
});

describe('a server that is away', () => {
  test('killed and back with its data: refused at once meanwhile, then as before', async () => {
    const server = await startServer({ appendfsync: 'always' });
    const store = await storeOn(server);
    await server.kill();
    await expect.poll(() => failure(() => write(store))).toMatchObject({ kind: 'unreachable', isDoubtful: false });
    const since = performance.now();
    await Promise.all(Array.from({ length: 100 }, () => failure(() => write(store))));
    expect(performance.now() - since).toBeLessThan(1000);
    await server.restart();
    await expect.poll(() => store.load('shop').catch(() => null), { timeout: 10_000 }).toEqual(stateOf('shop'));
    expect((await store.versions()).lineage).toBe(store.lineage);
    expect(await write(store)).toBe('committed');
  });

  test('killed and back empty: that is told by its lineage, and nothing of the old history is written', async () => {
    const server = await startServer();
    const store = await storeOn(server);
    await server.restart({ empty: true });
    await expect.poll(() => store.versions().catch(() => null), { timeout: 10_000 }).toMatchObject({ lineage: null });
    expect(await write(store)).toBe('conflict');
    expect(await store.commit(commitOf(0, stateOf('new')))).toBe('fenced');
  });

  test('hanging: each answer comes in bounded time, nothing piles up, and nothing that was given up is written later', async () => {
    const server = await startServer();
    const store = await storeOn(server);
    process.kill(server.pid, 'SIGSTOP');
    onTestFinished(() => void process.kill(server.pid, 'SIGCONT'));
    expect(await failure(() => write(store))).toMatchObject({ kind: 'timeout', isDoubtful: true });
    await expect.poll(() => failure(() => write(store, 7)), { timeout: 5000 }).toMatchObject({ isDoubtful: false });
    const before = process.memoryUsage().arrayBuffers;
    const copy = copyOf(256 * 1024);
    for (let i = 0; i < 400; i++) await failure(() => store.putCopy('shop', `k${i}`, copy, 1e9));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100 * 1024 * 1024);
    process.kill(server.pid, 'SIGCONT');
    await works(store);
    expect((await store.load('shop'))!.version).toBeOneOf([1, 2]);
  });

  test('hanging for long is told once per connection, however often that is made anew', async () => {
    const server = await startServer();
    const lines: { msg: string; level: number; purpose: string }[] = [];
    const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const store = await openStore(server.url, { log });
    process.kill(server.pid, 'SIGSTOP');
    onTestFinished(() => void process.kill(server.pid, 'SIGCONT'));
    const until = performance.now() + 7000;
    let tries = 0;
    while (performance.now() < until) {
      await failure(() => store.check());
      tries++;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(tries).toBeGreaterThan(5);
    expect(
      lines
        .filter(({ level }) => level > 40)
        .map(({ purpose }) => purpose)
        .sort(),
    ).toEqual(['commands', 'messages']);
    process.kill(server.pid, 'SIGCONT');
    await expect.poll(() => lines.filter(({ msg }) => msg === 'connected to Redis again').length, { timeout: 10_000 }).toBe(2);
  });

  test('cut off by the network, and back', async () => {
    const server = await startServer();
    const line = await startLine(server.port);
    const store = await openStore(`redis://127.0.0.1:${line.port}`);
    line.cut();
    await expect.poll(() => failure(() => store.check())).toMatchObject({ kind: 'unreachable', isDoubtful: false });
    line.mend();
    await works(store);
  });
});

describe('at the start', () => {
  test('a server that is not there is waited for', async () => {
    const server = await startServer();
    await server.kill();
    const opening = openStore(server.url, { withinMs: 20_000 });
    await server.restart();
    await expect(opening).resolves.toBeDefined();
  });

  test.for([
    {
      name: 'nobody',
      url: 'redis://127.0.0.1:1',
      says: /^the store of REDIS_URL cannot be used: Redis cannot be reached \(.*ECONNREFUSED/,
    },
    { name: 'a name without an address', url: 'redis://nowhere.invalid', says: /cannot be used: Redis cannot be reached/ },
  ])('$name: given up with the reason', async ({ url, says }) => {
    await expect(openStore(url, { withinMs: 300 })).rejects.toThrow(says);
  });

  test('a wrong password, or none, is told without it', async () => {
    const server = await startServer({ requirepass: 'right-secret' });
    for (const userInfo of [':wrong-secret@', '']) {
      const error = await openStore(`redis://${userInfo}127.0.0.1:${server.port}`, { withinMs: 300 }).catch((reason: Error) => reason);
      expect(error).toMatchObject({ name: 'StoreUnusable', message: expect.stringMatching(/refuses the password of REDIS_URL/) });
      expect((error as Error).message).not.toContain('secret');
    }
  });

  test('a store of a newer format, and one that is being restored, are left alone', async () => {
    const server = await startServer();
    const redis = openClient(server.url);
    await redis.set('rekindle:{fleet}:format', '99');
    await expect(openStore(server.url)).rejects.toThrow(/has format 99, this version reads 1/);
    await redis.set('rekindle:{fleet}:restoring', '1');
    await expect(openStore(server.url)).rejects.toThrow(/being restored/);
    expect(await redis.get('rekindle:{fleet}:lineage')).toBeNull();
  });

  test.for([
    { settings: { 'maxmemory-policy': 'allkeys-lru' }, says: /may evict keys \(maxmemory-policy allkeys-lru\)/ },
    { settings: { appendonly: 'no' }, says: /keeps nothing over a restart/ },
    { settings: { appendonly: 'no', save: '60 1' }, says: /since its last snapshot/ },
    { settings: {}, says: null },
  ])('settings $settings are warned of', async ({ settings, says }) => {
    const server = await startServer(settings as Record<string, string>);
    const lines: { level: number; msg: string }[] = [];
    await openStore(server.url, { log: pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as never) }) });
    const warned = lines.filter(({ level }) => level === 40).map(({ msg }) => msg);
    expect(warned).toEqual(says ? [expect.stringMatching(says)] : []);
  });
});
