import type { FeatureHealth } from '../contract/names.ts';
import type { Feature } from '../contract/policy.ts';
import { failurePercent, outcomes, slowPercent } from './counts.ts';
import { isSick } from './feature.ts';
import type { Counts, FeatureRecord, Reason } from './model.ts';
import { type QuorumVerdict, rounded } from './quorum.ts';
import { type FeatureSample, sumWithout, worstProxy } from './sample.ts';

export interface HealthVerdict {
  readonly health: FeatureHealth;
  readonly reason: Reason;
  /** Since when the last judgement is kept for want of samples; null: judged by the present window. */
  readonly keptSinceMs: number | null;
}

/** A judgement that nothing has confirmed for this many windows is void (R7). */
const WINDOWS_UNTIL_VOID = 3;

/**
 * Judges a feature by what the whole fleet saw in its window (R4, R9, R10).
 * A single proxy whose absence would better the verdict is left out and named as a suspect: it is that proxy's trouble.
 * Too few samples never change a judgement; only an ENABLED feature's bad one becomes UNKNOWN once it is void, since nothing will
 * disprove it and it would hold up dependants for ever.
 */
export function judgeHealth(
  record: FeatureRecord,
  feature: Feature,
  sample: FeatureSample,
  quorum: QuorumVerdict,
  nowMs: number,
): HealthVerdict {
  if (quorum.open) return { health: 'UNHEALTHY', reason: quorum.reason, keptSinceMs: null };
  const { counts, suspect } = fairWindow(sample, feature, record.health);
  const samples = outcomes(counts);
  const needed = feature.health.minimumRequests;
  if (samples < needed) return kept(record, feature, { samples, needed }, nowMs);
  const verdict = byRates(counts, feature, record.health);
  const reason = suspect === null ? verdict.reason : { ...verdict.reason, numbers: { ...verdict.reason.numbers, suspect } };
  return { health: verdict.health, reason, keptSinceMs: null };
}

function kept(record: FeatureRecord, feature: Feature, has: { samples: number; needed: number }, nowMs: number): HealthVerdict {
  if (record.health === 'UNKNOWN') return { health: 'UNKNOWN', reason: { because: 'too-few-samples', numbers: has }, keptSinceMs: null };
  const since = record.healthKeptSinceMs ?? nowMs;
  const keptMs = nowMs - since;
  const numbers = { ...has, health: record.health, ...(isSick(record.health) ? { keptMs } : {}) };
  const isVoid = keptMs > WINDOWS_UNTIL_VOID * feature.health.windowMs;
  if (isVoid && isSick(record.health) && record.state === 'ENABLED') {
    return { health: 'UNKNOWN', reason: { because: 'evidence-void', numbers }, keptSinceMs: null };
  }
  return { health: record.health, reason: { because: 'too-few-samples', numbers }, keptSinceMs: since };
}

/** The window of all proxies, or without the worst one where that alone makes the difference. */
function fairWindow(sample: FeatureSample, feature: Feature, before: FeatureHealth): { counts: Counts; suspect: string | null } {
  const worst = worstProxy(sample.proxies, (each) => each.feature.window);
  if (!worst) return { counts: sample.window, suspect: null };
  const rest = sumWithout(sample.proxies, worst, (each) => each.feature.window);
  const enough = outcomes(rest) >= feature.health.minimumRequests;
  const better =
    enough && byRates(sample.window, feature, before).health !== 'HEALTHY' && byRates(rest, feature, before).health === 'HEALTHY';
  return better ? { counts: rest, suspect: worst.node } : { counts: sample.window, suspect: null };
}

function byRates(counts: Counts, feature: Feature, before: FeatureHealth): { health: FeatureHealth; reason: Reason } {
  const { unhealthyPercent, degradedPercent, hysteresisPercent } = feature.health;
  const observed = failurePercent(counts);
  const samples = outcomes(counts);
  const reason = (because: string, observedPercent: number, limitPercent: number): Reason => ({
    because,
    numbers: { observedPercent: rounded(observedPercent), limitPercent, samples },
  });
  const unhealthyFrom = limitFor(unhealthyPercent, hysteresisPercent, before === 'UNHEALTHY');
  if (observed >= unhealthyFrom) return { health: 'UNHEALTHY', reason: reason('failure-rate', observed, unhealthyFrom) };
  const degradedFrom = limitFor(degradedPercent, hysteresisPercent, isSick(before));
  if (observed >= degradedFrom) return { health: 'DEGRADED', reason: reason('failure-rate', observed, degradedFrom) };
  const slow = slowPercent(counts);
  const slowFrom = limitFor(feature.breaker.slowRatePercent, hysteresisPercent, isSick(before));
  if (feature.failure.slowMs !== undefined && slow >= slowFrom) {
    return { health: 'DEGRADED', reason: reason('slow-rate', slow, slowFrom) };
  }
  return { health: 'HEALTHY', reason: reason('within-limits', observed, degradedFrom) };
}

/** A verdict is left only well below the limit that led to it; never less than half of it, or a low limit could not be left at all. */
function limitFor(limitPercent: number, hysteresisPercent: number, isLeaving: boolean): number {
  return isLeaving ? Math.max(limitPercent - hysteresisPercent, limitPercent / 2) : limitPercent;
}
