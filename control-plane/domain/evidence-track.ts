import type { BreakerPhase } from '../contract/names.ts';
import type { FeatureReport } from '../contract/report.ts';
import { minus, NO_COUNTS, outcomes, plus, sum } from './counts.ts';
import { plusLatency } from './latency.ts';
import type { Counts, FeatureEvidence } from './model.ts';

export interface Degraded {
  readonly stale: number;
  readonly cluster: number;
  readonly static: number;
}

/** What one feature of one proxy did between two reports. */
export interface FeatureDelta {
  readonly feature: string;
  readonly step: number;
  readonly counts: Counts;
  readonly degraded: Degraded;
  /** Count per latency bucket. */
  readonly latency: readonly number[];
  /** The reports were too far apart for a verdict: for the history alone (R9). */
  readonly late: boolean;
}

/** What was reported within one second of one step. */
interface Span {
  readonly slot: number;
  readonly step: number;
  readonly fromMs: number;
  counts: Counts;
  degraded: Degraded;
}

/** One report of the last seconds; its latencies are only needed while a moment in these seconds may be named. */
interface RecentSpan extends Span {
  readonly latency: readonly number[];
}

/** Sums since a moment that the recovery names. */
interface Mark {
  readonly fromMs: number;
  counts: Counts;
  /** Count per latency bucket. */
  latency: readonly number[];
  firstMs: number | null;
  lastMs: number | null;
}

const SLOT_MS = 1000;
/** A recovery names a moment up to a tick ago (at most 5 s): what was reported since must still stand apart by its moment. */
const APART_MS = 6000;
const NO_DEGRADED: Degraded = { stale: 0, cluster: 0, static: 0 };

/** What one instance told of one feature: turns counters that are cumulative within a step into evidence. */
export class FeatureTrack {
  private step: number;
  private phase: BreakerPhase;
  private last: FeatureReport;
  private sinceStep: Counts = NO_COUNTS;
  private spans: Span[] = [];
  /** The latest, one per report. */
  private recentSpans: RecentSpan[] = [];
  private mark: Mark | null = null;

  /** The first sight of a feature is a baseline. */
  constructor(report: FeatureReport) {
    this.step = report.step;
    this.phase = report.phase;
    this.last = report;
  }

  get currentPhase(): BreakerPhase {
    return this.phase;
  }

  /** For a feature whose counters are known to have begun at zero: all that it reports is news. */
  static fromZero(report: FeatureReport, nowMs: number, late: boolean): { track: FeatureTrack; delta: FeatureDelta } {
    const track = new FeatureTrack(report);
    const delta = difference(report, null, late);
    if (!late) track.add(delta, nowMs);
    return { track, delta };
  }

  /** null: a counter fell, so a part of the proxy began anew and this report is the new baseline. */
  absorb(report: FeatureReport, nowMs: number, late: boolean): FeatureDelta | null {
    const newStep = report.step !== this.step;
    const restarted = !newStep && fell(this.last, report);
    const delta = restarted ? null : difference(report, newStep ? null : this.last, late);
    if (newStep) this.beginStep(report.step);
    this.phase = report.phase;
    this.last = report;
    if (delta && !late) this.add(delta, nowMs);
    return delta;
  }

  /** Forgets what no window needs any more. */
  prune(nowMs: number, keepMs: number): void {
    const oldest = slotOf(nowMs - keepMs);
    const first = this.spans.findIndex((span) => span.slot >= oldest);
    if (first !== 0) this.spans = first < 0 ? [] : this.spans.slice(first);
  }

  evidence(nowMs: number, windowMs: number, sampleFromMs: number | null): FeatureEvidence {
    const mark = sampleFromMs === null ? null : this.markedFrom(sampleFromMs);
    return {
      step: this.step,
      phase: this.phase,
      window: sum(this.within(nowMs, windowMs, this.step).map((span) => span.counts)),
      sinceStep: this.sinceStep,
      sample: mark ? mark.counts : this.sinceStep,
      sampleLatency: mark ? mark.latency : [],
      firstSampleAgeMs: mark?.firstMs == null ? null : Math.max(0, nowMs - mark.firstMs),
      lastSampleAgeMs: mark?.lastMs == null ? null : Math.max(0, nowMs - mark.lastMs),
    };
  }

  /** Sums over the last `windowMs`, whatever the step: for rates that people look at. */
  recent(nowMs: number, windowMs: number): { counts: Counts; degraded: Degraded } {
    const spans = this.within(nowMs, windowMs, null);
    return { counts: sum(spans.map((span) => span.counts)), degraded: spans.map((span) => span.degraded).reduce(addDegraded, NO_DEGRADED) };
  }

