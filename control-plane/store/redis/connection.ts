import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { FaultKind, StoreFault } from '../store.ts';
import { faultOf, NOT_READY } from './faults.ts';

/** A command that has no answer by then fails; its connection is given up a little later if it stays silent. */
const COMMAND_WITHIN_MS = 1000;
const SILENT_MS = 1500;
const CONNECT_WITHIN_MS = 2000;
const RECONNECT_MS = { first: 50, most: 1000 } as const;

/** What a connection is for, in the log and in Redis's list of clients. */
export type Purpose = 'commands' | 'messages';

/**
 * A connection that fails fast: without a connection a command is refused at once, never kept for later, and one whose answer was lost is
 * never sent again, because nobody could tell whether it was done. Connects by itself, again and again.
 */
export class Connection {
  readonly redis: Redis;
  private lastError: Error | null = null;
  private toldFault: FaultKind | null = null;

  constructor(url: URL, purpose: Purpose, log: Logger) {
    this.redis = new Redis(url.href, {
      connectionName: `rekindle-${purpose}`,
      lazyConnect: true,
      enableOfflineQueue: false,
      enableReadyCheck: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      commandTimeout: COMMAND_WITHIN_MS,
      socketTimeout: SILENT_MS,
      connectTimeout: CONNECT_WITHIN_MS,
      retryStrategy: (times) => Math.min(RECONNECT_MS.first * 2 ** Math.min(times, 10), RECONNECT_MS.most) * (0.5 + Math.random() / 2),
      // After a failover the address may lead to the new primary. Commands that find the connection closed for that are told why it is.
      reconnectOnError: (error) => {
        const isReadOnly = error.message.startsWith('READONLY');
        if (isReadOnly) this.lastError = error;
        return isReadOnly;
      },
    });
    this.redis.on('error', (error: Error) => {
      this.lastError = error;
      const fault = faultOf(error, null);
      if (this.toldFault === fault.kind) return; // one line per outage, not per attempt
      this.toldFault = fault.kind;
      log.error({ purpose, fault: fault.kind }, fault.message);
    });
    this.redis.on('ready', () => {
      this.lastError = null;
      if (this.toldFault === null) return;
      // One that hangs takes connections all the same.
      this.redis.ping().then(
        () => {
          log.info({ purpose }, 'connected to Redis again');
          this.toldFault = null;
        },
        () => undefined,
      );
    });
  }

  /** Runs commands; throws StoreFault. */
  async use<T>(commands: (redis: Redis) => Promise<T>): Promise<T> {
    try {
      return await commands(this.redis);
    } catch (error) {
      throw this.fault(error);
    }
  }

  /** Resolves when commands can be sent; throws StoreFault when that takes too long. */
  ready(): Promise<void> {
    const { redis } = this;
    if (redis.status === 'ready') return Promise.resolve();
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        redis.off('ready', isReady);
        reject(this.fault(new Error(NOT_READY)));
      }, CONNECT_WITHIN_MS);
      const isReady = () => {
        clearTimeout(late);
        resolve();
      };
      redis.once('ready', isReady);
    });
  }

  fault(error: unknown): StoreFault {
    return faultOf(error, this.lastError);
  }

  close(): void {
    this.redis.disconnect();
  }
}
