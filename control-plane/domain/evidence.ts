import type { Policy } from '../contract/policy.ts';
import type { Report } from '../contract/report.ts';
import { livelyFeatures } from './at-rest.ts';
import type { FeatureDelta } from './evidence-delta.ts';
import { FeatureTrack } from './evidence-track.ts';
import { type FleetView, viewOf } from './evidence-view.ts';
import type { Evidence, FeatureEvidence, ProxyEvidence, ServiceState } from './model.ts';

export interface Recorded {
  /** refused: more nodes than the book holds. */
  readonly status: 'accepted' | 'duplicate' | 'refused';
  readonly deltas: readonly FeatureDelta[];
  /** Had it come later than this after the one before it, it would have been late. */
  readonly silentAfterMs: number;
}

/** What tells the order of an instance's reports. */
export type Numbered = Pick<Report, 'sequence' | 'uptimeMs'>;

/** What the book knows of one Envoy process. */
export interface Instance {
  readonly node: string;
  readonly instance: string;
  readonly startedAtMs: number;
  /** Its counters were seen from their beginning. */
  readonly fromStart: boolean;
  /** Revision that it held at first sight: a step above it began under our eyes. */
  readonly firstRevision: number;
  readonly tracks: Map<string, FeatureTrack>;
  /** Those of the tracks that are not at rest. */
  readonly awake: Set<FeatureTrack>;
  report: Report;
  lastReportMs: number;
  reports: number;
  ungovernedMs: number | null;
}

/** Reports of one proxy further apart than this many intervals carry no evidence; silent for as long, it leaves (R9, R10). */
export const INTERVALS_APART = 3;
/** Shorter intervals are taken as this: a hiccup of the network must not make a proxy leave. */
export const SHORTEST_INTERVAL_MS = 1000;
const MAX_NODES = 20_000;
const MAX_INSTANCES_PER_NODE = 4;
/** Baselines of silent instances are kept for this long. */
const FORGET_AFTER_MS = 600_000;
/** Windows are judged over at most this time, whatever the policy says, so that memory stays bounded. */
const LONGEST_WINDOW_MS = 600_000;
/** People look at rates over this time. */
const RATE_WINDOW_MS = 5000;

/** All that the proxies of one service told, in memory: nothing here survives a restart, nor needs to (R16). */
export class EvidenceBook {
  private readonly nodes = new Map<string, Map<string, Instance>>();
  private windows: ReadonlyMap<string, number>;
  private policy: Policy;

  constructor(policy: Policy) {
    this.policy = policy;
    this.windows = windowsOf(policy);
  }

  /** Takes a report; a repeated or overtaken one changes nothing. */
  record(report: Report, nowMs: number): Recorded {
    const known = this.nodes.get(report.node)?.get(report.instance);
    if (known && !isNewer(report, known.report)) return { status: 'duplicate', deltas: [], silentAfterMs: 0 };
    const instance = known ?? this.welcome(report, nowMs);
    if (!instance) return { status: 'refused', deltas: [], silentAfterMs: 0 };
    const silentMs = silentAfterMs(instance);
    const late = known !== undefined && nowMs - known.lastReportMs > silentMs;
    const deltas = this.absorb(instance, report, nowMs, late);
    instance.report = report;
    instance.lastReportMs = nowMs;
    instance.reports++;
    if (!report.governed) instance.ungovernedMs = nowMs;
    return { status: 'accepted', deltas, silentAfterMs: silentMs };
  }

  /** What the fleet shows at this moment, with steps, windows and marks as the state names them. */
  evidence(state: ServiceState, nowMs: number): Evidence {
    this.follow(state.policy);
    this.forget(nowMs);
    return { proxies: this.speakers(nowMs).map((instance) => this.proxyEvidence(instance, state, nowMs)) };
  }

  /** Rates and phases for people. */
  view(nowMs: number): FleetView {
    return viewOf(this.speakers(nowMs), [...this.windows.keys()], nowMs, RATE_WINDOW_MS);
  }

  /** Proxies whose reports come in time. */
  countProxies(nowMs: number): number {
    return this.speakers(nowMs).length;
  }

  private follow(policy: Policy): void {
    if (policy === this.policy) return;
    this.policy = policy;
    this.windows = windowsOf(policy);
    for (const instance of this.instances()) {
      for (const [feature, track] of instance.tracks) {
        if (this.windows.has(feature)) continue;
        instance.tracks.delete(feature);
        instance.awake.delete(track);
      }
    }
  }

  private welcome(report: Report, nowMs: number): Instance | null {
    let instances = this.nodes.get(report.node);
    if (!instances) {
      if (this.nodes.size >= MAX_NODES) this.forget(nowMs);
      if (this.nodes.size >= MAX_NODES) return null;
      instances = new Map();
      this.nodes.set(report.node, instances);
    }
    if (instances.size >= MAX_INSTANCES_PER_NODE) dropQuietest(instances);
    const instance: Instance = {
      node: report.node,
      instance: report.instance,
      startedAtMs: nowMs - report.uptimeMs,
      fromStart: report.sequence === 1 && report.uptimeMs <= INTERVALS_APART * Math.max(report.intervalMs, SHORTEST_INTERVAL_MS),
      firstRevision: report.revision ?? Number.MAX_SAFE_INTEGER,
      tracks: new Map(),
      awake: new Set(),
      report,
      lastReportMs: nowMs,
      reports: 0,
      ungovernedMs: null,
    };
    instances.set(report.instance, instance);
    return instance;
  }