  private within(nowMs: number, windowMs: number, step: number | null): Span[] {
    const oldest = slotOf(nowMs - windowMs);
    return [...this.spans, ...this.recentSpans].filter((span) => span.slot > oldest && (step === null || span.step === step));
  }

  private beginStep(step: number): void {
    this.step = step;
    this.sinceStep = NO_COUNTS;
    this.mark = null;
  }

  private add(delta: FeatureDelta, nowMs: number): void {
    if (isNothing(delta)) return;
    this.sinceStep = plus(this.sinceStep, delta.counts);
    this.addToSpan(delta, nowMs);
    if (this.mark && nowMs >= this.mark.fromMs) addToMark(this.mark, delta.counts, delta.latency, nowMs);
  }

  private addToSpan(delta: FeatureDelta, nowMs: number): void {
    const { counts, degraded, latency } = delta;
    this.recentSpans.push({ slot: slotOf(nowMs), step: this.step, fromMs: nowMs, counts, degraded, latency });
    for (let first = this.recentSpans[0]; first && first.fromMs <= nowMs - APART_MS; first = this.recentSpans[0]) {
      this.recentSpans.shift();
      const { latency: _, ...span } = first;
      this.join(span);
    }
  }

  /** Spans of one slot and step become one. */
  private join(span: Span): void {
    const last = this.spans[this.spans.length - 1];
    if (last && last.slot === span.slot && last.step === span.step) {
      last.counts = plus(last.counts, span.counts);
      last.degraded = addDegraded(last.degraded, span.degraded);
    } else {
      this.spans.push(span);
    }
  }

  private markedFrom(fromMs: number): Mark {
    if (this.mark?.fromMs !== fromMs) {
      this.mark = { fromMs, counts: NO_COUNTS, latency: [], firstMs: null, lastMs: null };
      const isSince = (span: Span) => span.step === this.step && span.fromMs >= fromMs;
      for (const span of this.spans.filter(isSince)) addToMark(this.mark, span.counts, [], span.fromMs);
      for (const span of this.recentSpans.filter(isSince)) addToMark(this.mark, span.counts, span.latency, span.fromMs);
    }
    return this.mark;
  }
}

function addToMark(mark: Mark, counts: Counts, latency: readonly number[], atMs: number): void {
  mark.counts = plus(mark.counts, counts);
  mark.latency = plusLatency(mark.latency, latency);
  if (outcomes(counts) === 0) return;
  mark.firstMs ??= atMs;
  mark.lastMs = atMs;
}

function slotOf(ms: number): number {
  return Math.floor(ms / SLOT_MS);
}

function countsOf(report: FeatureReport): Counts {
  const { admitted, succeeded, failed, ignored, slow, refused } = report;
  return { admitted, succeeded, failed, ignored, slow, refused };
}

function difference(report: FeatureReport, before: FeatureReport | null, late: boolean): FeatureDelta {
  const { feature, step, degraded, latency } = report;
  if (!before) return { feature, step, counts: countsOf(report), degraded, latency, late };
  return {
    feature,
    step,
    counts: minus(countsOf(report), countsOf(before)),
    degraded: {
      stale: degraded.stale - before.degraded.stale,
      cluster: degraded.cluster - before.degraded.cluster,
      static: degraded.static - before.degraded.static,
    },
    latency: latency.map((count, bucket) => count - (before.latency[bucket] ?? 0)),
    late,
  };
}

function fell(before: FeatureReport, after: FeatureReport): boolean {
  return (
    Object.values(minus(countsOf(after), countsOf(before))).some((change) => change < 0) ||
    after.degraded.stale < before.degraded.stale ||
    after.degraded.cluster < before.degraded.cluster ||
    after.degraded.static < before.degraded.static ||
    after.latency.some((count, bucket) => count < (before.latency[bucket] ?? 0))
  );
}

function addDegraded(a: Degraded, b: Degraded): Degraded {
  return { stale: a.stale + b.stale, cluster: a.cluster + b.cluster, static: a.static + b.static };
}

function isNothing(delta: FeatureDelta): boolean {
  const { counts, degraded } = delta;
  return (
    counts.admitted + counts.succeeded + counts.failed + counts.ignored + counts.slow + counts.refused === 0 &&
    degraded.stale + degraded.cluster + degraded.static === 0
  );
}
