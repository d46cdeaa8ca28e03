import { random32 } from "./abi/clock";
import { MetricKind } from "./abi/enums";
import { defineMetric, incrementMetric, recordMetric } from "./abi/metrics";
import * as names from "./wire/contract.gen";

/** How a request of a feature ended, in the order of the `outcome` label. */
export enum Ended {
  Success = 0,
  Failure = 1,
  Ignored = 2,
  Refused = 3,
  /** Shadow mode: would have been refused, or replaced by a rung. */
  Detected = 4,
}
const ENDED: string[] = ["success", "failure", "ignored", "refused", "detected"];
/** Label values of the rungs: the contract's, and `none` when no rung could answer. */
const RUNG_NONE: i32 = 3;
export const RUNG_LABELS: string[] = ["stale", "cluster", "static", "none"];

/**
 * `label=.=value;.` in front of the name is the form from which Istio's bootstrap, and our `stats_tags`, take labels. At the end of a name
 * Envoy drops the last dot, and Istio's pattern misses the last label.
 */
function label(name: string, value: string): string {
  return name + "=.=" + value + ";.";
}

/** A counter that is defined when it first counts and written on the tick. */
class Counter {
  private id: i32 = -2;
  /** Counted since the last flush. */
  pending: i32 = 0;

  // @ts-ignore: decorator
  @inline add(): void {
    this.pending++;
  }

  flush(name: string, labels: string): void {
    if (this.id == -2) this.id = defineMetric(MetricKind.Counter, labels + name);
    incrementMetric(this.id, this.pending);
    this.pending = 0;
  }
}

/** A gauge that is defined when it is first written, and written only when it changes. */
export class Gauge {
  private id: i32 = -2;
  private last: i64 = -1;

  /** Whether `set` would write. A series that was never anything but 0 is not made. */
  differs(value: i64): bool {
    return value != this.last && !(value == 0 && this.last == -1);
  }

  set(name: string, labels: string, value: i64): void {
    if (value == this.last) return;
    if (this.id == -2) this.id = defineMetric(MetricKind.Gauge, labels + name);
    recordMetric(this.id, <u64>max<i64>(value, 0));
    this.last = value;
  }

  /** The next `set` writes even the same value: another VM may have written in between. `all`: even what this one never wrote. */
  forget(all: bool): void {
    if (all || this.last >= 0) this.last = -2;
  }

  /** What it measured is gone. */
  retire(name: string, labels: string): void {
    if (this.last > 0) this.set(name, labels, 0);
  }
}

/** A series per word of a closed set: 1 for the word that holds, 0 for those that held before. */
class OneOf {
  private readonly gauges: Gauge[] = [];

  constructor(
    private readonly label: string,
    private readonly words: StaticArray<string>,
  ) {
    for (let i = 0; i < words.length; i++) this.gauges.push(new Gauge());
  }

  set(name: string, labels: string, word: i32): void {
    for (let i = 0; i < this.gauges.length; i++) {
      const value = i == word ? 1 : 0;
      if (this.gauges[i].differs(value)) this.gauges[i].set(name, labels + label(this.label, this.words[i]), value);
    }
  }

  forget(all: bool): void {
    for (let i = 0; i < this.gauges.length; i++) this.gauges[i].forget(all);
  }
}

/** Series of one feature. Counting is memory only; `flush` writes. */
export class FeatureMetrics {
  private readonly labels: string;
  private readonly ended: Counter[] = [];
  private readonly degraded: Counter[] = [];
  private readonly transitions: Counter[] = [];
  private readonly phases: OneOf = new OneOf("phase", names.BREAKER_PHASES);
  private readonly states: OneOf = new OneOf("state", names.FEATURE_STATES);
  private readonly healths: OneOf = new OneOf("health", names.FEATURE_HEALTHS);
  private readonly admit: Gauge = new Gauge();
  private histogram: i32 = -2;

  constructor(service: string, feature: string) {
    this.labels = label("service", service) + label("feature", feature);
    for (let i = 0; i < ENDED.length; i++) this.ended.push(new Counter());
    for (let i = 0; i < RUNG_LABELS.length * names.DEGRADED_REASONS.length; i++) this.degraded.push(new Counter());
    for (let i = 0; i < names.BREAKER_PHASES.length; i++) this.transitions.push(new Counter());
  }

  // @ts-ignore: decorator
  @inline count(ended: Ended): void {
    this.ended[ended].add();
  }

  /** `rung` -1: none could answer. `reason` indexes DEGRADED_REASONS. */
  countDegraded(rung: i32, reason: i32): void {
    this.degraded[(rung < 0 ? RUNG_NONE : rung) * names.DEGRADED_REASONS.length + reason].add();
  }

  countTransition(phase: i32): void {
    this.transitions[phase].add();
  }