  private absorb(instance: Instance, report: Report, nowMs: number, late: boolean): FeatureDelta[] {
    const deltas: FeatureDelta[] = [];
    for (const feature of report.features) {
      const windowMs = this.windows.get(feature.feature);
      if (windowMs === undefined) continue; // of another policy than ours
      let track = instance.tracks.get(feature.feature);
      if (track) {
        const delta = track.absorb(feature, nowMs, late);
        track.prune(nowMs, Math.max(windowMs, RATE_WINDOW_MS));
        if (delta) deltas.push(delta);
      } else if (instance.fromStart || (instance.reports > 0 && feature.step > instance.firstRevision)) {
        const first = FeatureTrack.fromZero(feature, nowMs, late);
        track = first.track;
        instance.tracks.set(feature.feature, track);
        deltas.push(first.delta);
      } else {
        track = new FeatureTrack(feature);
        instance.tracks.set(feature.feature, track);
      }
      if (!track.isAtRest) instance.awake.add(track);
    }
    return deltas;
  }

  private proxyEvidence(instance: Instance, state: ServiceState, nowMs: number): ProxyEvidence {
    return {
      node: instance.node,
      instance: instance.instance,
      uptimeMs: instance.report.uptimeMs + nowMs - instance.lastReportMs,
      lastReportAgeMs: nowMs - instance.lastReportMs,
      intervalMs: instance.report.intervalMs,
      reportsSinceStart: instance.reports,
      governed: instance.report.governed,
      ungovernedAgeMs: instance.ungovernedMs === null ? null : nowMs - instance.ungovernedMs,
      features: this.featureEvidence(instance, state, nowMs),
    };
  }

  /** Of the tracks that are not at rest, and of the features that are looked at in any case. */
  private featureEvidence({ tracks, awake }: Instance, state: ServiceState, nowMs: number): Record<string, FeatureEvidence> {
    const features: Record<string, FeatureEvidence> = {};
    const tell = (track: FeatureTrack) => {
      const sampleFromMs = state.features[track.feature]?.recovery?.sampleFromMs ?? null;
      features[track.feature] = track.evidence(nowMs, this.windows.get(track.feature)!, sampleFromMs);
    };
    for (const track of awake) {
      track.prune(nowMs, Math.max(this.windows.get(track.feature)!, RATE_WINDOW_MS));
      if (track.isAtRest) awake.delete(track);
      else tell(track);
    }
    for (const name of livelyFeatures(state)) {
      const track = tracks.get(name);
      if (track && !awake.has(track)) tell(track);
    }
    return features;
  }

  /** Per node the newest instance that still reports. */
  private speakers(nowMs: number): Instance[] {
    const speakers: Instance[] = [];
    for (const instances of this.nodes.values()) {
      let newest: Instance | null = null;
      for (const instance of instances.values()) {
        if (nowMs - instance.lastReportMs > silentAfterMs(instance)) continue;
        if (!newest || instance.startedAtMs > newest.startedAtMs) newest = instance;
      }
      if (newest) speakers.push(newest);
    }
    return speakers;
  }

  private forget(nowMs: number): void {
    for (const [node, instances] of this.nodes) {
      for (const [id, instance] of instances) if (nowMs - instance.lastReportMs > FORGET_AFTER_MS) instances.delete(id);
      if (instances.size === 0) this.nodes.delete(node);
    }
  }

  private *instances(): Iterable<Instance> {
    for (const instances of this.nodes.values()) yield* instances.values();
  }
}

/** Time without a report after which this instance no longer counts. */
function silentAfterMs(instance: Instance): number {
  return INTERVALS_APART * Math.max(instance.report.intervalMs, SHORTEST_INTERVAL_MS);
}

/** A lower sequence with a longer uptime: the numbering began anew within one process. */
export function isNewer(report: Numbered, last: Numbered): boolean {
  return report.sequence > last.sequence || (report.sequence < last.sequence && report.uptimeMs > last.uptimeMs);
}

function dropQuietest(instances: Map<string, Instance>): void {
  const quietest = [...instances.values()].reduce((a, b) => (b.lastReportMs < a.lastReportMs ? b : a));
  instances.delete(quietest.instance);
}

function windowsOf(policy: Policy): ReadonlyMap<string, number> {
  return new Map(policy.features.map((feature) => [feature.name, Math.min(feature.health.windowMs, LONGEST_WINDOW_MS)]));
}

export type { FeatureDelta } from './evidence-delta.ts';
export type { FeatureView, FleetView, ProxyView } from './evidence-view.ts';
