import { decodeCopy, encodeCopy, ROW_BYTES } from '../copy-row.ts';
import type { SharedCopy } from '../store.ts';
import type { Connection } from './connection.ts';
import { serviceKeys } from './keys.ts';
import { run } from './scripts.ts';

/** Copies that proxies share. */
export class Copies {
  private readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  async put(service: string, key: string, copy: SharedCopy, budgetBytes: number): Promise<void> {
    const { copies, copyExpiries, copyBytes } = serviceKeys(service);
    const args = [key, encodeCopy(copy), Math.floor(copy.storedAtMs), Math.floor(copy.expiresAtMs), budgetBytes, ROW_BYTES];
    await this.connection.use((redis) => run(redis, 'put-copy', [copies, copyExpiries, copyBytes], args));
  }

  async get(service: string, key: string, nowMs: number): Promise<SharedCopy | null> {
    const copy = decodeCopy(await this.connection.use((redis) => redis.hgetBuffer(serviceKeys(service).copies, key)));
    return copy !== null && nowMs < copy.expiresAtMs ? copy : null;
  }
}
