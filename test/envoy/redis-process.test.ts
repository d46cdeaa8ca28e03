import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../envoy/demo/ports.ts';
import { type RedisRun, startRedis } from '../../envoy/demo/redis-process.ts';
import { findRedis } from '../../scripts/servers.ts';
import { temporaryFolder } from '../control-plane/store/temporary-folder.ts';

async function started(run: RedisRun) {
  const server = await startRedis(run);
  const redis = new Redis(server.url, { retryStrategy: () => null });
  redis.on('error', () => undefined);
  onTestFinished(async () => {
    redis.disconnect();
    await server.kill();
  });
  return { server, redis };
}

test('killed, it comes back in its folder with its data, or empty', async () => {
  const run = { binary: (await findRedis()).path, folder: join(temporaryFolder(), 'redis'), port: await freePort() };
  const first = await started({ ...run, settings: { appendfsync: 'always' } });
  await first.redis.set('a', '1');
  await first.server.kill();
  const second = await started({ ...run, settings: { requirepass: 'p@ss:word' } });
  expect(await second.redis.get('a')).toBe('1');
  await second.server.stop();
  expect(await (await started({ ...run, empty: true })).redis.get('a')).toBeNull();
});

test('one that gives up at its start is told with its last words', async () => {
  const run = { binary: (await findRedis()).path, folder: temporaryFolder(), port: await freePort() };
  await expect(startRedis({ ...run, settings: { maxmemory: 'much' } })).rejects.toThrow(/Valkey ended at its start:[\s\S]*maxmemory/);
});
