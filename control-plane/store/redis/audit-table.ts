import type { AuditedState } from '../../domain/audit.ts';
import {
  type AuditEntry,
  type AuditRecord,
  type AuditSnapshot,
  type Page,
  type PageQuery,
  replayAudit,
  type StoreOptions,
} from '../store.ts';
import type { Connection } from './connection.ts';
import { auditKeys } from './keys.ts';
import { newest } from './pages.ts';
import { parseRow } from './rows.ts';
import { run } from './scripts.ts';

/** So much of what is kept may be there too much before it is cut: what is cut goes into the snapshot, which is written anew. */
const SLACK_SHARE = 0.1;

/** Size of an audit after a write to it. */
export interface AuditSize {
  readonly entries: number;
  readonly oldestAtMs: number;
}

/** The audit of each service, and of the tokens (R17). Scripts write it; here it is read and cut. */
export class AuditTable {
  private readonly connection: Connection;
  private readonly keep: StoreOptions;

  constructor(connection: Connection, keep: StoreOptions) {
    this.connection = connection;
    this.keep = keep;
  }

  async page(service: string, page: PageQuery): Promise<Page<AuditRecord>> {
    const { items, next } = await newest<AuditEntry>(this.connection, auditKeys(service).audit, page);
    return { items: items.map(({ number, value }) => ({ ...value, sequence: number })), next };
  }

  async snapshot(service: string): Promise<AuditSnapshot | null> {
    const [through, state] = await this.connection.use((redis) => redis.hmget(auditKeys(service).snapshot, 'through', 'state'));
    return through == null || state == null ? null : { throughSequence: Number(through), state: JSON.parse(state) as AuditedState };
  }

  /** Cuts what is over the bounds by more than the slack. The write before is done either way, so a failure is left to the next one. */
  async keepBounds(service: string, { entries, oldestAtMs }: AuditSize, nowMs: number): Promise<void> {
    const { auditEntries, auditMs } = this.keep;
    const isTooLong = entries > auditEntries + Math.floor(auditEntries * SLACK_SHARE);
    const isTooOld = entries > 1 && oldestAtMs < nowMs - auditMs * (1 + SLACK_SHARE); // the last one stays
    if (isTooLong || isTooOld) await this.cut(service, entries, nowMs).catch(() => undefined);
  }

  private async cut(service: string, entries: number, nowMs: number): Promise<void> {
    const keys = auditKeys(service);
    const tooMany = Math.max(0, entries - this.keep.auditEntries);
    const texts = await this.connection.use(async (redis) => redis.zrange(keys.audit, '0', '-2'));
    const rows = texts.map((text) => parseRow<AuditEntry>(text));
    const kept = rows.findIndex(({ atMs }, index) => index >= tooMany && atMs >= nowMs - this.keep.auditMs);
    const gone = kept < 0 ? rows : rows.slice(0, kept);
    const last = gone.at(-1)?.number;
    if (last === undefined) return;
    const before = await this.snapshot(service);
    const from = before?.throughSequence ?? 0;
    const state = replayAudit(
      before,
      gone.map(({ number, value }) => ({ ...value, sequence: number })),
    );
    const args = [from, Math.max(from, last), last, JSON.stringify(state)];
    await this.connection.use((redis) => run(redis, 'cut-audit', [keys.audit, keys.snapshot], args));
  }
}
