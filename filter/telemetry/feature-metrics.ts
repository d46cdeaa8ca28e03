import * as names from "../wire/contract.gen";
import { Counter, Gauge, Histogram, label, OneOf } from "./series";

/** How a request of a feature ended, in the order of OUTCOMES. */
export enum Ended {
  Success = 0,
  Failure = 1,
  Ignored = 2,
  Refused = 3,
}
/** Place of `none` among RUNG_LABELS. */
const RUNG_NONE: i32 = 3;

/** Series of one feature. Counting is memory only; `flush` writes. */
export class FeatureMetrics {
  private readonly labels: string;
  private readonly ended: Counter[] = [];
  private readonly degraded: Counter[] = [];
  private readonly detected: Counter[] = [];
  private readonly transitions: Counter[] = [];
  private readonly retriesWithheld: Counter = new Counter();
  private readonly copiesStored: Counter = new Counter();
  private readonly copiesEvicted: Counter = new Counter();
  private readonly phases: OneOf = new OneOf("phase", names.BREAKER_PHASES);
  private readonly states: OneOf = new OneOf("state", names.FEATURE_STATES);
  private readonly healths: OneOf = new OneOf("health", names.FEATURE_HEALTHS);
  private readonly admit: Gauge = new Gauge();
  private readonly upstreamMs: Histogram = new Histogram();

  constructor(service: string, feature: string) {
    this.labels = label("service", service) + label("feature", feature);
    for (let i = 0; i < names.OUTCOMES.length; i++) this.ended.push(new Counter());
    for (let i = 0; i < names.RUNG_LABELS.length * names.DEGRADED_REASONS.length; i++) this.degraded.push(new Counter());
    for (let i = 0; i < names.DEGRADED_REASONS.length; i++) this.detected.push(new Counter());
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

  /** Shadow mode: would have been refused, or answered by a rung. `reason` indexes DEGRADED_REASONS. */
  countDetected(reason: i32): void {
    this.detected[reason].add();
  }

  countRetriesWithheld(): void {
    this.retriesWithheld.add();
  }

  countTransition(phase: i32): void {
    this.transitions[phase].add();
  }

  /** `evicts`: it took the place of a copy that could still have stood in. */
  countStored(evicts: bool): void {
    this.copiesStored.add();
    if (evicts) this.copiesEvicted.add();
  }

  /** Writes what was counted. Names are put together only for series that have something to say. */
  flush(): void {
    flushEach(this.ended, names.METRIC_REQUESTS_TOTAL, this.labels, "outcome", names.OUTCOMES);
    flushEach(this.detected, names.METRIC_DETECTED_TOTAL, this.labels, "reason", names.DEGRADED_REASONS);
    flushEach(this.transitions, names.METRIC_TRANSITIONS_TOTAL, this.labels, "to", names.BREAKER_PHASES);
    this.retriesWithheld.flushIfAny(names.METRIC_RETRIES_WITHHELD_TOTAL, this.labels);
    this.copiesStored.flushIfAny(names.METRIC_COPIES_STORED_TOTAL, this.labels);
    this.copiesEvicted.flushIfAny(names.METRIC_COPIES_EVICTED_TOTAL, this.labels);
    const reasons = names.DEGRADED_REASONS.length;
    for (let i = 0; i < this.degraded.length; i++) {
      const counter = this.degraded[i];
      if (counter.pending == 0) continue;
      const rung = this.labels + label("rung", names.RUNG_LABELS[i / reasons]);
      counter.flush(names.METRIC_DEGRADED_TOTAL, rung + label("reason", names.DEGRADED_REASONS[i % reasons]));
    }
  }

  record(ms: i64): void {
    this.upstreamMs.record(names.METRIC_UPSTREAM_MS, this.labels, ms);
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

/** One series for each value of a label. */
function flushEach(counters: Counter[], name: string, labels: string, by: string, values: StaticArray<string>): void {
  for (let i = 0; i < counters.length; i++) {
    if (counters[i].pending > 0) counters[i].flush(name, labels + label(by, values[i]));
  }
}
