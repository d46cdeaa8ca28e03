import type { Policy } from '../contract/policy.ts';
import type { Scope } from '../contract/rest/tokens.ts';
import { type AuditEntry, type AuditedState, replay } from '../domain/audit.ts';
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

/** What entries up to one led to; with those after it, it leads to the present state (R17). Entries that it contains may still be there. */
export interface AuditSnapshot {
  /** The last entry that it contains. */
  readonly throughSequence: number;
  readonly state: AuditedState;
}

/** The state to which a whole audit, in the order in which it was written, leads. */
export function replayAudit(snapshot: AuditSnapshot | null, records: readonly AuditRecord[]): AuditedState {
  const from = snapshot?.throughSequence ?? 0;
  return replay(
    snapshot?.state ?? {},
    records.filter(({ sequence }) => sequence > from),
  );
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

/** What is stored now, in few bytes: asked once a second by processes that share a store. */
export interface Versions {
  /** null: the store was emptied under us. */
  readonly lineage: string | null;
  /** Of each service, tombstones included. */
  readonly services: ReadonlyMap<string, number>;
  /** Grows with each token that is created or revoked. */
  readonly tokens: number;
  /** These are not all the changes of tokens that this process knows of. */
  readonly areTokensLost: boolean;
  /** What the leader said last by `announce`; null: nothing yet. */
  readonly announced: string | null;
}

/** Channel of the bus on which every committed change is told, as JSON of this type. */
export const CHANGES = 'changes';
export interface ChangeMessage {
  readonly lineage: string;
  readonly service: string;
  readonly version: number;
}

/** Channel of the bus on which tokens that were created or revoked are told; the message is empty. */
export const TOKENS = 'tokens';

/** Channel of the bus on which the leader's announcements come. */
export const ANNOUNCEMENTS = 'announcements';

/** Messages between the processes that share a store: each comes at most once, and some are lost. No state may rely on them. */
export interface Bus {
  /** Sends to all who subscribed, this process included. Never fails: without a connection the message is lost. */
  publish(channel: string, message: string): void;
  /** Calls `receive` with each message until the function that is given back is called. */
  subscribe(channel: string, receive: (message: string) => void): () => void;
}

/**
 * All that outlives the process (R16): states with steps, attempts and next attempt times, known nodes, policies, ended recoveries, audit.
 * Evidence, permits and waiting polls are not stored. A `commit` that has resolved survives the death of process and machine.
 */
export interface Store {
  /**
   * Identity of the history that this process is in; new when the store is initialised, restored or renewed (R5). It changes by `renew` alone:
   * when `versions` tells another one, this process's reads and writes still go by the old one until it renews.
   */
  readonly lineage: string;
  /** To the other processes that share this store; null: there can be none. */
  readonly bus: Bus | null;
  /** Epoch ms, whole, on which the processes of this store agree, never going back; null: the process has the store for itself. */
  readonly clock: (() => number) | null;
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
  /**
   * The leadership of `holder`, taken or renewed for `ttlMs`; null: another one leads, or the store has another lineage. When it resolves, every
   * service refuses the leaders before.
   */
  lead(holder: string, ttlMs: number): Promise<Fence | null>;
  /** Keeps what a leader says to its followers in place of what was said before, and tells it on the bus; false: it leads no more. */
  announce(fence: Fence, message: string): Promise<boolean>;
  versions(): Promise<Versions>;
  /**
   * Enters the history that the store has now, with what this process holds of the one before (R5). Where the store has lost its lineage, has
   * this process's own, or an older one, a new lineage begins; where another process was first, its lineage is taken. Then each state in `held`
   * that is newer than the stored one is put back with an entry `history-restored` in its audit, tokens likewise, and what older lineages and
   * leaders write is refused. Gives the services that were put back.
   */
  renew(held: readonly Stored[], nowMs: number): Promise<readonly string[]>;
  /** Lines of a backup of all that outlives a process (`backup.ts`), as of now, while writes go on. */
  backup(takenAtMs: number): AsyncGenerator<string>;
  /** Resolves when the store can be read and written. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/**
 * unreachable: no connection. timeout: no answer in time, it may hang. read-only: a replica answers where the primary should. full: out of
 * memory. unwritable: it cannot write to its disk, or has too few replicas. access: wrong password or missing rights. loading: it reads its data.
 * broken: anything else.
 */
export type FaultKind = 'unreachable' | 'timeout' | 'read-only' | 'full' | 'unwritable' | 'access' | 'loading' | 'broken';

/** A shared store failed; the message says how, in words for an operator. */
export class StoreFault extends Error {
  override readonly name = 'StoreFault';
  readonly kind: FaultKind;
  /** Whether what was asked may have been done all the same: read again before going on. */
  readonly isDoubtful: boolean;

  constructor(kind: FaultKind, message: string, isDoubtful: boolean, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
    this.isDoubtful = isDoubtful;
  }
}

/** The store cannot be opened or used; the message says what to do. */
export class StoreUnusable extends Error {
  override readonly name = 'StoreUnusable';
}
