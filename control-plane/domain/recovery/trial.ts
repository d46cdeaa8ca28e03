import type { Feature } from '../../contract/policy.ts';
import { demand, failurePercent, outcomes, slowPercent } from '../counts.ts';
import type { Counts, FeatureRecovery, Reason } from '../model.ts';
import { quorumOf, rounded, VOTING_AGE_MS } from '../quorum.ts';
import { type FeatureSample, type ProxySample, sumWithout, worstProxy } from '../sample.ts';
import { isVoid, observedMs, type SampleTimes, WINDOWS_PER_VERDICT } from './stability.ts';

/** What a test of a feature says. inconclusive holds: it neither raises nor lowers (R7). */
export interface Verdict {
  readonly verdict: 'pass' | 'fail' | 'inconclusive';
  readonly reason: Reason;
  readonly failedPercent: number;
  readonly succeeded: number;
  /** What was seen so far is too old: gather anew. */
  readonly isVoid: boolean;
  /** Proxies that fail alone (R10). */
  readonly suspects: readonly string[];
}

/** Good samples with which a step without a failure passes under little traffic (R7). */
export const LOW_TRAFFIC_SAMPLES = 3;

interface Judged {
  readonly counts: Counts;
  readonly suspects: readonly string[];
}

/**
 * The attempt at the probes: passes with enough successes, fails when two proxies failed (or the only one that has requests, R10).
 * A proxy that fails while others succeed is a suspect.
 */
export function testProbes(sample: FeatureSample, feature: Feature, recovery: FeatureRecovery, nowMs: number): Verdict {
  const { probes, maxFailurePercent } = feature.recovery;
  const failing = sample.proxies.filter((each) => failurePercent(each.feature.sample) > maxFailurePercent);
  const suspects = failing.map((each) => each.node);
  const asked = sample.proxies.filter((each) => demand(each.feature.sinceStep) > 0).length;
  const seen = { failedPercent: rounded(failurePercent(sample.sample)), succeeded: sample.sample.succeeded };
  const numbers = { succeeded: sample.sample.succeeded, failed: sample.sample.failed, needed: probes, proxies: asked };
  if (failing.length > 0 && failing.length >= Math.min(2, asked)) {
    return { ...seen, verdict: 'fail', reason: { because: 'probes-failed', numbers }, isVoid: false, suspects: [] };
  }
  const good = sample.proxies.filter((each) => !failing.includes(each)).reduce((total, each) => total + each.feature.sample.succeeded, 0);
  if (good >= probes) return { ...seen, verdict: 'pass', reason: { because: 'probes-succeeded', numbers }, isVoid: false, suspects };
  const because = asked === 0 && isQuiet(sample, feature, recovery, nowMs) ? 'no-traffic' : 'too-few-probes';
  const isStale = isAttemptStale(sample, feature, recovery, nowMs);
  return { ...seen, verdict: 'inconclusive', reason: { because, numbers }, isVoid: isStale, suspects };
}

/** Outcomes too old to be added to, or none at all though there were requests: such an attempt begins anew (R6, R7). */
function isAttemptStale(sample: FeatureSample, feature: Feature, recovery: FeatureRecovery, nowMs: number): boolean {
  // A probe may hang until its timeout, and says nothing until then.
  const windowMs = Math.max(feature.health.windowMs, probeTimeoutMs(feature));
  const times = timesOf(sample, recovery, nowMs);
  if (times.outcomes > 0) return isVoid(times, windowMs);
  return nowMs - recovery.sampleFromMs > WINDOWS_PER_VERDICT * windowMs && demand(sample.window) > 0;
}

/** A probe without an outcome for this long will have none. */
export function probeTimeoutMs({ breaker, probe }: Feature): number {
  return Math.max(breaker.halfOpen.timeoutMs, probe?.request?.timeoutMs ?? 0);
}

/** The present step of the ramp (R7, R10, R11, R12). */
export function testStep(sample: FeatureSample, feature: Feature, recovery: FeatureRecovery, nowMs: number): Verdict {
  const times = timesOf(sample, recovery, nowMs);
  const seenMs = observedMs(times, recovery.stableMs);
  const tripped = trippedBecause(sample);
  if (tripped) return failed(tripped, sample.sample, []);
  const judged = withoutSuspect(sample, feature, seenMs, recovery.stableMs);
  const over = overBecause(judged.counts, feature);
  if (over) {
    const hasDoubt = judged.suspects.length > 0;
    return hasDoubt ? undecided({ ...over, because: 'one-proxy-fails' }, judged, false) : failed(over, judged.counts, []);
  }
  return passOrHold(judged, times, seenMs, feature, recovery.stableMs, isQuiet(sample, feature, recovery, nowMs));
}

