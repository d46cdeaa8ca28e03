import type { BreakerPhase } from '../contract/names.ts';
import type { FeatureReport } from '../contract/report.ts';
import { addTo, NO_COUNTS, newTally, outcomes, plus } from './counts.ts';
import { addDegraded, type Degraded, difference, type FeatureDelta, fell, isNothing, NO_DEGRADED } from './evidence-delta.ts';
import { plusLatency } from './latency.ts';
import type { Counts, FeatureEvidence } from './model.ts';

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

/** Evidence that holds until the track changes or its window moves on. */
interface Told {
  readonly oldestSlot: number;
  readonly evidence: FeatureEvidence;
}

const SLOT_MS = 1000;
/** A recovery names a moment up to a tick ago (at most 5 s): what was reported since must still stand apart by its moment. */
const APART_MS = 6000;

/** What one instance told of one feature: turns counters that are cumulative within a step into evidence. */
export class FeatureTrack {
  readonly feature: string;
  private step: number;
  private phase: BreakerPhase;
  private last: FeatureReport;
  private sinceStep: Counts = NO_COUNTS;
  private spans: Span[] = [];
  /** The latest, one per report. */
  private recentSpans: RecentSpan[] = [];
  private mark: Mark | null = null;
  private told: Told | null = null;

  /** The first sight of a feature is a baseline. */
  constructor(report: FeatureReport) {
    this.feature = report.feature;
    this.step = report.step;
    this.phase = report.phase;
    this.last = report;
  }

  get currentPhase(): BreakerPhase {
    return this.phase;
  }

  /** Nothing to tell of a feature that no recovery looks at: no request lately, and the breaker lets all through. */
  get isAtRest(): boolean {
    return this.phase === 'CLOSED' && this.recentSpans.length === 0 && this.spans.length === 0;
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
    this.told = null;
    if (delta && !late) this.add(delta, nowMs);
    return delta;
  }

  /** Forgets what no window needs any more. */
  prune(nowMs: number, keepMs: number): void {
    const oldest = slotOf(nowMs - keepMs);
    this.spans = withoutOlder(this.spans, oldest);
    if (this.spans.length === 0) this.recentSpans = withoutOlder(this.recentSpans, oldest);
  }

  evidence(nowMs: number, windowMs: number, sampleFromMs: number | null): FeatureEvidence {
    const oldestSlot = slotOf(nowMs - windowMs);
    if (sampleFromMs === null && this.told?.oldestSlot === oldestSlot) return this.told.evidence;
    const mark = sampleFromMs === null ? null : this.markedFrom(sampleFromMs);
    const evidence = {
      step: this.step,
      phase: this.phase,
      window: this.window(oldestSlot),
      sinceStep: this.sinceStep,
      sample: mark ? mark.counts : this.sinceStep,
      sampleLatency: mark ? mark.latency : [],
      firstSampleAgeMs: mark?.firstMs == null ? null : Math.max(0, nowMs - mark.firstMs),
      lastSampleAgeMs: mark?.lastMs == null ? null : Math.max(0, nowMs - mark.lastMs),
    };
    this.told = mark ? null : { oldestSlot, evidence };
    return evidence;
  }

  /** Sums over the last `windowMs`, whatever the step: for rates that people look at. */
  recent(nowMs: number, windowMs: number): { counts: Counts; degraded: Degraded } {
    const oldest = slotOf(nowMs - windowMs);
    const counts = newTally();
    let degraded = NO_DEGRADED;
    for (const spans of [this.spans, this.recentSpans]) {
      for (const span of spans) {
        if (span.slot <= oldest) continue;
        addTo(counts, span.counts);
        degraded = addDegraded(degraded, span.degraded);
      }
    }
    return { counts, degraded };
  }

  private window(oldestSlot: number): Counts {
    const total = newTally();
    for (const span of this.spans) if (span.slot > oldestSlot && span.step === this.step) addTo(total, span.counts);
    for (const span of this.recentSpans) if (span.slot > oldestSlot && span.step === this.step) addTo(total, span.counts);
    return total;
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
    this.told = null;
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

function withoutOlder<S extends Span>(spans: S[], oldestSlot: number): S[] {
  if (spans.length === 0 || spans[0]!.slot >= oldestSlot) return spans;
  const first = spans.findIndex((span) => span.slot >= oldestSlot);
  return first < 0 ? [] : spans.slice(first);
}

function slotOf(ms: number): number {
  return Math.floor(ms / SLOT_MS);
}
