import type { Policy } from '../../contract/policy.ts';
import { whole } from '../recovery-row.ts';
import { isTombstone, type Stored, StoreFault } from '../store.ts';
import type { Connection } from './connection.ts';
import { serviceKeys } from './keys.ts';
import { parseRow, parseStored } from './rows.ts';
import { run } from './scripts.ts';

/** Reads one service with its policy by one round trip. */
export async function loadService(connection: Connection, service: string): Promise<Stored | null> {
  const { head, policies } = serviceKeys(service);
  const [state, policy] = await connection.use((redis) => run<[string, string]>(redis, 'load', [head, policies], []));
  if (state === '') return null;
  const stored = parseStored<Stored>(state, `the state of ${service}`);
  if (isTombstone(stored)) return stored;
  if (policy === '')
    throw new StoreFault('broken', `revision ${stored.policyRevision} of the policy of ${service} is missing from the store`, false);
  const { recovery } = stored;
  return { ...stored, recovery: recovery && whole(recovery), policy: parseRow<Policy>(policy).value };
}
