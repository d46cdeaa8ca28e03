import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { PluginJson } from '../../envoy/demo/envoy-configuration.ts';
import { freePort, freePorts } from '../../envoy/demo/ports.ts';
import { type RedisProcess, startRedis } from '../../envoy/demo/redis-process.ts';
import { type Stage, startStage } from '../../envoy/demo/stage.ts';
import { findRedis } from '../../scripts/servers.ts';

export interface E2eOptions {
  readonly plugin?: (configuration: PluginJson) => unknown;
  /** Changes of the route to the shop, such as its `retry_policy`. */
  readonly shopRoute?: object;
  /** Path of another build of the filter. */
  readonly module?: string;
  /** Takes the place of the example's `stats_config`. */
  readonly statsConfig?: object;
  readonly controlPlane?: boolean;
  readonly settings?: Readonly<Record<string, string>>;
  /** Of two replicas of the control plane; without it there is one, on the embedded store. */
  readonly redisUrl?: string;
}

/** A stage on free ports with a folder of its own; when the test ends, so does all of it; no server may have died, and the filter not trapped. */
export async function openStage({ controlPlane = false, ...changes }: E2eOptions = {}): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'rekindle-e2e-'));
  const deaths: string[] = [];
  const onDeath = (report: string): void => {
    deaths.push(report);
  };
  const stage = await startStage({
    ports: await freePorts(),
    folder,
    controlPlane,
    onDeath,
    ...(changes.redisUrl === undefined ? {} : { replicas: 2 }),
    ...changes,
  });
  onTestFinished(async ({ task }) => {
    await stage.stop();
    const traps = await stage.envoy.traps();
    if (task.result?.state === 'pass') await rm(folder, { recursive: true, force: true });
    else console.log(`logs are left in ${folder}`);
    expect([...deaths, ...traps]).toEqual([]);
  });
  return stage;
}

/** A Valkey with nothing in it, which goes with the test. */
export async function openRedis(): Promise<RedisProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'rekindle-redis-'));
  const redis = await startRedis({ binary: (await findRedis()).path, folder, port: await freePort() });
  onTestFinished(async () => {
    await redis.kill();
    await rm(folder, { recursive: true, force: true });
  });
  return redis;
}
