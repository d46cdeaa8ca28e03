import type { BackupRow } from '../backup.ts';
import { ACCESS_AUDIT } from '../store.ts';
import type { Connection } from './connection.ts';
import { auditKeys, FLEET_KEYS, serviceKeys } from './keys.ts';
import { parseRow } from './rows.ts';

/** All that outlives a process, as rows that every kind of store reads. Each service is of one moment; services follow each other. */
export async function* backupRows(connection: Connection): AsyncGenerator<BackupRow> {
  for (const service of (await connection.use((redis) => redis.smembers(FLEET_KEYS.services))).sort()) {
    const { head, policies, recoveries, audit, snapshot } = serviceKeys(service);
    const [[state], policyRows, recoveryRows, auditRows, cut] = await connection.use((redis) =>
      together<[[string | null], string[], string[], string[], (string | null)[]]>(
        redis
          .multi()
          .hmget(head, 'state')
          .zrange(policies, '0', '-1')
          .zrange(recoveries, '0', '-1')
          .zrange(audit, '0', '-1')
          .hmget(snapshot, 'through', 'state')
          .exec(),
      ),
    );
    if (state === null) continue;
    yield { table: 'states', key: service, value: JSON.parse(state) };
    for (const row of policyRows) {
      const { number, atMs, value } = parseRow(row);
      yield { table: 'policies', key: [service, number], value: { savedAtMs: atMs, policy: value } };
    }
    for (const row of recoveryRows) {
      const { number, value } = parseRow(row);
      yield { table: 'recoveries', key: [service, number], value };
    }
    yield* auditRowsOf(service, auditRows, cut);
  }
  const { audit, snapshot } = auditKeys(ACCESS_AUDIT);
  const [tokens, auditRows, cut] = await connection.use((redis) =>
    together<[string[], string[], (string | null)[]]>(
      redis.multi().hvals(FLEET_KEYS.tokens).zrange(audit, '0', '-1').hmget(snapshot, 'through', 'state').exec(),
    ),
  );
  for (const token of tokens.map((text) => JSON.parse(text) as { readonly id: string }))
    yield { table: 'tokens', key: token.id, value: token };
  yield* auditRowsOf(ACCESS_AUDIT, auditRows, cut);
}

function* auditRowsOf(service: string, rows: readonly string[], [through, state]: readonly (string | null)[]): Generator<BackupRow> {
  for (const row of rows) {
    const { number, value } = parseRow<object>(row);
    yield { table: 'audit', key: [service, number], value: { ...value, sequence: number } };
  }
  if (through != null && state != null) {
    yield { table: 'auditSnapshots', key: service, value: { throughSequence: Number(through), state: JSON.parse(state) } };
  }
}

async function together<T>(replies: Promise<[Error | null, unknown][] | null>): Promise<T> {
  return ((await replies) ?? []).map(([error, value]) => {
    if (error) throw error;
    return value;
  }) as T;
}
