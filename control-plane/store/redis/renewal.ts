import { randomUUID } from 'node:crypto';
import { type AuditEntry, auditedStateOf } from '../../domain/audit.ts';
import { isTombstone, type Stored } from '../store.ts';
import type { Connection } from './connection.ts';
import { FLEET_KEYS, serviceKeys } from './keys.ts';
import { FORMAT } from './open.ts';
import { add, run, sent } from './scripts.ts';

const SERVICES_AT_ONCE = 100;

/** Begins a new lineage after `from`, or takes the one that another process began. */
export function renewLineage(connection: Connection, from: string, lastCounter: number): Promise<string> {
  const { lineage, format, leader, counter, announced } = FLEET_KEYS;
  const args = [from, randomUUID(), FORMAT, lastCounter];
  return connection.use((redis) => run<string>(redis, 'renew', [lineage, format, leader, counter, announced], args));
}

/** Brings all services into the lineage, and puts back each held state that is newer than the stored one. Gives the names of those. */
export async function putBack(
  connection: Connection,
  lineage: string,
  held: readonly Stored[],
  nowMs: number,
  policies: number,
): Promise<readonly string[]> {
  const restored: string[] = [];
  for (let from = 0; from < held.length; from += SERVICES_AT_ONCE) {
    const some = held.slice(from, from + SERVICES_AT_ONCE);
    const results = await connection.use((redis) => {
      const pipeline = redis.pipeline();
      pipeline.sadd(FLEET_KEYS.services, ...some.map(({ service }) => service));
      for (const state of some) addState(pipeline, lineage, state, nowMs, policies);
      return sent<string>(pipeline);
    });
    restored.push(...some.filter((_, index) => results[index + 1] === 'restored').map(({ service }) => service));
  }
  await fenceOthers(connection, lineage, new Set(held.map(({ service }) => service)));
  return restored;
}

/** The entry of an audit that tells of a history that was put back. */
export function restoredEntry(lineage: string, nowMs: number, revision: number): AuditEntry {
  return {
    atMs: nowMs,
    actor: 'recovery',
    action: 'history-restored',
    reason: { because: 'store-behind', numbers: { lineage } },
    revision,
  };
}

function addState(pipeline: Parameters<typeof add>[0], lineage: string, held: Stored, nowMs: number, policies: number): void {
  const { head, audit, snapshot, policies: policyRows } = serviceKeys(held.service);
  const { version } = held;
  const given = isTombstone(held)
    ? { about: { lineage, version }, state: held, policy: '', flags: {} }
    : withPolicy(held, { lineage, version, policyRevision: held.policyRevision, savedAtMs: Math.floor(nowMs), policies });
  const entry = restoredEntry(lineage, nowMs, held.revision);
  const args = [JSON.stringify(given.about), JSON.stringify(given.state), given.policy, JSON.stringify(given.flags), Math.floor(nowMs)];
  add(pipeline, 'put-back', [head, audit, snapshot, policyRows], [...args, JSON.stringify(entry)]);
}

function withPolicy(held: Exclude<Stored, { deleted: true }>, about: object) {
  const { policy, ...state } = held;
  return { about, state, policy: JSON.stringify(policy), flags: auditedStateOf(held) };
}

/** Services that this process does not hold: what older lineages and leaders write to them is refused as well. */
async function fenceOthers(connection: Connection, lineage: string, held: ReadonlySet<string>): Promise<void> {
  const services = await connection.use((redis) => redis.smembers(FLEET_KEYS.services));
  const others = services.filter((service) => !held.has(service));
  await connection.use((redis) => {
    const pipeline = redis.pipeline();
    for (const service of others) add(pipeline, 'fence', [serviceKeys(service).head], [lineage, 0]);
    return sent(pipeline);
  });
}
