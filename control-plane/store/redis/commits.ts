import type { Commit, CommitResult, StoreOptions } from '../store.ts';
import { CHANGES, type ChangeMessage, isTombstone } from '../store.ts';
import type { AuditTable } from './audit-table.ts';
import type { Connection } from './connection.ts';
import { FLEET_KEYS, serviceKeys } from './keys.ts';
import { run } from './scripts.ts';

type Reply = ['committed', number, number] | ['conflict'] | ['fenced'] | ['policy'];

/** Changes of services: one script and one round trip each, but for those that create a service or cut its audit. */
export class Commits {
  private readonly connection: Connection;
  private readonly audit: AuditTable;
  private readonly keep: StoreOptions;
  private readonly channel: string;

  constructor(connection: Connection, audit: AuditTable, keep: StoreOptions, channelPrefix: string) {
    this.connection = connection;
    this.audit = audit;
    this.keep = keep;
    this.channel = channelPrefix + CHANGES;
  }

  async commit(lineage: string, change: Commit): Promise<CommitResult> {
    if (change.fence && change.fence.lineage !== lineage) return 'fenced';
    const { service, version } = change.next;
    const floor = change.expectedVersion === 0 ? await this.register(lineage, service) : 0;
    if (floor < 0) return 'fenced';
    const first = change.expectedVersion === 0 || (!isTombstone(change.next) && change.next.policyRevision === change.next.revision);
    let reply = await this.send(lineage, change, floor, first);
    if (reply[0] === 'policy') reply = await this.send(lineage, change, floor, true);
    if (reply[0] === 'policy') throw new Error(`the policy of ${service} is missing from version ${version}`);
    if (reply[0] !== 'committed') return reply[0];
    await this.audit.keepBounds(service, { entries: reply[1], oldestAtMs: reply[2] }, change.nowMs);
    return 'committed';
  }

  /** The name of a service that is new stands in the list before the service does. */
  private register(lineage: string, service: string): Promise<number> {
    const keys = [FLEET_KEYS.lineage, FLEET_KEYS.services, FLEET_KEYS.counter];
    return this.connection.use((redis) => run<number>(redis, 'register', keys, [lineage, service]));
  }

  private send(lineage: string, change: Commit, floor: number, withPolicy: boolean): Promise<Reply> {
    const { next, audit, ended, nowMs } = change;
    const { head, audit: auditRows, policies, recoveries } = serviceKeys(next.service);
    const { policy, ...state } = isTombstone(next) ? { ...next, policy: null } : next;
    const message: ChangeMessage = { lineage, service: next.service, version: next.version };
    const about = {
      ...{ lineage, floor, expectedVersion: change.expectedVersion, version: next.version, savedAtMs: Math.floor(nowMs) },
      ...(change.fence && { fence: change.fence.counter }),
      ...(!isTombstone(next) && { policyRevision: next.policyRevision }),
      ...{ audit: audit.length, ended: ended.length, policies: this.keep.policyVersions, recoveries: this.keep.endedRecoveries },
      ...{ channel: this.channel, message: JSON.stringify(message) },
    };
    const args = [JSON.stringify(about), JSON.stringify(state), withPolicy && policy ? JSON.stringify(policy) : ''];
    for (const entry of audit) args.push(String(Math.floor(entry.atMs)), JSON.stringify(entry));
    for (const recovery of ended) args.push(String(Math.floor(recovery.endedAtMs ?? nowMs)), JSON.stringify(recovery));
    return this.connection.use((redis) => run<Reply>(redis, 'commit', [head, auditRows, policies, recoveries], args));
  }
}
