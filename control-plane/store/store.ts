import type { Policy } from '../contract/policy.ts';
import type { Scope } from '../contract/rest/tokens.ts';
import type { AuditEntry, AuditedState } from '../domain/audit.ts';
import type { Recovery, ServiceState } from '../domain/model.ts';

/** Names one leader of one history: a write of the ticker that carries an older one is refused (R5). */
export interface Fence {
  readonly lineage: string;
  readonly counter: number;
}

/** What is left of a service whose policy was deleted; its numbers go on growing if it comes back. */
export interface Tombstone {
  readonly deleted: true;
  readonly service: string;
  readonly revision: number;
  readonly version: number;
  readonly deletedAtMs: number;
}

export type Stored = ServiceState | Tombstone;

export function isTombstone(stored: Stored): stored is Tombstone {
  return 'deleted' in stored;
}

export type { AuditEntry };

export interface AuditRecord extends AuditEntry {
  /** Grows by one per entry of a service. */
  readonly sequence: number;
}

/** What the entries that were cut off led to; with those that are left it leads to the present state (R17). */
export interface AuditSnapshot {
  /** The last entry that it contains. */
  readonly throughSequence: number;
  readonly state: AuditedState;
}

/** An access token as it is kept: without its secret. */
export interface TokenRecord {
  readonly id: string;
  readonly name: string;
  readonly scope: Scope;
  /** Only of scope filter. */
  readonly service: string | null;
  /** Hex. */
  readonly sha256: string;
  readonly createdAtMs: number;
  readonly createdBy: string;
}

/** The audit of tokens stands under this name, which no service can have. */
export const ACCESS_AUDIT = '@access';

export interface PolicyVersion {
  readonly revision: number;
  readonly savedAtMs: number;
  readonly policy: Policy;
}

/** One change of one service: state, audit and revision go together or not at all. */
export interface Commit {
  /** Version that must be stored now; 0: nothing. */
  readonly expectedVersion: number;
  /** Must carry `expectedVersion` + 1. */
  readonly next: Stored;
  readonly audit: readonly AuditEntry[];
  /** Recoveries that this change ended. */
  readonly ended: readonly Recovery[];
  readonly nowMs: number;
  /** Of the ticker's writes: the leadership under which they were decided. */
  readonly fence?: Fence;
}

/** conflict: another write came first; fenced: another leader took over, or the history is another one. */
export type CommitResult = 'committed' | 'conflict' | 'fenced';

/** A copy of an answer that the proxies of a service share. What is in it is their business. */
export interface SharedCopy {
  readonly bytes: Uint8Array;
  /** CRC-32 of the bytes as they came. */
  readonly checksum: number;
  readonly storedAtMs: number;
  /** From then on it is as if it had never been there. */
  readonly expiresAtMs: number;
}

/** Newest first. */
export interface PageQuery {
  readonly limit: number;
  /** Only entries before this one, as given by `next` of the page before. */
  readonly before?: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly next: number | null;
}

export interface StoreOptions {
  readonly auditEntries: number;
  /** Older entries are cut as well. */
  readonly auditMs: number;
  readonly endedRecoveries: number;
  readonly policyVersions: number;
}

/** How much history a store keeps per service. */
export const KEEP: StoreOptions = { auditEntries: 5000, auditMs: 90 * 24 * 3_600_000, endedRecoveries: 100, policyVersions: 50 };

/**
 * All that outlives the process (R16): states with steps, attempts and next attempt times, known nodes, policies, ended recoveries, audit.
 * Evidence, permits and waiting polls are not stored. A `commit` that has resolved survives the death of process and machine.
 */
export interface Store {
  /** Identity of this history; new when the store is initialised or restored (R5). */
  readonly lineage: string;
  commit(change: Commit): Promise<CommitResult>;
  load(service: string): Promise<Stored | null>;
  /** Names of all services, tombstones included, in order. */
  services(): Promise<readonly string[]>;
  audit(service: string, page: PageQuery): Promise<Page<AuditRecord>>;
  /** The state where older entries were cut off; null: none were. */
  auditSnapshot(service: string): Promise<AuditSnapshot | null>;
  /** Ended recoveries; the running one is in the service's state. */
  recoveries(service: string, page: PageQuery): Promise<Page<Recovery>>;
  recovery(service: string, id: string): Promise<Recovery | null>;
  /** Versions of the policy, the present one included. */
  policyVersions(service: string, page: PageQuery): Promise<Page<PolicyVersion>>;
  tokens(): Promise<readonly TokenRecord[]>;
  /** Adds a token together with its entry in the audit of ACCESS_AUDIT. */
  putToken(token: TokenRecord, entry: AuditEntry): Promise<void>;
  /** Removes a token together with its entry in the audit of ACCESS_AUDIT. */
  removeToken(id: string, entry: AuditEntry): Promise<void>;
  /**
   * Keeps a copy under its key in place of an older one. Copies of one service take `budgetBytes` at most: those that expire first give
   * way, and one that is larger than all of it is not kept. Unlike a commit, it need not survive the process.
   */
  putCopy(service: string, key: string, copy: SharedCopy, budgetBytes: number): Promise<void>;
  getCopy(service: string, key: string, nowMs: number): Promise<SharedCopy | null>;
  /** The leadership of `holder`, taken or renewed for `ttlMs`; null: another one leads. */
  lead(holder: string, ttlMs: number): Promise<Fence | null>;
  /** Lines of a backup of all that outlives a process (`backup.ts`), as of now, while writes go on. */
  backup(takenAtMs: number): AsyncGenerator<string>;
  /** Resolves when the store can be read and written. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** The store cannot be opened or used; the message says what to do. */
export class StoreUnusable extends Error {
  override readonly name = 'StoreUnusable';
}
