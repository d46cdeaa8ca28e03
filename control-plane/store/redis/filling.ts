import type { ChainableCommander } from 'ioredis';
import type { BackupRow } from '../backup.ts';
import { ACCESS_AUDIT, type AuditRecord, type AuditSnapshot, isTombstone, type Stored, StoreUnusable, type TokenRecord } from '../store.ts';
import { auditKeys, FLEET_KEYS, serviceKeys } from './keys.ts';
import { FORMAT } from './open.ts';
import { rowText } from './rows.ts';

/** Turns rows into commands, and remembers what only the last row can tell. */
export class Filling {
  readonly lineage: string;
  readonly services = new Set<string>();
  private readonly sequences = new Map<string, number>();
  private readonly ended = new Map<string, number>();
  private tokens = 0;

  constructor(lineage: string) {
    this.lineage = lineage;
  }

  add(pipeline: ChainableCommander, { table, key, value }: BackupRow): void {
    const [service, number] = Array.isArray(key) ? (key as [string, number]) : [key as string, 0];
    switch (table) {
      case 'states':
        this.addState(pipeline, service, value as Stored);
        return;
      case 'policies': {
        const { savedAtMs, policy } = value as { savedAtMs: number; policy: unknown };
        pipeline.zadd(serviceKeys(service).policies, number, rowText(number, savedAtMs, policy));
        return;
      }
      case 'audit': {
        const { sequence: _, ...entry } = value as AuditRecord;
        raise(this.sequences, service, number);
        pipeline.zadd(auditKeys(service).audit, number, rowText(number, entry.atMs, entry));
        return;
      }
      case 'auditSnapshots': {
        const { throughSequence, state } = value as AuditSnapshot;
        raise(this.sequences, service, throughSequence);
        pipeline.hset(auditKeys(service).snapshot, { through: throughSequence, state: JSON.stringify(state) });
        return;
      }
      case 'recoveries':
        raise(this.ended, service, number);
        pipeline.zadd(
          serviceKeys(service).recoveries,
          number,
          rowText(number, (value as { endedAtMs: number | null }).endedAtMs ?? 0, value),
        );
        return;
      case 'tokens':
        this.tokens++;
        pipeline.hset(FLEET_KEYS.tokens, (value as TokenRecord).id, JSON.stringify(value));
        return;
      default:
        throw new StoreUnusable(`the backup has a table ${JSON.stringify(table)}, which this version does not know`);
    }
  }

  /** Last numbers, and the lineage with which it becomes a store. */
  finish(pipeline: ChainableCommander): void {
    for (const service of this.services) {
      const last = { sequence: this.sequences.get(service) ?? 0, ended: this.ended.get(service) ?? 0 };
      pipeline.hset(serviceKeys(service).head, last);
    }
    pipeline.hset(FLEET_KEYS.access, { sequence: this.sequences.get(ACCESS_AUDIT) ?? 0, changes: this.tokens });
    pipeline.set(FLEET_KEYS.format, FORMAT).set(FLEET_KEYS.lineage, this.lineage).del(FLEET_KEYS.restoring);
  }

  private addState(pipeline: ChainableCommander, service: string, state: Stored): void {
    this.services.add(service);
    const policy = isTombstone(state) ? {} : { policyRevision: state.policyRevision };
    const head = { state: JSON.stringify(state), version: state.version, lineage: this.lineage, fence: 0, ...policy };
    pipeline.hset(serviceKeys(service).head, head).sadd(FLEET_KEYS.services, service);
  }
}

function raise(highest: Map<string, number>, name: string, number: number): void {
  highest.set(name, Math.max(highest.get(name) ?? 0, number));
}
