import type { Store } from '../../../control-plane/store/store.ts';
import { commitOf, entryOf, policyOf, recoveryOf, stateOf } from './samples.ts';

const EVERYTHING = { limit: 10_000 };

/** Rows of a store that was filled: states, policies, audit, recoveries, tokens. */
export const ROWS = 2 + 4 + 2401 + 2 + 1;

/** Puts something into every table of a new store. */
export async function fill(store: Store): Promise<Store> {
  for (const service of ['bank', 'shop']) {
    const audit = Array.from({ length: 1200 }, (_, index) => entryOf(`${service}-${index}`));
    await store.commit(commitOf(0, stateOf(service, { nodes: ['a'] }), { audit, ended: [recoveryOf(service, 'r1')] }));
    const policy = policyOf(service, 'catalog', 'checkout');
    await store.commit(commitOf(1, stateOf(service, { policy, version: 2, revision: 2, policyRevision: 2 })));
  }
  const about = { id: 't1', name: 'night', scope: 'operate', service: null } as const;
  await store.putToken({ ...about, sha256: 'ab'.repeat(32), createdAtMs: 1, createdBy: 'x' }, entryOf('token-created'));
  await store.commit(commitOf(2, { deleted: true, service: 'bank', revision: 3, version: 3, deletedAtMs: 9 }));
  return store;
}

export async function backupOf(store: Store): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of store.backup(1000)) lines.push(line.trimEnd());
  return lines;
}

export async function* given(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

/** All that a store tells of its services and tokens. */
export async function contentOf(store: Store) {
  const services = await store.services();
  const perService = await Promise.all(
    services.map(async (service) => ({
      stored: await store.load(service),
      audit: await store.audit(service, EVERYTHING),
      recoveries: await store.recoveries(service, EVERYTHING),
      policies: await store.policyVersions(service, EVERYTHING),
    })),
  );
  return { perService, tokens: await store.tokens() };
}
