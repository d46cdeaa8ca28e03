import { randomUUID } from 'node:crypto';
import { type AuditEntry, auditedStateOf } from '../../domain/audit.ts';
import { isTombstone, type Stored } from '../store.ts';
import type { Connection } from './connection.ts';
import { FLEET_KEYS, serviceKeys } from './keys.ts';
import { FORMAT } from './open.ts';
import { add, run, sent } from './scripts.ts';

/** What is sent at once, so that it arrives within a command's time. */
const SERVICES_AT_ONCE = 100;
const BYTES_AT_ONCE = 4 * 1024 * 1024;

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
  for (const some of portions(held, (state) => putBackOf(lineage, state, nowMs, policies))) {
    const results = await connection.use((redis) => {
      const pipeline = redis.pipeline();
      pipeline.sadd(FLEET_KEYS.services, ...some.map(({ service }) => service));
      for (const { keys, args } of some) add(pipeline, 'put-back', keys, args);
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

interface PutBack {
  readonly service: string;
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
}

function* portions(held: readonly Stored[], putBackFor: (state: Stored) => PutBack): Generator<readonly PutBack[]> {
  let some: PutBack[] = [];
  let bytes = 0;
  for (const state of held) {
    const next = putBackFor(state);
    some.push(next);
    bytes += next.args.reduce<number>((sum, arg) => sum + String(arg).length, 0);
    if (some.length < SERVICES_AT_ONCE && bytes < BYTES_AT_ONCE) continue;
    yield some;
    some = [];
    bytes = 0;
  }
  if (some.length > 0) yield some;
}

function putBackOf(lineage: string, held: Stored, nowMs: number, policies: number): PutBack {
  const { head, audit, snapshot, policies: policyRows } = serviceKeys(held.service);
  const { version } = held;
  const given = isTombstone(held)
    ? { about: { lineage, version }, state: held, policy: '', flags: {} }
    : withPolicy(held, { lineage, version, policyRevision: held.policyRevision, savedAtMs: Math.floor(nowMs), policies });
  const entry = restoredEntry(lineage, nowMs, held.revision);
  const args = [JSON.stringify(given.about), JSON.stringify(given.state), given.policy, JSON.stringify(given.flags), Math.floor(nowMs)];
  return { service: held.service, keys: [head, audit, snapshot, policyRows], args: [...args, JSON.stringify(entry)] };
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
