import type { Feature } from '../contract/policy.ts';
import { failurePercent, outcomes } from './counts.ts';
import type { Counts, Reason } from './model.ts';
import { type FeatureSample, type ProxySample, sumWithout, worstProxy } from './sample.ts';

/** Younger proxies have no say: they saw too little, and a rolling restart is no outage (R10). */
export const VOTING_AGE_MS = 10_000;

export interface QuorumVerdict {
  readonly open: boolean;
  readonly reason: Reason;
  /** Proxies that fail while the fleet does not. */
  readonly suspects: readonly string[];
}

/** Votes that a decision of the fleet needs among `nodes` proxies. */
export function quorumOf(nodes: number): number {
  return nodes <= 1 ? 1 : Math.max(2, Math.ceil(nodes / 2));
}

/** Whether the fleet opens a feature: enough breakers are OPEN, or the window fails even without its worst proxy (R10). */
export function fleetOpens(sample: FeatureSample, feature: Feature): QuorumVerdict {
  const voters = sample.proxies.filter((each) => mayVote(each, feature));
  const open = voters.filter((each) => each.feature.phase === 'OPEN');
  const needed = quorumOf(sample.nodes);
  const votes = { open: open.length, needed, voters: voters.length, proxies: sample.nodes };
  if (open.length >= needed) return { open: true, reason: { because: 'breakers-open', numbers: votes }, suspects: [] };
  const failing = failsWithoutWorst(voters, feature);
  if (failing) return { open: true, reason: failing, suspects: [] };
  return { open: false, reason: { because: 'no-quorum', numbers: votes }, suspects: suspectsAmong(voters, feature) };
}

function mayVote(each: ProxySample, feature: Feature): boolean {
  if (each.proxy.uptimeMs < VOTING_AGE_MS) return false;
  return each.feature.phase === 'OPEN' || outcomes(each.feature.window) >= feature.health.minimumRequests;
}

function failsWithoutWorst(voters: readonly ProxySample[], feature: Feature): Reason | null {
  const worst = worstProxy(voters, windowOf);
  if (!worst) return null;
  const rest = sumWithout(voters, worst, windowOf);
  if (!isFailing(rest, feature)) return null;
  const observedPercent = rounded(failurePercent(rest));
  return {
    because: 'failure-rate',
    numbers: { observedPercent, limitPercent: feature.health.unhealthyPercent, samples: outcomes(rest), worst: worst.node },
  };
}

function isFailing(counts: Counts, feature: Feature): boolean {
  return outcomes(counts) >= feature.health.minimumRequests && failurePercent(counts) >= feature.health.unhealthyPercent;
}

function suspectsAmong(voters: readonly ProxySample[], feature: Feature): string[] {
  return voters.filter((each) => each.feature.phase === 'OPEN' || isFailing(each.feature.window, feature)).map((each) => each.node);
}

function windowOf(each: ProxySample): Counts {
  return each.feature.window;
}

/** One decimal is enough for people and keeps records short. */
export function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