function passOrHold(
  judged: Judged,
  times: SampleTimes,
  seenMs: number,
  feature: Feature,
  stableMs: number,
  hasNoTraffic: boolean,
): Verdict {
  const samples = outcomes(judged.counts);
  const needed = feature.recovery.minimumSamples;
  const failedPercent = rounded(failurePercent(judged.counts));
  const numbers = { samples, needed, failedPercent, observedMs: seenMs, stableMs };
  const passed = (because: string): Verdict => ({
    verdict: 'pass',
    reason: { because, numbers },
    failedPercent,
    succeeded: judged.counts.succeeded,
    isVoid: false,
    suspects: judged.suspects,
  });
  if (samples >= needed) return seenMs >= stableMs ? passed('stable') : undecided({ because: 'stabilising', numbers }, judged, false);
  const isOld = isVoid(times, stableMs);
  const isClean = seenMs >= WINDOWS_PER_VERDICT * stableMs && judged.counts.failed === 0 && !isOld;
  if (isClean && judged.counts.succeeded >= LOW_TRAFFIC_SAMPLES) return passed('low-traffic');
  return undecided({ because: samples === 0 && hasNoTraffic ? 'no-traffic' : 'too-few-samples', numbers }, judged, isOld);
}

/** Nobody asked for a whole window: only then is silence worth telling, the first report of a step is always late. */
function isQuiet(sample: FeatureSample, feature: Feature, recovery: FeatureRecovery, nowMs: number): boolean {
  const forMs = Math.max(feature.health.windowMs, WINDOWS_PER_VERDICT * sample.intervalMs);
  return nowMs - recovery.sampleFromMs >= forMs && demand(sample.window) === 0;
}

/** A quorum of local trips is a failed step (R11). */
function trippedBecause(sample: FeatureSample): Reason | null {
  const open = sample.proxies.filter((each) => each.feature.phase === 'OPEN' && each.proxy.uptimeMs >= VOTING_AGE_MS).length;
  const needed = quorumOf(sample.nodes);
  return open >= needed ? { because: 'breakers-open', numbers: { open, needed, proxies: sample.nodes } } : null;
}

/**
 * The sums to judge: without the worst proxy when the others alone are fine and have samples enough. While they have too few, it stays
 * in doubt for three windows who is wrong; after that the failures count.
 */
function withoutSuspect(sample: FeatureSample, feature: Feature, seenMs: number, stableMs: number): Judged {
  const all = { counts: sample.sample, suspects: [] };
  if (!overBecause(sample.sample, feature)) return all;
  const witnesses = sample.proxies.filter((each) => outcomes(each.feature.sample) > 0);
  const worst = worstProxy(witnesses, sampleOf);
  if (!worst) return all;
  const rest = sumWithout(witnesses, worst, sampleOf);
  if (overBecause(rest, feature)) return all;
  if (outcomes(rest) >= feature.recovery.minimumSamples) return { counts: rest, suspects: [worst.node] };
  return seenMs < WINDOWS_PER_VERDICT * stableMs ? { counts: sample.sample, suspects: [worst.node] } : all;
}

/** Why these counts fail: already as soon as no further success could mend the rate of the samples that the step needs. */
function overBecause(counts: Counts, feature: Feature): Reason | null {
  const { minimumSamples, maxFailurePercent } = feature.recovery;
  const samples = outcomes(counts);
  const allowed = (maxFailurePercent / 100) * Math.max(minimumSamples, samples);
  const observedPercent = rounded(failurePercent(counts));
  if (counts.failed > allowed) return { because: 'failure-rate', numbers: { observedPercent, limitPercent: maxFailurePercent, samples } };
  if (feature.failure.slowMs === undefined || samples < minimumSamples) return null;
  const limitPercent = feature.breaker.slowRatePercent;
  const slow = rounded(slowPercent(counts));
  return slow >= limitPercent ? { because: 'slow-rate', numbers: { observedPercent: slow, limitPercent, samples } } : null;
}

function failed(reason: Reason, counts: Counts, suspects: readonly string[]): Verdict {
  return { ...figures(counts), verdict: 'fail', reason, isVoid: false, suspects };
}

function undecided(reason: Reason, { counts, suspects }: Judged, gatherAnew: boolean): Verdict {
  return { ...figures(counts), verdict: 'inconclusive', reason, isVoid: gatherAnew, suspects };
}

function figures(counts: Counts): Pick<Verdict, 'failedPercent' | 'succeeded'> {
  return { failedPercent: rounded(failurePercent(counts)), succeeded: counts.succeeded };
}

function timesOf(sample: FeatureSample, recovery: FeatureRecovery, nowMs: number): SampleTimes {
  return {
    nowMs,
    fromMs: recovery.sampleFromMs,
    outcomes: outcomes(sample.sample),
    firstAgeMs: sample.firstSampleAgeMs,
    lastAgeMs: sample.lastSampleAgeMs,
    intervalMs: sample.intervalMs,
  };
}

function sampleOf(each: ProxySample): Counts {
  return each.feature.sample;
}