  /** Writes what was counted. Names are put together only for series that have something to say. */
  flush(): void {
    for (let i = 0; i < this.ended.length; i++) {
      const counter = this.ended[i];
      if (counter.pending > 0) counter.flush(names.METRIC_REQUESTS_TOTAL, this.labels + label("outcome", ENDED[i]));
    }
    const reasons = names.DEGRADED_REASONS.length;
    for (let i = 0; i < this.degraded.length; i++) {
      const counter = this.degraded[i];
      if (counter.pending == 0) continue;
      const rung = this.labels + label("rung", RUNG_LABELS[i / reasons]);
      counter.flush(names.METRIC_DEGRADED_TOTAL, rung + label("reason", names.DEGRADED_REASONS[i % reasons]));
    }
    for (let i = 0; i < this.transitions.length; i++) {
      const counter = this.transitions[i];
      if (counter.pending > 0) counter.flush(names.METRIC_TRANSITIONS_TOTAL, this.labels + label("to", names.BREAKER_PHASES[i]));
    }
  }

  /** Notes the time that the upstream took; written on the tick. */
  sample(ms: i64): void {
    sampled++;
    let place = samples;
    if (samples < MOST_SAMPLES) samples++;
    else {
      // Reservoir sampling (Vitter 1985, algorithm R): each of the tick's times is kept with the same chance.
      place = <i32>(random32() % <u32>sampled);
      if (place >= MOST_SAMPLES) return;
    }
    sampleOf[place] = this;
    sampleMs[place] = ms;
  }

  record(ms: i64): void {
    if (this.histogram == -2) this.histogram = defineMetric(MetricKind.Histogram, this.labels + names.METRIC_UPSTREAM_MS);
    recordMetric(this.histogram, <u64>max<i64>(ms, 0));
  }

  /** Written by the proxy's leader alone. */
  gauges(phase: i32, state: i32, health: i32, admit: i32): void {
    this.phases.set(names.METRIC_BREAKER_PHASE, this.labels, phase);
    this.states.set(names.METRIC_FEATURE_STATE, this.labels, state);
    this.healths.set(names.METRIC_FEATURE_HEALTH, this.labels, health);
    this.admit.set(names.METRIC_ADMIT_RATIO, this.labels, admit);
  }

  /** What another VM may have written is not known here; `all`: it led before this one. */
  forgetGauges(all: bool): void {
    this.phases.forget(all);
    this.states.forget(all);
    this.healths.forget(all);
    this.admit.forget(all);
  }

  /** The feature has left the policy. */
  retire(): void {
    this.flush();
    this.phases.set(names.METRIC_BREAKER_PHASE, this.labels, -1);
    this.states.set(names.METRIC_FEATURE_STATE, this.labels, -1);
    this.healths.set(names.METRIC_FEATURE_HEALTH, this.labels, -1);
    this.admit.retire(names.METRIC_ADMIT_RATIO, this.labels);
  }
}

/** Series of one service. */
export class ServiceMetrics {
  private readonly labels: string;
  private readonly rejected: Counter = new Counter();
  private readonly revision: Gauge = new Gauge();
  private readonly age: Gauge = new Gauge();
  private readonly connected: Gauge = new Gauge();
  private readonly governed: Gauge = new Gauge();

  constructor(service: string) {
    this.labels = label("service", service);
  }

  countRejected(): void {
    this.rejected.add();
  }

  flush(): void {
    if (this.rejected.pending > 0) this.rejected.flush(names.METRIC_DIRECTIVES_REJECTED_TOTAL, this.labels);
  }

  /** Written by the proxy's leader alone. */
  gauges(revision: i64, ageSeconds: i64, connected: bool, governed: bool): void {
    this.revision.set(names.METRIC_DIRECTIVE_REVISION, this.labels, revision);
    this.age.set(names.METRIC_DIRECTIVE_AGE_SECONDS, this.labels, ageSeconds);
    this.connected.set(names.METRIC_CONTROL_PLANE_CONNECTED, this.labels, connected ? 1 : 0);
    this.governed.set(names.METRIC_GOVERNED, this.labels, governed ? 1 : 0);
  }

  forgetGauges(): void {
    this.revision.forget(false);
    this.age.forget(false);
    this.connected.forget(false);
    this.governed.forget(false);
  }
}

/** Times of a tick that are written at most. */
const MOST_SAMPLES: i32 = 1000;
const sampleOf: StaticArray<FeatureMetrics | null> = new StaticArray<FeatureMetrics | null>(MOST_SAMPLES);
const sampleMs: StaticArray<i64> = new StaticArray<i64>(MOST_SAMPLES);
let samples: i32 = 0;
/** Times of this tick, written or not. */
let sampled: i32 = 0;

/** Writes the upstream times that were noted since the last tick. */
export function flushSamples(): void {
  for (let i = 0; i < samples; i++) {
    const metrics = sampleOf[i];
    if (metrics !== null) metrics.record(sampleMs[i]);
  }
  samples = 0;
  sampled = 0;
}

const unmatched: Counter = new Counter();

/** A request that no feature matched. */
export function countUnmatched(): void {
  unmatched.add();
}

export function flushUnmatched(): void {
  if (unmatched.pending > 0) unmatched.flush(names.METRIC_UNMATCHED_TOTAL, "");
}
