import { rmSync } from 'node:fs';
import { type Database, open, type RootDatabase } from 'lmdb';
import { decodeCopy, encodeCopy, ROW_BYTES } from '../copy-row.ts';
import { type SharedCopy, StoreUnusable } from '../store.ts';
import { prepareFolder } from './inspect.ts';
import { Transactions, within } from './transactions.ts';

/** Expired copies, of whichever service, that are removed with one put: more than it adds. */
const SWEPT_PER_PUT = 8;

/** Copies that proxies share, in a file of their own: a flood of them neither holds up the states nor swells a backup. */
export class Copies {
  private readonly root: RootDatabase;
  private readonly transactions: Transactions;
  /** by service and key */
  private readonly rows: Database<Buffer, [string, string]>;
  /** Size by service, expiry and key. */
  private readonly sizes: Database<number, [string, number, string]>;
  /** by expiry, service and key */
  private readonly expiries: Database<true, [number, string, string]>;
  /** Size of all copies of a service. */
  private readonly totals: Database<number, string>;

  constructor(root: RootDatabase) {
    this.root = root;
    this.transactions = new Transactions(root);
    this.rows = root.openDB({ name: 'rows', encoding: 'binary' });
    this.sizes = root.openDB({ name: 'sizes', encoding: 'json' });
    this.expiries = root.openDB({ name: 'expiries', encoding: 'json' });
    this.totals = root.openDB({ name: 'totals', encoding: 'json' });
  }

  put(service: string, key: string, copy: SharedCopy, budgetBytes: number): Promise<void> {
    const size = copy.bytes.length + ROW_BYTES;
    return this.transactions.run(() => {
      this.remove(service, key);
      const expired = [...this.expiries.getKeys({ end: [copy.storedAtMs, '', ''], limit: SWEPT_PER_PUT })];
      for (const [, itsService, itsKey] of expired) this.remove(itsService, itsKey);
      if (size > budgetBytes) return;
      this.makeRoom(service, budgetBytes - size);
      within(this.rows.put([service, key], encodeCopy(copy)));
      within(this.sizes.put([service, copy.expiresAtMs, key], size));
      within(this.expiries.put([copy.expiresAtMs, service, key], true));
      within(this.totals.put(service, this.total(service) + size));
    });
  }

  get(service: string, key: string, nowMs: number): SharedCopy | null {
    const copy = decodeCopy(this.rows.get([service, key]));
    return copy !== null && nowMs < copy.expiresAtMs ? copy : null;
  }

  close(): Promise<void> {
    return this.root.close();
  }

  /** Removes the copies of a service that expire first until the others take no more than this. */
  private makeRoom(service: string, bytes: number): void {
    let left = this.total(service) - bytes;
    if (left <= 0) return;
    const victims: string[] = [];
    for (const { key, value } of this.sizes.getRange({ start: [service, 0, ''], end: [service, Number.MAX_SAFE_INTEGER, ''] })) {
      if (left <= 0) break;
      victims.push(key[2]);
      left -= value;
    }
    for (const key of victims) this.remove(service, key);
  }

  private remove(service: string, key: string): void {
    const copy = decodeCopy(this.rows.get([service, key]));
    if (copy === null) return;
    within(this.rows.remove([service, key]));
    within(this.sizes.remove([service, copy.expiresAtMs, key]));
    within(this.expiries.remove([copy.expiresAtMs, service, key]));
    within(this.totals.put(service, this.total(service) - copy.bytes.length - ROW_BYTES));
  }

  private total(service: string): number {
    return this.totals.get(service) ?? 0;
  }
}

/** Opens the copies in this folder. They are only copies: a file that is not sound is removed. */
export function openCopies(folder: string): Copies {
  try {
    prepareFolder(folder);
  } catch (error) {
    if (!(error instanceof StoreUnusable)) throw error;
    rmSync(folder, { recursive: true, force: true });
    prepareFolder(folder);
  }
  return new Copies(open({ path: folder, maxDbs: 4 }));
}
