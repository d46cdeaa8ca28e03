import type { AuditRecord, Page, Store } from '../store/store.ts';

/** Entries that are looked at in one go. */
const CHUNK = 500;

export interface AuditSearch {
  readonly limit: number;
  /** Only entries before this one. */
  readonly cursor?: number;
  readonly feature?: string;
  readonly kind?: string;
  readonly actor?: string;
  /** Epoch ms, from and up to. */
  readonly since?: number;
  readonly until?: number;
}

/** Entries of the audit that the search is for, newest first. */
export async function searchAudit(store: Store, service: string, search: AuditSearch): Promise<Page<AuditRecord>> {
  const found: AuditRecord[] = [];
  for (let before = search.cursor; ; ) {
    const page = await store.audit(service, { limit: CHUNK, ...(before === undefined ? {} : { before }) });
    for (const entry of page.items) {
      if (search.since !== undefined && entry.atMs < search.since) return pageOf(found, search.limit);
      if (isWanted(entry, search)) found.push(entry);
      if (found.length > search.limit) return pageOf(found, search.limit);
    }
    if (page.next === null) return pageOf(found, search.limit);
    before = page.next;
  }
}

function pageOf(found: readonly AuditRecord[], limit: number): Page<AuditRecord> {
  const items = found.slice(0, limit);
  return { items, next: found.length > limit ? items.at(-1)!.sequence : null };
}

function isWanted(entry: AuditRecord, { feature, kind, actor, until }: AuditSearch): boolean {
  return (
    (feature === undefined || entry.feature === feature) &&
    (kind === undefined || entry.action === kind) &&
    (actor === undefined || entry.actor === actor) &&
    (until === undefined || entry.atMs < until)
  );
}
