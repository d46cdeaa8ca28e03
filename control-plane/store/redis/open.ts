import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { StoreFault, StoreUnusable } from '../store.ts';
import { Connection, type Purpose } from './connection.ts';
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
  const { connection: commands, result: lineage } = await connectWithin(url, log, withinMs, initialise);
  for (const warning of await warnings(commands).catch(() => [])) log.warn(warning);
  return { commands, messages: connect(url, 'messages', log), lineage };
}

/** A connection, and what was `first` done with it; whatever fails in Redis is tried again. */
export async function connectWithin<T>(
  url: URL,
  log: Logger,
  withinMs: number,
  first: (connection: Connection) => Promise<T>,
): Promise<{ readonly connection: Connection; readonly result: T }> {
  const untilMs = performance.now() + withinMs;
  const connection = connect(url, 'commands', log);
  for (;;) {
    try {
      await connection.ready();
      return { connection, result: await first(connection) };
    } catch (error) {
      if (error instanceof StoreFault && performance.now() < untilMs) {
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
        continue;
      }
      connection.close();
      throw error instanceof StoreFault ? new StoreUnusable(`the store of REDIS_URL cannot be used: ${error.message}`) : error;
    }
  }
}

/** Goes on connecting by itself, whether or not it succeeds now. */
function connect(url: URL, purpose: Purpose, log: Logger): Connection {
  const connection = new Connection(url, purpose, log);
  defineScripts(connection.redis);
  connection.redis.connect().catch(() => undefined);
  return connection;
}

/** Gives the lineage. */
async function initialise(commands: Connection): Promise<string> {
  const keys = [FLEET_KEYS.format, FLEET_KEYS.lineage, FLEET_KEYS.restoring];
  const [format, lineage] = await commands.use((redis) => run<[string, string]>(redis, 'open', keys, [FORMAT, randomUUID()]));
  if (format === 'restoring') throw new StoreUnusable('a backup is being restored into the store of REDIS_URL; start when that is done');
  if (format !== String(FORMAT)) {
    throw new StoreUnusable(`the store of REDIS_URL has format ${format}, this version reads ${FORMAT}; use the version that wrote it`);
  }
  return lineage;
}
