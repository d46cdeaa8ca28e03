import { ACCESS_AUDIT } from '../store.ts';

/** Keys of one service: all in one slot of a cluster, so that one script may touch them. */
export interface ServiceKeys {
  /** Hash: `state` without its policy, its `version` and `policyRevision`; `lineage` and `fence` that a write must have; lineage of
   * what was `written` last; last numbers. */
  readonly head: string;
  /** Sorted by sequence, as rows. */
  readonly audit: string;
  /** Hash: `through` and `state`. */
  readonly snapshot: string;
  /** Sorted by revision, as rows. */
  readonly policies: string;
  /** Ended ones, sorted by order of ending, as rows. */
  readonly recoveries: string;
  /** Hash: bytes by key. */
  readonly copies: string;
  /** Keys of copies, sorted by expiry. */
  readonly copyExpiries: string;
  /** Bytes of all copies. */
  readonly copyBytes: string;
}

/** Where everything lies in Redis; nothing else builds a key. What is between braces decides the slot. */
export const KEY_PREFIX = 'rekindle:';

const fleet = (name: string) => `${KEY_PREFIX}{fleet}:${name}`;

export const FLEET_KEYS = {
  format: fleet('format'),
  lineage: fleet('lineage'),
  /** Set of the names of all services, tombstones included. */
  services: fleet('services'),
  /** Holder of the lead; expires with the lease. */
  leader: fleet('leader'),
  /** Of the last leader's fence. */
  counter: fleet('counter'),
  announced: fleet('announced'),
  /** Hash: record by id. */
  tokens: fleet('tokens'),
  /** Hash: `changes` of the tokens, and the last `sequence` of their audit. */
  access: fleet('access'),
  accessAudit: fleet('access-audit'),
  accessSnapshot: fleet('access-snapshot'),
  /** There while a backup is being restored. */
  restoring: fleet('restoring'),
  check: fleet('check'),
} as const;

export function serviceKeys(service: string): ServiceKeys {
  const key = (name: string) => `${KEY_PREFIX}{service:${service}}:${name}`;
  return {
    head: key('head'),
    audit: key('audit'),
    snapshot: key('snapshot'),
    policies: key('policies'),
    recoveries: key('recoveries'),
    copies: key('copies'),
    copyExpiries: key('copy-expiries'),
    copyBytes: key('copy-bytes'),
  };
}

/** The audit of a service, or that of the tokens. */
export function auditKeys(service: string): { readonly audit: string; readonly snapshot: string } {
  return service === ACCESS_AUDIT ? { audit: FLEET_KEYS.accessAudit, snapshot: FLEET_KEYS.accessSnapshot } : serviceKeys(service);
}

/** Of the bus: channels know no databases, so their names tell which one. */
export function channelPrefix(database: number): string {
  return `${KEY_PREFIX}${database}:`;
}
