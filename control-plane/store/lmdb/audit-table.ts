import type { Database } from 'lmdb';
import { type AuditEntry, type AuditRecord, type AuditSnapshot, replayAudit, type StoreOptions } from '../store.ts';
import { within } from './transactions.ts';

type Entries = Database<AuditRecord, [string, number]>;

/** So many of the kept entries may be too many before they are cut: what is cut goes into the snapshot, which is written anew. */
const SLACK_SHARE = 0.1;

/** The audit of each service: numbered entries, and the state at the cut where older ones were removed (R17). Used within transactions. */
export class AuditTable {
  private readonly entries: Entries;
  private readonly snapshots: Database<AuditSnapshot, string>;
  private readonly keep: StoreOptions;

  constructor(entries: Entries, snapshots: Database<AuditSnapshot, string>, keep: StoreOptions) {
    this.entries = entries;
    this.snapshots = snapshots;
    this.keep = keep;
  }

  append(service: string, entries: readonly AuditEntry[], nowMs: number): void {
    if (entries.length === 0) return;
    let sequence = this.last(service);
    for (const entry of entries) {
      sequence++;
      within(this.entries.put([service, sequence], { ...entry, sequence }));
    }
    this.cut(service, sequence, nowMs);
  }

  snapshot(service: string): AuditSnapshot | null {
    return this.snapshots.get(service) ?? null;
  }

  private cut(service: string, last: number, nowMs: number): void {
    const { auditEntries, auditMs } = this.keep;
    const oldest = this.oldest(service);
    if (!oldest) return;
    const isTooLong = last - oldest.sequence + 1 > auditEntries + Math.floor(auditEntries * SLACK_SHARE);
    if (!isTooLong && oldest.atMs >= nowMs - auditMs) return;
    const isOver = ({ sequence, atMs }: AuditRecord) => sequence <= last - auditEntries || (atMs < nowMs - auditMs && sequence < last);
    const gone: AuditRecord[] = [];
    for (const { value } of this.entries.getRange({ start: [service, 0], end: [service, last + 1] })) {
      if (!isOver(value)) break;
      gone.push(value);
    }
    const throughSequence = gone.at(-1)?.sequence;
    if (throughSequence === undefined) return;
    const state = replayAudit(this.snapshot(service), gone);
    const before = this.snapshot(service)?.throughSequence ?? 0;
    within(this.snapshots.put(service, { throughSequence: Math.max(before, throughSequence), state }));
    for (const { sequence } of gone) within(this.entries.remove([service, sequence]));
  }

  private oldest(service: string): AuditRecord | null {
    const range = { start: [service, 0] as [string, number], end: [service, Number.MAX_SAFE_INTEGER] as [string, number], limit: 1 };
    for (const { value } of this.entries.getRange(range)) return value;
    return null;
  }

  private last(service: string): number {
    const range = { start: [service, Number.MAX_SAFE_INTEGER] as [string, number], end: [service, -1] as [string, number] };
    for (const key of this.entries.getKeys({ ...range, reverse: true, limit: 1 })) return key[1];
    return this.snapshot(service)?.throughSequence ?? 0;
  }
}
