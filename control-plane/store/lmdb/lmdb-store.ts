import { join } from 'node:path';
import type { Database, Key } from 'lmdb';
import type { Policy } from '../../contract/policy.ts';
import type { Recovery } from '../../domain/model.ts';
import { type BackupRow, writeBackup } from '../backup.ts';
import { whole } from '../recovery-row.ts';
import {
  ACCESS_AUDIT,
  type AuditEntry,
  type AuditRecord,
  type AuditSnapshot,
  type Commit,
  type CommitResult,
  type Fence,
  isTombstone,
  KEEP,
  type Page,
  type PageQuery,
  type PolicyVersion,
  type SharedCopy,
  type Store,
  type Stored,
  type StoreOptions,
  type TokenRecord,
  type Versions,
} from '../store.ts';
import { AuditTable } from './audit-table.ts';
import { type Copies, openCopies } from './copies.ts';
import { FORMAT, KEPT_TABLES, type Leadership, openTables, type StoredState, type Tables } from './open.ts';
import { Transactions, within } from './transactions.ts';

/** Opens the embedded store of one process in `folder`. */
export async function openLmdbStore(folder: string, keep: StoreOptions = KEEP): Promise<Store> {
  const { lineage, ...tables } = await openTables(folder);
  return new LmdbStore(tables, lineage, openCopies(join(folder, 'copies')), keep);
}

export class LmdbStore implements Store {
  readonly lineage: string;
  readonly bus = null;
  readonly clock = null;
  private readonly tables: Tables;
  private readonly transactions: Transactions;
  private readonly keep: StoreOptions;
  private readonly auditTable: AuditTable;
  private readonly copies: Copies;
  /** Those who led from here; one that was deposed never comes back by itself. */
  private readonly leaders = new Set<string>();
  private announced: string | null = null;
  private tokenChanges = 0;

  constructor(tables: Tables, lineage: string, copies: Copies, keep: StoreOptions = KEEP) {
    this.tables = tables;
    this.transactions = new Transactions(tables.root);
    this.lineage = lineage;
    this.keep = keep;
    this.auditTable = new AuditTable(tables.audit, tables.auditSnapshots, keep);
    this.copies = copies;
  }

  commit(change: Commit): Promise<CommitResult> {
    return this.transactions.run(() => {
      if (change.fence && !this.leads(change.fence)) return 'fenced';
      const { service } = change.next;
      const stored = this.tables.states.get(service);
      if ((stored?.version ?? 0) !== change.expectedVersion) return 'conflict';
      this.putState(change, stored);
      this.auditTable.append(service, change.audit, change.nowMs);
      this.putEnded(service, change.ended);
      return 'committed';
    });
  }

  async load(service: string): Promise<Stored | null> {
    const stored = this.tables.states.get(service);
    if (!stored) return null;
    if ('deleted' in stored) return stored;
    const version = this.tables.policies.get([service, stored.policyRevision]);
    if (!version) throw new Error(`the policy of revision ${stored.policyRevision} of ${service} is missing from the store`);
    const { recovery } = stored;
    return { ...stored, recovery: recovery && whole(recovery), policy: version.policy };
  }

  async services(): Promise<readonly string[]> {
    return [...this.tables.states.getKeys()];
  }

  async audit(service: string, page: PageQuery): Promise<Page<AuditRecord>> {
    return mapPage(newest(this.tables.audit, service, page), (entry) => entry.value);
  }

  async auditSnapshot(service: string): Promise<AuditSnapshot | null> {
    return this.auditTable.snapshot(service);
  }

  async recoveries(service: string, page: PageQuery): Promise<Page<Recovery>> {
    return mapPage(newest(this.tables.recoveries, service, page), (entry) => whole(entry.value));
  }

  async recovery(service: string, id: string): Promise<Recovery | null> {
    for (const { value } of this.tables.recoveries.getRange(rangeOf(service))) if (value.id === id) return whole(value);
    return null;
  }

  async policyVersions(service: string, page: PageQuery): Promise<Page<PolicyVersion>> {
    return mapPage(newest(this.tables.policies, service, page), ({ key, value }) => ({ revision: key[1], ...value }));
  }

  async tokens(): Promise<readonly TokenRecord[]> {
    return [...this.tables.tokens.getRange()].map(({ value }) => value);
  }

  async putToken(token: TokenRecord, entry: AuditEntry): Promise<void> {
    await this.transactions.run(() => {
      this.tokenChanges++;
      within(this.tables.tokens.put(token.id, token));
      this.auditTable.append(ACCESS_AUDIT, [entry], entry.atMs);
    });
  }

  async removeToken(id: string, entry: AuditEntry): Promise<void> {
    await this.transactions.run(() => {
      this.tokenChanges++;
      within(this.tables.tokens.remove(id));
      this.auditTable.append(ACCESS_AUDIT, [entry], entry.atMs);
    });
  }

  putCopy(service: string, key: string, copy: SharedCopy, budgetBytes: number): Promise<void> {
    return this.copies.put(service, key, copy, budgetBytes);
  }

