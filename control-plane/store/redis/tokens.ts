import { ACCESS_AUDIT, type AuditEntry, StoreFault, TOKENS, type TokenRecord } from '../store.ts';
import type { AuditTable } from './audit-table.ts';
import type { Connection } from './connection.ts';
import { FLEET_KEYS } from './keys.ts';
import { parseStored } from './rows.ts';
import { run, sent } from './scripts.ts';

/** Tokens, and how many changes led to them. */
interface Remembered {
  readonly changes: number;
  readonly records: ReadonlyMap<string, TokenRecord>;
}

const KEYS = [FLEET_KEYS.lineage, FLEET_KEYS.access, FLEET_KEYS.tokens, FLEET_KEYS.accessAudit];

/** The access tokens. Remembers what was read or written last, so that a store that lost them gets them back. */
export class TokenTable {
  private readonly connection: Connection;
  private readonly audit: AuditTable;
  private readonly channel: string;
  private remembered: Remembered = { changes: 0, records: new Map() };

  constructor(connection: Connection, audit: AuditTable, channelPrefix: string) {
    this.connection = connection;
    this.audit = audit;
    this.channel = channelPrefix + TOKENS;
  }

  /** How many changes this process knows of. */
  get changes(): number {
    return this.remembered.changes;
  }

  /** A store that has lost some gets them back (`putBack`) and is not believed until then: without tokens everybody may do everything. */
  async all(): Promise<readonly TokenRecord[]> {
    const known = this.remembered;
    const [told, texts] = (await this.connection.use((redis) =>
      sent<unknown>(redis.multi().hget(FLEET_KEYS.access, 'changes').hvals(FLEET_KEYS.tokens)),
    )) as [string | null, string[]];
    const changes = Number(told ?? 0);
    const isBehind = changes < known.changes || (changes === known.changes && texts.length !== known.records.size);
    if (isBehind) throw new StoreFault('broken', 'the store has lost access tokens that are known here', false);
    const records = texts.map((text) => parseStored<TokenRecord>(text, 'an access token')).sort((a, b) => (a.id < b.id ? -1 : 1));
    this.remembered = { changes, records: new Map(records.map((record) => [record.id, record])) };
    return records;
  }

  /** Adds a token under its id, or with null removes it. */
  async put(lineage: string, id: string, token: TokenRecord | null, entry: AuditEntry): Promise<void> {
    const args = [lineage, id, token ? JSON.stringify(token) : '', Math.floor(entry.atMs), JSON.stringify(entry), this.channel];
    const [changes, entries, oldestAtMs] = await this.connection.use((redis) => run<number[]>(redis, 'put-token', KEYS, args));
    if (changes === undefined || entries === undefined || oldestAtMs === undefined) {
      throw new StoreFault('broken', 'the store has another history, which this process enters in a moment', false);
    }
    if (changes === this.remembered.changes + 1) this.remember(changes, id, token);
    await this.audit.keepBounds(ACCESS_AUDIT, { entries, oldestAtMs }, entry.atMs);
  }

  /** Whether the store had lost tokens that this process remembers. */
  async putBack(lineage: string, entry: AuditEntry): Promise<boolean> {
    const { changes, records } = this.remembered;
    const told = [...records].flatMap(([id, record]) => [id, JSON.stringify(record)]);
    const args = [lineage, changes, Math.floor(entry.atMs), JSON.stringify(entry), ...told];
    return (await this.connection.use((redis) => run<number>(redis, 'put-back-tokens', KEYS, args))) === 1;
  }

  private remember(changes: number, id: string, token: TokenRecord | null): void {
    const records = new Map(this.remembered.records);
    if (token) records.set(id, token);
    else records.delete(id);
    this.remembered = { changes, records };
  }
}
