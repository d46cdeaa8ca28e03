import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { StoreFault, StoreUnusable } from '../store.ts';
import { Connection } from './connection.ts';
import { FLEET_KEYS } from './keys.ts';
import { defineScripts, run } from './scripts.ts';
import { warnings } from './warnings.ts';

/** Grows when the layout of the keys changes in a way that older code would misread. */
export const FORMAT = 1;

const AGAIN_MS = 500;

/** A store that can be used, and the lineage that it has. */
export interface Opened {
  readonly commands: Connection;
  readonly messages: Connection;
  readonly lineage: string;
}

/**
 * Connects, and if need be initialises the store. Tries for `withinMs`, since Redis may start at the same moment as this process; then throws
 * StoreUnusable with what to do.
 */
export async function openRedis(url: URL, log: Logger, withinMs: number): Promise<Opened> {
  const commands = connect(url, 'commands', log);
  try {
    const lineage = await initialised(commands, performance.now() + withinMs);
    for (const warning of await warnings(commands)) log.warn(warning);
    return { commands, messages: connect(url, 'messages', log), lineage };
  } catch (error) {
    commands.close();
    throw error;
  }
}

/** Goes on connecting by itself, whether or not it succeeds now. */
export function connect(url: URL, purpose: 'commands' | 'messages', log: Logger): Connection {
  const connection = new Connection(url, purpose, log);
  defineScripts(connection.redis);
  connection.redis.connect().catch(() => undefined);
  return connection;
}

async function initialised(commands: Connection, untilMs: number): Promise<string> {
  for (;;) {
    try {
      await commands.ready();
      return await initialise(commands);
    } catch (error) {
      if (!(error instanceof StoreFault)) throw error;
      if (performance.now() > untilMs) throw new StoreUnusable(`the store of REDIS_URL cannot be used: ${error.message}`);
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

async function initialise(commands: Connection): Promise<string> {
  const [format, lineage, restoring] = await commands.use(
    async (redis) =>
      [
        ...(await run<[string, string]>(redis, 'open', [FLEET_KEYS.format, FLEET_KEYS.lineage], [FORMAT, randomUUID()])),
        await redis.exists(FLEET_KEYS.restoring),
      ] as const,
  );
  if (format !== String(FORMAT)) {
    throw new StoreUnusable(`the store of REDIS_URL has format ${format}, this version reads ${FORMAT}; use the version that wrote it`);
  }
  if (restoring) throw new StoreUnusable('a backup is being restored into the store of REDIS_URL; start when that is done');
  return lineage;
}
