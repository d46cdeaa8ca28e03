import type { BreakerPhase } from '../contract/names.ts';
import type { Report } from '../contract/report.ts';
import { demand, NO_COUNTS, plus } from './counts.ts';
import type { FeatureTrack } from './evidence-track.ts';

/** One feature over the whole fleet, in numbers a second. */
export interface FeatureView {
  readonly requestsPerSecond: number;
  readonly admittedPerSecond: number;
  readonly failedPerSecond: number;
  readonly degradedPerSecond: { readonly stale: number; readonly cluster: number; readonly static: number };
  /** Proxies per breaker phase. */
  readonly phases: Readonly<Partial<Record<BreakerPhase, number>>>;
}

/** One node, by its newest instance. */
export interface ProxyView {
  readonly node: string;
  readonly instance: string;
  readonly uptimeMs: number;
  readonly lastReportAgeMs: number;
  readonly intervalMs: number;
  readonly governed: boolean;
  readonly version: string;
  /** Revision of the directive that it holds; null: none. */
  readonly revision: number | null;
  readonly rejected: { readonly count: number; readonly revision: number; readonly reason: string } | null;
  readonly phases: Readonly<Record<string, BreakerPhase>>;
}

export interface FleetView {
  readonly proxies: readonly ProxyView[];
  readonly features: Readonly<Record<string, FeatureView>>;
}

/** What the view needs of an instance. */
export interface Speaker {
  readonly node: string;
  readonly instance: string;
  readonly tracks: ReadonlyMap<string, FeatureTrack>;
  readonly report: Report;
  readonly lastReportMs: number;
}

/** Rates are taken over `rateWindowMs`. */
export function viewOf(speakers: readonly Speaker[], features: readonly string[], nowMs: number, rateWindowMs: number): FleetView {
  return {
    proxies: speakers.map((speaker) => proxyView(speaker, nowMs)),
    features: Object.fromEntries(features.map((name) => [name, featureView(speakers, name, nowMs, rateWindowMs)])),
  };
}

function proxyView({ node, instance, tracks, report, lastReportMs }: Speaker, nowMs: number): ProxyView {
  return {
    node,
    instance,
    uptimeMs: report.uptimeMs + nowMs - lastReportMs,
    lastReportAgeMs: nowMs - lastReportMs,
    intervalMs: report.intervalMs,
    governed: report.governed,
    version: report.version,
    revision: report.revision ?? null,
    rejected: report.rejected ?? null,
    phases: Object.fromEntries([...tracks].map(([name, track]) => [name, track.currentPhase])),
  };
}

function featureView(speakers: readonly Speaker[], name: string, nowMs: number, rateWindowMs: number): FeatureView {
  const phases: Partial<Record<BreakerPhase, number>> = {};
  const degraded = { stale: 0, cluster: 0, static: 0 };
  let counts = NO_COUNTS;
  for (const speaker of speakers) {
    const track = speaker.tracks.get(name);
    if (!track) continue;
    phases[track.currentPhase] = (phases[track.currentPhase] ?? 0) + 1;
    const recent = track.recent(nowMs, rateWindowMs);
    counts = plus(counts, recent.counts);
    degraded.stale += recent.degraded.stale;
    degraded.cluster += recent.degraded.cluster;
    degraded.static += recent.degraded.static;
  }
  const perSecond = (count: number) => (1000 * count) / rateWindowMs;
  return {
    requestsPerSecond: perSecond(demand(counts)),
    admittedPerSecond: perSecond(counts.admitted),
    failedPerSecond: perSecond(counts.failed),
    degradedPerSecond: { stale: perSecond(degraded.stale), cluster: perSecond(degraded.cluster), static: perSecond(degraded.static) },
    phases,
  };
}
