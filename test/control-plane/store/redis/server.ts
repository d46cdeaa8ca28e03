import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { freePort } from '../../../../envoy/demo/ports.ts';
import { type RedisProcess, type RedisRun, startRedis } from '../../../../envoy/demo/redis-process.ts';
import { findRedis } from '../../../../scripts/servers.ts';
import { temporaryFolder } from '../temporary-folder.ts';

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
