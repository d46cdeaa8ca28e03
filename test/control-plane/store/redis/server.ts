import { join } from 'node:path';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { openRedisStore, type RedisStoreOptions } from '../../../../control-plane/store/redis/redis-store.ts';
import type { Store } from '../../../../control-plane/store/store.ts';
import { freePort } from '../../../../envoy/demo/ports.ts';
import { type RedisProcess, type RedisRun, startRedis } from '../../../../envoy/demo/redis-process.ts';
import { findRedis } from '../../../../scripts/servers.ts';
import { temporaryFolder } from '../temporary-folder.ts';

export const silent = pino({ level: 'silent' });

/** A real Valkey or Redis of its own, which goes with the test. */
export interface TestServer extends RedisProcess {
  /** Ends it by SIGKILL, if it still runs, and starts it again on the same port. */
  restart(changes?: Pick<RedisRun, 'empty' | 'settings'>): Promise<TestServer>;
}

export async function startServer(settings: RedisRun['settings'] = {}): Promise<TestServer> {
  return start({ binary: (await findRedis()).path, folder: join(temporaryFolder(), 'redis'), port: await freePort(), settings });
}

async function start(run: RedisRun): Promise<TestServer> {
  const server = await startRedis(run);
  onTestFinished(() => server.kill());
  const restart = async (changes: Pick<RedisRun, 'empty' | 'settings'> = {}) => {
    await server.kill();
    return start({ ...run, ...changes });
  };
  return { ...server, restart };
}

/** One server for all tests of a file; gives the URL of another empty database each time. */
export function databases(): () => URL {
  let server: RedisProcess;
  let used = 0;
  beforeAll(async () => {
    const folder = join(temporaryFolder(afterAll), 'redis');
    server = await startRedis({ binary: (await findRedis()).path, folder, port: await freePort(), settings: { databases: '500' } });
  });
  afterAll(() => server.kill());
  return () => new URL(`${server.url}/${used++}`);
}

/** The store of one process on this Redis; it is closed with the test. */
export async function openStore(url: URL | string, options: Partial<RedisStoreOptions> = {}): Promise<Store> {
  const store = await openRedisStore({ url: new URL(url), log: silent, withinMs: 5000, ...options });
  onTestFinished(() => store.close());
  return store;
}

/** Commands of somebody beside the store. */
export function openClient(url: URL | string): Redis {
  const redis = new Redis(String(url), { retryStrategy: () => null });
  redis.on('error', () => undefined);
  onTestFinished(() => redis.disconnect());
  return redis;
}
