import type { Feature } from '../contract/policy.ts';
import { addTo, demand, newTally, outcomes } from './counts.ts';
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

const indexes = new WeakMap<Evidence, ReadonlyMap<string, readonly ProxySample[]>>();

/** What each feature's proxies show, at any step. Evidence never changes in place, so this is sorted once for each. */
export function shownByFeature(evidence: Evidence): ReadonlyMap<string, readonly ProxySample[]> {
  let index = indexes.get(evidence);
  if (!index) {
    index = sortedByFeature(evidence);
    indexes.set(evidence, index);
  }
  return index;
}

function sortedByFeature(evidence: Evidence): ReadonlyMap<string, readonly ProxySample[]> {
  const index = new Map<string, ProxySample[]>();
  for (const proxy of evidence.proxies) {
    for (const name in proxy.features) {
      const sample = { node: proxy.node, proxy, feature: proxy.features[name]! };
      const known = index.get(name);
      if (known) known.push(sample);
      else index.set(name, [sample]);
    }
  }
  return index;
}

/** Gathers what counts for a feature now: only what was seen within its present step (R9). */
export function gather(evidence: Evidence, record: FeatureRecord, feature: Feature, nowMs: number): FeatureSample {
  const proxies = (shownByFeature(evidence).get(record.name) ?? []).filter((each) => each.feature.step === record.step);
  const [window, sinceStep, sample] = [newTally(), newTally(), newTally()];
  let firstSampleAgeMs: number | null = null;
  let lastSampleAgeMs: number | null = null;
  let intervalMs = 0;
  for (const { proxy, feature: shown } of proxies) {
    addTo(window, shown.window);
    addTo(sinceStep, shown.sinceStep);
    addTo(sample, shown.sample);
    intervalMs = Math.max(intervalMs, proxy.intervalMs);
    if (shown.firstSampleAgeMs !== null) firstSampleAgeMs = Math.max(firstSampleAgeMs ?? 0, shown.firstSampleAgeMs);
    if (shown.lastSampleAgeMs !== null) lastSampleAgeMs = Math.min(lastSampleAgeMs ?? shown.lastSampleAgeMs, shown.lastSampleAgeMs);
  }
  const stepAgeMs = Math.max(1, nowMs - record.sinceMs);
  const { windowMs } = feature.health;
  // Proxies that probe by themselves need no clients: whether any are left shows in what was refused of late, not in permits that were used.
  const isAskedFor = record.state !== 'DISABLED' || feature.probe === undefined;
  return {
    nodes: evidence.proxies.length,
    proxies,
    window,
    sample,
    latencyMs: record.recovery ? meanOf(proxies) : null, // nobody asks otherwise
    demandPerMs: isAskedFor ? demandPerMs(window, sinceStep, stepAgeMs, windowMs) : window.refused / Math.min(stepAgeMs, windowMs),
    firstSampleAgeMs,
    lastSampleAgeMs,
    intervalMs,
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
  const total = newTally();
  for (const each of proxies) if (each !== left) addTo(total, countsOf(each));
  return total;
}
