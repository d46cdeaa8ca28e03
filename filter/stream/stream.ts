import { Cause, latencyBucket, Outcome } from "../domain/outcome";
import { Settings } from "../settings";
import { Count } from "../proxy/counters";
import { Feature, KEY_BYTES } from "../proxy/feature";
import { Pass } from "../proxy/feature-breaker";
import { Service } from "../proxy/service";
import { Ended } from "../telemetry/feature-metrics";
import { LATENCY_BUCKETS_MS } from "../wire/contract.gen";
import { CallOut } from "./call-out";
import { Capture } from "./capture";
import { Kept, RequestCopy } from "./request-copy";

/** The request's last byte has not come yet. */
export const NOT_SENT: i64 = -1;

/** What kind of exchange a stream carries, as far as it decides what may stand in for an answer. */
export enum Form {
  Plain = 0,
  /** A body of ours would be no message: only another cluster can answer. */
  Grpc = 1,
  /** Upgraded: likewise. */
  Tunnel = 2,
}

/** The fallback chain does not run. */
export const NO_END: i64 = 0;

/** One request of a feature, from its headers to its log. Pooled: a request costs no allocation. */
export class Stream {
  id: u32 = 0;
  /** null while in the pool. */
  feature: Feature | null = null;
  service: Service | null = null;
  settings: Settings | null = null;
  /** Judges and counts, never acts. */
  shadow: bool = false;

  // Ticket.
  pass: Pass = Pass.None;
  epoch: i64 = 0;
  step: i64 = 0;
  /** Monotonic ms of the request's last byte, or NOT_SENT. */
  sentAtMs: i64 = NOT_SENT;
  /** Judged slow, or as a failed probe, while in flight; its end must not be judged so again. */
  judgedInFlight: bool = false;
  outcome: Outcome = Outcome.Ignored;
  slow: bool = false;
  upstreamMs: i64 = 0;
  hasResponse: bool = false;
  /** Why it did not end well, as far as the answer's headers tell. */
  cause: Cause = Cause.None;
  /** Judged when the answer is complete: a good probe, and a gRPC answer whose status is still to come. */
  waits: bool = false;
  /** The answer must end with a gRPC status. */
  needsGrpcStatus: bool = false;
  /** Upgraded, and not to be timed: the end of its request says nothing. */
  untimed: bool = false;
  settled: bool = false;

  /** We answered by a local reply: its trip through our callbacks is not the upstream's. */
  answered: bool = false;
  /** The request went to a fallback cluster. */
  rerouted: bool = false;
  /** To which; the policy may have changed when the answer comes. */
  reroutedTo: string = "";
  /** Last rung tried; -1: none. */
  rung: i32 = -1;
  /** Index into DEGRADED_REASONS. */
  reason: i32 = 0;
  /** The call-out that the stream waits for, paused. */
  call: CallOut | null = null;
  /** Monotonic ms until which it may wait, or NO_END. */
  chainEndsAtMs: i64 = NO_END;
  /** Body that takes the place of the upstream's. */
  replacement: Uint8Array | null = null;

  /** Safe method without a body: may be told again to another cluster. */
  repeatable: bool = false;
  form: Form = Form.Plain;
  /** What was kept of this request; null: nothing. */
  request: RequestCopy | null = null;
  /** Made once per pooled stream that needs it. */
  private spare: RequestCopy | null = null;
  readonly key: StaticArray<u8> = new StaticArray<u8>(KEY_BYTES.length);
  /** 0: not cacheable. */
  keyLength: i32 = 0;
  isGet: bool = false;
  authorized: bool = false;
  cookied: bool = false;
  ranged: bool = false;
  cacheControl: string = "";
  capture: Capture | null = null;

  reset(id: u32): void {
    this.id = id;
    this.feature = null;
    this.service = null;
    this.settings = null;
    this.shadow = false;
    this.pass = Pass.None;
    this.sentAtMs = NOT_SENT;
    this.judgedInFlight = false;
    this.outcome = Outcome.Ignored;
    this.slow = false;
    this.upstreamMs = 0;
    this.hasResponse = false;
    this.cause = Cause.None;
    this.waits = false;
    this.needsGrpcStatus = false;
    this.untimed = false;
    this.settled = false;
    this.answered = false;
    this.rerouted = false;
    this.rung = -1;
    this.reason = 0;
    this.call = null;
    this.chainEndsAtMs = NO_END;
    this.replacement = null;
    this.repeatable = false;
    this.form = Form.Plain;
    this.request = null;
    this.keyLength = 0;
    this.capture = null;
  }

  /** Where to note what must be kept of this request. */
  keptRequest(): RequestCopy {
    let request = this.request;
    if (request !== null) return request;
    request = this.spare;
    if (request === null) {
      request = new RequestCopy();
      this.spare = request;
    }
    request.clear();
    this.request = request;
    return request;
  }

  /** A header of the request; empty when it is absent or was not kept. */
  kept(field: Kept): string {
    const request = this.request;
    return request === null ? "" : request.text(field);
  }

  /** Whether the upstream's answer is awaited, or the end of one that is judged by it. */
  isAwaited(): bool {
    return this.pass != Pass.None && (!this.hasResponse || this.waits) && !this.settled;
  }

  /** Counts the outcome, once, when the answer is complete or can no longer become so. */
  finish(feature: Feature): void {
    if (this.settled || this.pass == Pass.None) return;
    this.settled = true;
    if (this.pass == Pass.Probe) feature.breaker.endProbe();
    const outcome = this.outcome;
    feature.metrics.count(outcome == Outcome.Success ? Ended.Success : outcome == Outcome.Failure ? Ended.Failure : Ended.Ignored);
    const counters = feature.counters;
    // Counters belong to a step; what was admitted in another is told to nobody.
    if (counters.step != this.step) return;
    counters.add(outcome == Outcome.Success ? Count.Succeeded : outcome == Outcome.Failure ? Count.Failed : Count.Ignored);
    if (this.slow) counters.add(Count.Slow);
    if (this.hasResponse && outcome != Outcome.Ignored) {
      counters.add(<Count>(Count.Latency + latencyBucket(this.upstreamMs, LATENCY_BUCKETS_MS)));
    }
  }
}
