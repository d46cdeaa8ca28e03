import type { AuditRecord, Store } from '../store/store.ts';

const CHUNK = 100;
/** Readers of events that missed more than this find the rest in the audit itself. */
const MOST = 1000;
/** The entry with which a renewed history begins (R5). */
const RESTORED = 'history-restored';

export async function newestSequence(store: Store, service: string): Promise<number> {
  return (await store.audit(service, { limit: 1 })).items[0]?.sequence ?? 0;
}

/** What came into the audit of a service after the entry `through`, oldest first; of a history that was renewed below it, what came since. */
export async function newsSince(store: Store, service: string, through: number): Promise<readonly AuditRecord[]> {
  const news: AuditRecord[] = [];
  let isRenewed = false;
  for (let before: number | null = Number.MAX_SAFE_INTEGER; before !== null && news.length < MOST; ) {
    const page: Awaited<ReturnType<Store['audit']>> = await store.audit(service, { limit: CHUNK, before });
    if (news.length === 0) isRenewed = (page.items[0]?.sequence ?? 0) < through;
    for (const entry of page.items) {
      if (!isRenewed && entry.sequence <= through) return news.reverse();
      news.push(entry);
      if (isRenewed && entry.action === RESTORED) return news.reverse();
    }
    before = page.next;
  }
  return news.reverse();
}
