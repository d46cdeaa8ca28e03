import type { Logger } from 'pino';
import type { Policy } from '../../contract/policy.ts';
import type { Recovery } from '../../domain/model.ts';
import { writeBackup } from '../backup.ts';
import { whole } from '../recovery-row.ts';
import {
  type AuditEntry,
  type AuditRecord,
  type AuditSnapshot,
  type Commit,
  type CommitResult,
  type Fence,
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
import { backupRows } from './backup-rows.ts';
import { Commits } from './commits.ts';
import type { Connection } from './connection.ts';
import { Copies } from './copies.ts';
import { channelPrefix, FLEET_KEYS, serviceKeys } from './keys.ts';
import { LeadershipLease } from './leadership.ts';
import { type Opened, openRedis } from './open.ts';
import { newest } from './pages.ts';
import { RedisBus } from './redis-bus.ts';
import { putBack, renewLineage, restoredEntry } from './renewal.ts';
import { loadService } from './service.ts';
import { SharedClock } from './shared-clock.ts';
import { TokenTable } from './tokens.ts';
import { ClockedVersions } from './versions.ts';

export interface RedisStoreOptions {
  readonly url: URL;
  readonly log: Logger;
  readonly keep?: StoreOptions;
  /** How long to wait for a Redis that is not there yet. */
  readonly withinMs?: number;
  /** Of this process, monotonic: epoch ms. */
  readonly localMs?: () => number;
}

const OPEN_WITHIN_MS = 25_000;
/** The key by which a check tells that writes are possible goes away by itself. */
const CHECK_KEY_MS = 5000;
const RECOVERIES_AT_ONCE = 1000;

/** Opens the store that many processes share. Throws StoreUnusable with what to do. */
export async function openRedisStore({
  url,
  log,
  keep = KEEP,
  withinMs = OPEN_WITHIN_MS,
  localMs = () => performance.timeOrigin + performance.now(),
}: RedisStoreOptions): Promise<Store> {
  const opened = await openRedis(url, log, withinMs);
  const sample = await ClockedVersions.sample(opened.commands, localMs);
  return new RedisStore(opened, keep, Number(url.pathname.slice(1) || 0), localMs, new SharedClock(localMs, sample));
}

class RedisStore implements Store {
  readonly bus: RedisBus;
  readonly clock: () => number;
  private history: string;
  private readonly commands: Connection;
  private readonly keep: StoreOptions;
  private readonly commits: Commits;
  private readonly auditTable: AuditTable;
  private readonly tokenTable: TokenTable;
  private readonly copies: Copies;
  private readonly lease: LeadershipLease;
  private readonly clockedVersions: ClockedVersions;

  constructor({ commands, messages, lineage }: Opened, keep: StoreOptions, database: number, localMs: () => number, clock: SharedClock) {
    const prefix = channelPrefix(database);
    this.commands = commands;
    this.history = lineage;
    this.keep = keep;
    this.bus = new RedisBus(commands, messages, prefix);
    this.clock = () => clock.nowMs();
    this.auditTable = new AuditTable(commands, keep);
    this.commits = new Commits(commands, this.auditTable, keep, prefix);
    this.tokenTable = new TokenTable(commands, this.auditTable, prefix);
    this.copies = new Copies(commands);
    this.lease = new LeadershipLease(commands, prefix);
    this.clockedVersions = new ClockedVersions(commands, clock, localMs);
  }

  get lineage(): string {
    return this.history;
  }

  commit(change: Commit): Promise<CommitResult> {
    return this.commits.commit(this.history, change);
  }

  load(service: string): Promise<Stored | null> {
    return loadService(this.commands, service);
  }

  async services(): Promise<readonly string[]> {
    return [...(await this.versions()).services.keys()].sort();
  }

  audit(service: string, page: PageQuery): Promise<Page<AuditRecord>> {
    return this.auditTable.page(service, page);
  }

  auditSnapshot(service: string): Promise<AuditSnapshot | null> {
    return this.auditTable.snapshot(service);
  }

  async recoveries(service: string, page: PageQuery): Promise<Page<Recovery>> {
    const { items, next } = await newest<Recovery>(this.commands, serviceKeys(service).recoveries, page);
    return { items: items.map(({ value }) => whole(value)), next };
  }

  async recovery(service: string, id: string): Promise<Recovery | null> {
    const { items } = await this.recoveries(service, { limit: RECOVERIES_AT_ONCE });
    return items.find((recovery) => recovery.id === id) ?? null;
  }

  async policyVersions(service: string, page: PageQuery): Promise<Page<PolicyVersion>> {
    const { items, next } = await newest<Policy>(this.commands, serviceKeys(service).policies, page);
    return { items: items.map(({ number, atMs, value }) => ({ revision: number, savedAtMs: atMs, policy: value })), next };
  }

  tokens(): Promise<readonly TokenRecord[]> {
    return this.tokenTable.all();
  }

  putToken(token: TokenRecord, entry: AuditEntry): Promise<void> {
    return this.tokenTable.put(this.history, token.id, token, entry);
  }

  removeToken(id: string, entry: AuditEntry): Promise<void> {
    return this.tokenTable.put(this.history, id, null, entry);
  }

  putCopy(service: string, key: string, copy: SharedCopy, budgetBytes: number): Promise<void> {
    return this.copies.put(service, key, copy, budgetBytes);
  }

  getCopy(service: string, key: string, nowMs: number): Promise<SharedCopy | null> {
    return this.copies.get(service, key, nowMs);
  }

  lead(holder: string, ttlMs: number): Promise<Fence | null> {
    return this.lease.lead(this.history, holder, ttlMs);
  }

  announce(fence: Fence, message: string): Promise<boolean> {
    return this.lease.announce(fence, message);
  }

  async versions(): Promise<Versions> {
    const { changes } = this.tokenTable; // before the reading, which those that follow it do not make a loss
    const versions = await this.clockedVersions.read();
    return { ...versions, areTokensLost: versions.tokens < changes };
  }

  async renew(held: readonly Stored[], nowMs: number): Promise<readonly string[]> {
    const lineage = await renewLineage(this.commands, this.history, this.lease.lastCounter);
    const restored = await putBack(this.commands, lineage, held, nowMs, this.keep.policyVersions);
    await this.tokenTable.putBack(lineage, restoredEntry(lineage, nowMs, 0));
    this.history = lineage;
    return restored;
  }

  backup(takenAtMs: number): AsyncGenerator<string> {
    return writeBackup(this.history, takenAtMs, backupRows(this.commands));
  }

  async check(): Promise<void> {
    await this.commands.use((redis) => redis.set(FLEET_KEYS.check, '1', 'PX', CHECK_KEY_MS));
  }

  async close(): Promise<void> {
    await this.lease.resign().catch(() => undefined);
    this.bus.close();
    this.commands.close();
  }
}