  async getCopy(service: string, key: string, nowMs: number): Promise<SharedCopy | null> {
    return this.copies.get(service, key, nowMs);
  }

  /** One process per folder, so the newest process leads at once; `ttlMs` matters to shared stores only. */
  async lead(holder: string): Promise<Fence | null> {
    const present = this.tables.meta.get('leadership') as Leadership | undefined;
    if (present?.holder === holder) return { lineage: this.lineage, counter: present.counter };
    if (this.leaders.has(holder)) return null;
    this.leaders.add(holder);
    return { lineage: this.lineage, counter: (await this.take(holder)).counter };
  }

  async announce(fence: Fence, message: string): Promise<boolean> {
    if (!this.leads(fence)) return false;
    this.announced = message;
    return true;
  }

  async versions(): Promise<Versions> {
    const services = new Map([...this.tables.states.getRange()].map(({ key, value }) => [key, value.version]));
    return { lineage: this.lineage, services, tokens: this.tokenChanges, areTokensLost: false, announced: this.announced };
  }

  /** Nobody else can put this process's store behind what it holds: its history goes on. */
  async renew(): Promise<readonly string[]> {
    return [];
  }

  async check(): Promise<void> {
    this.tables.meta.get('format');
    // After a failed write only another one can tell whether the disk takes writes again.
    if (this.transactions.failure) await this.transactions.run(() => within(this.tables.meta.put('format', FORMAT)));
    else await this.tables.root.committed;
  }

  backup(takenAtMs: number): AsyncGenerator<string> {
    return writeBackup(this.lineage, takenAtMs, this.rows());
  }

  async close(): Promise<void> {
    await this.copies.close();
    await this.tables.root.close();
  }

  /** All rows as they are now, whatever is written while they are read. */
  private *rows(): Generator<BackupRow> {
    const transaction = this.tables.root.useReadTransaction();
    try {
      for (const table of KEPT_TABLES) {
        const rows = this.tables[table] as Database<unknown, Key>;
        for (const { key, value } of rows.getRange({ transaction })) yield { table, key, value };
      }
    } finally {
      transaction.done();
    }
  }

  private take(holder: string): Promise<Leadership> {
    const { meta } = this.tables;
    return this.transactions.run(() => {
      const before = meta.get('leadership') as Leadership | undefined;
      const leadership = { holder, counter: (before?.counter ?? 0) + 1 };
      within(meta.put('leadership', leadership));
      return leadership;
    });
  }

  private leads(fence: Fence): boolean {
    const present = this.tables.meta.get('leadership') as Leadership | undefined;
    return fence.lineage === this.lineage && present?.counter === fence.counter;
  }

  private putState(change: Commit, before: StoredState | undefined): void {
    const { next, nowMs } = change;
    if (isTombstone(next)) {
      within(this.tables.states.put(next.service, next));
      return;
    }
    const { policy, ...state } = next;
    within(this.tables.states.put(next.service, state));
    const policyBefore = before && !('deleted' in before) ? before.policyRevision : null;
    if (policyBefore !== next.policyRevision) this.putPolicy(next.service, next.policyRevision, policy, nowMs);
  }

  private putPolicy(service: string, revision: number, policy: Policy, savedAtMs: number): void {
    within(this.tables.policies.put([service, revision], { savedAtMs, policy }));
    trim(this.tables.policies, service, this.keep.policyVersions);
  }

  private putEnded(service: string, ended: readonly Recovery[]): void {
    let order = lastNumber(this.tables.recoveries, service);
    for (const recovery of ended) within(this.tables.recoveries.put([service, ++order], recovery));
    if (ended.length > 0) trim(this.tables.recoveries, service, this.keep.endedRecoveries);
  }
}

type Rows<V> = Database<V, [string, number]>;

function rangeOf(service: string) {
  return { start: [service, Number.MAX_SAFE_INTEGER] as [string, number], end: [service, -1] as [string, number], reverse: true };
}

function newest<V>(rows: Rows<V>, service: string, page: PageQuery) {
  const before = page.before ?? Number.MAX_SAFE_INTEGER;
  const found = [...rows.getRange({ ...rangeOf(service), start: [service, before - 1], limit: page.limit + 1 })];
  const items = found.slice(0, page.limit);
  return { items, next: found.length > page.limit ? items[items.length - 1]!.key[1] : null };
}

function mapPage<E, T>(page: Page<E>, to: (entry: E) => T): Page<T> {
  return { items: page.items.map(to), next: page.next };
}

function lastNumber<V>(rows: Rows<V>, service: string): number {
  for (const key of rows.getKeys({ ...rangeOf(service), limit: 1 })) return key[1];
  return 0;
}

/** Removes all but the newest `keep` rows of a service. */
function trim<V>(rows: Rows<V>, service: string, keep: number): void {
  for (const key of [...rows.getKeys({ ...rangeOf(service), offset: keep })]) within(rows.remove(key));
}
