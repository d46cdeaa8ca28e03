import type { Feature } from '../contract/policy.ts';
import { demand, outcomes, sum } from './counts.ts';
import { meanLatencyMs, plusLatency } from './latency.ts';
import type { Counts, Evidence, FeatureEvidence, FeatureRecord, ProxyEvidence } from './model.ts';

/** What one proxy shows of one feature within the present step. */
export interface ProxySample {
  readonly node: string;
  readonly proxy: ProxyEvidence;
  readonly feature: FeatureEvidence;
}

/** What the fleet shows of one feature within the present step. */
export interface FeatureSample {
  /** Nodes that report, whether they saw this feature or not. */
  readonly nodes: number;
  readonly proxies: readonly ProxySample[];
  readonly window: Counts;
  readonly sample: Counts;
  /** Mean latency of `sample`; null: not known. */
  readonly latencyMs: number | null;
  /** Requests a millisecond that wanted to reach the upstream. */
  readonly demandPerMs: number;
  /** Ages of the first and the last report with an outcome in `sample`. */
  readonly firstSampleAgeMs: number | null;
  readonly lastSampleAgeMs: number | null;
  /** Longest report interval of these proxies. */
  readonly intervalMs: number;
}

/** Gathers what counts for a feature now: only what was seen within its present step (R9). */
export function gather(evidence: Evidence, record: FeatureRecord, feature: Feature, nowMs: number): FeatureSample {
  const proxies: ProxySample[] = [];
  for (const proxy of evidence.proxies) {
    const shown = proxy.features[record.name];
    if (shown && shown.step === record.step) proxies.push({ node: proxy.node, proxy, feature: shown });
  }
  const window = sum(proxies.map((each) => each.feature.window));
  const sinceStep = sum(proxies.map((each) => each.feature.sinceStep));
  return {
    nodes: evidence.proxies.length,
    proxies,
    window,
    sample: sum(proxies.map((each) => each.feature.sample)),
    latencyMs: record.recovery ? meanOf(proxies) : null, // nobody asks otherwise
    demandPerMs: demandPerMs(window, sinceStep, Math.max(1, nowMs - record.sinceMs), feature.health.windowMs),
    firstSampleAgeMs: extreme(
      proxies.map((each) => each.feature.firstSampleAgeMs),
      Math.max,
    ),
    lastSampleAgeMs: extreme(
      proxies.map((each) => each.feature.lastSampleAgeMs),
      Math.min,
    ),
    intervalMs: Math.max(0, ...proxies.map((each) => each.proxy.intervalMs)),
  };
}

function meanOf(proxies: readonly ProxySample[]): number | null {
  return meanLatencyMs(proxies.reduce((total: readonly number[], each) => plusLatency(total, each.feature.sampleLatency), []));
}

/** Fewer requests than this in a window say nothing of the rate. */
const TELLING_REQUESTS = 5;

/** By the window when it saw enough, else over the whole step: a request a minute leaves most windows empty. */
function demandPerMs(window: Counts, sinceStep: Counts, stepAgeMs: number, windowMs: number): number {
  const seen = demand(window);
  return seen >= TELLING_REQUESTS ? seen / Math.min(stepAgeMs, windowMs) : demand(sinceStep) / stepAgeMs;
}

function extreme(ages: readonly (number | null)[], choose: (...values: number[]) => number): number | null {
  const known = ages.filter((age) => age !== null);
  return known.length === 0 ? null : choose(...known);
}

/** The proxy whose failures weigh most; null without a failure or with a single proxy. */
export function worstProxy(proxies: readonly ProxySample[], countsOf: (each: ProxySample) => Counts): ProxySample | null {
  if (proxies.length < 2) return null;
  const worst = proxies.reduce((a, b) => (isWorse(countsOf(b), countsOf(a)) ? b : a));
  return countsOf(worst).failed > 0 ? worst : null;
}

function isWorse(a: Counts, b: Counts): boolean {
  return a.failed !== b.failed ? a.failed > b.failed : outcomes(a) < outcomes(b);
}

/** Sums without one proxy. */
export function sumWithout(proxies: readonly ProxySample[], left: ProxySample, countsOf: (each: ProxySample) => Counts): Counts {
  return sum(proxies.filter((each) => each !== left).map(countsOf));
}
