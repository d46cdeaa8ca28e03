import type { Feature } from '../contract/policy.ts';
import type { FeatureRecord } from './model.ts';
import type { PermitHolder } from './permit-holder.ts';

/** Shortest term of a permit in ms; longer where reports are rare, so that a rare request meets one. */
const SHORTEST_TTL_MS = 5000;
const TTL_INTERVALS = 3;
/** Proxies over which an attempt is spread, if there are as many (R8). */
const SPREAD = 3;

/** The ledger of one feature's probes at one step. */
export interface FeatureLedger {
  readonly step: number;
  readonly group: string;
  readonly holders: Map<string, PermitHolder>;
  attemptFromMs: number;
}

/** A proxy that a reply may give permits of one feature. */
export interface Asking {
  readonly feature: Feature;
  readonly record: FeatureRecord;
  readonly ledger: FeatureLedger;
  readonly holder: PermitHolder;
  readonly intervalMs: number;
  readonly nowMs: number;
}

/** Probes that the attempt still needs from this proxy, spread over three proxies where there are as many that can probe. */
export function wanted({ feature, ledger, holder, intervalMs, nowMs }: Asking): number {
  const asking = [...ledger.holders.values()].filter((each) => canProbe(each, feature, intervalMs, nowMs));
  if (!asking.includes(holder) || !isAmongLatest(holder, asking)) return 0;
  const { probes, maxFailurePercent } = feature.recovery;
  if (holder.isFailing(maxFailurePercent) && asking.some((each) => !each.isFailing(maxFailurePercent))) return 0;
  const over = Math.min(SPREAD, asking.length);
  const out = asking.reduce((total, each) => total + each.outstanding(nowMs), 0);
  const succeeded = asking.reduce((total, each) => total + each.successes(maxFailurePercent), 0);
  const needed = Math.max(probes, over) - succeeded - out;
  const share = Math.ceil(probes / over);
  const othersHadTheirTurn = nowMs - ledger.attemptFromMs > TTL_INTERVALS * intervalMs;
  const turn = share - (othersHadTheirTurn ? holder.outstanding(nowMs) : holder.grantedInAttempt);
  return Math.max(0, Math.min(needed, turn));
}

/** It has requests, or may send one by itself, if it is still there (R7). */
function canProbe(holder: PermitHolder, { probe }: Feature, intervalMs: number, nowMs: number): boolean {
  return holder.demandAtMs !== null || (probe !== undefined && nowMs - holder.seenAtMs <= ttlMs(intervalMs));
}

/** A proxy that saw its last request long ago must not sit on permits that another has requests for. */
function isAmongLatest(holder: PermitHolder, asking: readonly PermitHolder[]): boolean {
  const later = asking.filter((each) => (each.demandAtMs ?? 0) > (holder.demandAtMs ?? 0)).length;
  return later < SPREAD;
}

/** Term of a permit in ms. */
export function ttlMs(intervalMs: number): number {
  return Math.max(SHORTEST_TTL_MS, TTL_INTERVALS * intervalMs);
}
