import { DocumentReader, isRefused } from '../../../control-plane/contract/documents.ts';
import { Policy } from '../../../control-plane/contract/policy.ts';
import type { Recovery, ServiceState } from '../../../control-plane/domain/model.ts';
import type { AuditEntry, Commit, SharedCopy, Stored } from '../../../control-plane/store/store.ts';

const reader = new DocumentReader(Policy);

/** A policy of these features with every default filled in. */
export function policyOf(service: string, ...features: string[]): Policy {
  const read = reader.read({ service, features: features.map((name) => ({ name, routes: [{ path: { prefix: `/${name}` } }] })) });
  if (isRefused(read)) throw new Error(JSON.stringify(read.problems));
  return read.value;
}

export function stateOf(service: string, changes: Partial<ServiceState> = {}): ServiceState {
  return {
    service,
    policy: policyOf(service, 'catalog'),
    revision: 1,
    policyRevision: 1,
    version: 1,
    features: {},
    recovery: null,
    nodes: [],
    released: false,
    ...changes,
  };
}

export function recoveryOf(service: string, id: string, changes: Partial<Recovery> = {}): Recovery {
  return {
    id,
    service,
    startedAtMs: 1000,
    endedAtMs: 2000,
    startedBy: 'fleet',
    result: 'recovered',
    plan: [['catalog']],
    timeline: [],
    pauses: [],
    interventions: 0,
    ...changes,
  };
}

export function entryOf(action: string): AuditEntry {
  return { atMs: 1000, actor: 'recovery', action, reason: { because: 'failure-rate', numbers: { observedPercent: 60 } }, revision: 1 };
}

export function commitOf(expectedVersion: number, next: Stored, changes: Partial<Commit> = {}): Commit {
  return { expectedVersion, next, audit: [], ended: [], nowMs: 1000, ...changes };
}

/** A copy of so many bytes that is stored at 1000 and expires at 61,000. */
export function copyOf(size: number, changes: Partial<SharedCopy> = {}): SharedCopy {
  const bytes = Uint8Array.from({ length: size }, (_, i) => i & 0xff);
  return { bytes, checksum: 0xfedc_ba98, storedAtMs: 1000, expiresAtMs: 61_000, ...changes };
}
