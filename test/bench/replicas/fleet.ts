import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../../../envoy/demo/ports.ts';
import { startRedis } from '../../../envoy/demo/redis-process.ts';
import { findRedis } from '../../../scripts/servers.ts';
import { cpuMsOf, type Server, startServer } from '../control-plane/server.ts';

/** What was used up to a moment. */
export interface Reading {
  readonly atMs: number;
  readonly commands: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly redisCpuMs: number;
  readonly replicasCpuMs: number;
}

/** Two replicas of the control plane on one Valkey, as shipped, each in a process of its own. */
export interface Fleet {
  readonly replicas: readonly [Server, Server];
  readonly redisVersion: string;
  read(): Promise<Reading>;
  /** Bytes that Valkey holds. */
  redisMemory(): Promise<number>;
  /** Calls of each command so far, the most frequent first. */
  commandCalls(): Promise<ReadonlyMap<string, number>>;
  stop(): Promise<void>;
}

export async function startFleet(): Promise<Fleet> {
  const folder = mkdtempSync(join(tmpdir(), 'rekindle-bench-'));
  const { path, version } = await findRedis();
  const redis = await startRedis({ binary: path, folder, port: await freePort() });
  const environment = { REDIS_URL: redis.url };
  const replicas = [await startServer(environment), await startServer(environment)] as const;
  const client = new Redis(redis.url);
  return {
    replicas,
    redisVersion: version,
    read: async () => {
      const stats = await client.info('stats');
      return {
        atMs: performance.now(),
        commands: numberIn(stats, 'total_commands_processed'),
        bytesIn: numberIn(stats, 'total_net_input_bytes'),
        bytesOut: numberIn(stats, 'total_net_output_bytes'),
        redisCpuMs: cpuMsOf(redis.pid),
        replicasCpuMs: replicas.reduce((sum, replica) => sum + replica.cpuMs(), 0),
      };
    },
    redisMemory: async () => numberIn(await client.info('memory'), 'used_memory'),
    commandCalls: async () => {
      const lines = [...(await client.info('commandstats')).matchAll(/cmdstat_(\S+):calls=(\d+)/g)];
      return new Map(lines.map(([, name = '', calls]) => [name, Number(calls)] as const).sort((a, b) => b[1] - a[1]));
    },
    stop: async () => {
      client.disconnect();
      for (const replica of replicas) await replica.stop();
      await redis.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function numberIn(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]);
}

/** What one second costs, of readings some seconds apart. */
export interface Rates {
  readonly commands: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Per cent of a core. */
  readonly redisCpu: number;
  /** Both together. */
  readonly replicasCpu: number;
}

export function ratesOf(before: Reading, after: Reading): Rates {
  const seconds = (after.atMs - before.atMs) / 1000;
  return {
    commands: (after.commands - before.commands) / seconds,
    bytesIn: (after.bytesIn - before.bytesIn) / seconds,
    bytesOut: (after.bytesOut - before.bytesOut) / seconds,
    redisCpu: (after.redisCpuMs - before.redisCpuMs) / seconds / 10,
    replicasCpu: (after.replicasCpuMs - before.replicasCpuMs) / seconds / 10,
  };
}
