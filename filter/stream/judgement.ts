import { HeaderMap } from "../abi/enums";
import { rangeDecimal, rangeI64, rangeText, readHeader, readProperty, utf8 } from "../abi/headers";
import { monotonicMs } from "../abi/clock";
import { Cause, causeOf, judgeFlags, judgeGrpcStatus, MARKER, needsFlags, Outcome, outcomeOf } from "../domain/outcome";
import { Protocol } from "../domain/policy";
import { Feature } from "../proxy/feature";
import { Pass } from "../proxy/feature-breaker";
import { Service } from "../proxy/service";
import { sampleUpstreamMs } from "../telemetry/upstream-times";
import { NOT_SENT, Stream } from "./stream";

const DEGRADED = utf8(MARKER);
const GRPC_STATUS = utf8("grpc-status");
const FLAGS = utf8("response\0flags");
/** There is no gRPC status. */
const NONE: i32 = -1;
/** What a gRPC status that is no number reads as: one that nobody knows. */
const MALFORMED: i32 = 1000;

/** Judges an answer by its headers, and settles the ticket unless its end must be awaited. */
export function judgeHeaders(stream: Stream, feature: Feature, service: Service, status: i32, endOfStream: bool, nowMs: i64): void {
  stream.hasResponse = true;
  stream.upstreamMs = stream.sentAtMs == NOT_SENT ? 0 : max<i64>(nowMs - stream.sentAtMs, 0);
  // An answer degraded by another Rekindle upstream is neither success nor failure.
  if (readHeader(HeaderMap.Response, DEGRADED)) {
    stream.outcome = Outcome.Ignored;
    // A refusal counts where it was made; here another rung may help.
    if (rangeText().startsWith("refused")) stream.cause = Cause.Overload;
    service.settle(feature, stream.pass, stream.epoch, Outcome.Ignored, false, nowMs);
    return;
  }
  const rules = feature.policy.failure;
  stream.cause = causeFromHeaders(stream, feature, status, endOfStream);
  stream.outcome = outcomeOf(stream.cause, rules);
  stream.slow = stream.outcome != Outcome.Ignored && rules.slowMs > 0 && stream.upstreamMs > rules.slowMs;
  if (stream.outcome != Outcome.Ignored) sampleUpstreamMs(feature.metrics, stream.upstreamMs);
  if (isJudgedProbe(stream)) return;
  stream.waits = stream.outcome == Outcome.Success && !endOfStream && (stream.pass == Pass.Probe || stream.needsGrpcStatus);
  if (!stream.waits) settle(stream, feature, service, stream.outcome, nowMs);
  // One that is not timed, or whose request goes on beside the answer, has its time from here.
  else if (stream.sentAtMs == NOT_SENT) stream.sentAtMs = nowMs;
}

function causeFromHeaders(stream: Stream, feature: Feature, status: i32, endOfStream: bool): Cause {
  const rules = feature.policy.failure;
  // Other statuses come from what speaks no gRPC, such as a proxy on the way.
  const mayBeGrpc = status == 200;
  stream.needsGrpcStatus = mayBeGrpc && feature.policy.protocol == Protocol.Grpc;
  if (!mayBeGrpc || !endOfStream) return causeOf(status, false, needsFlags(status, rules) ? readFlags() : 0, rules);
  const grpcStatus = readGrpcStatus(HeaderMap.Response);
  // Envoy's own failures end with a gRPC status too.
  return causeOf(status, grpcFailed(stream, feature, grpcStatus), grpcStatus > 0 || needsFlags(status, rules) ? readFlags() : 0, rules);
}

function readGrpcStatus(map: HeaderMap): i32 {
  if (!readHeader(map, GRPC_STATUS)) return NONE;
  const status = rangeDecimal();
  return status < 0 ? MALFORMED : status;
}

function grpcFailed(stream: Stream, feature: Feature, status: i32): bool {
  return status == NONE ? stream.needsGrpcStatus : judgeGrpcStatus(status, feature.policy.failure);
}

/** Judges a whole answer by its end. `trailed`: it has trailers, which can be read now. */
export function judgeEnd(stream: Stream, feature: Feature, trailed: bool): void {
  if (stream.settled || stream.outcome != Outcome.Success) return;
  const status = trailed ? readGrpcStatus(HeaderMap.ResponseTrailers) : NONE;
  if (grpcFailed(stream, feature, status)) stream.cause = Cause.Grpc;
  settleEnd(stream, feature, outcomeOf(stream.cause, feature.policy.failure));
}

/** The stream's log: an answer that did not come, or did not come whole, is judged by Envoy's flags. */
export function judgeLog(stream: Stream, feature: Feature): void {
  if (stream.outcome == Outcome.Failure) return;
  const cause = judgeFlags(readFlags());
  let outcome = cause == Cause.None ? Outcome.Ignored : outcomeOf(cause, feature.policy.failure);
  // A client that leaves a stream says nothing against an upstream that had answered; a gRPC answer is none without its status.
  if (stream.hasResponse && !stream.needsGrpcStatus && outcome != Outcome.Failure) outcome = stream.outcome;
  settleEnd(stream, feature, outcome);
}

/** Settles what waited for the answer's end. Where the window holds the answer already, a failure is added to it. */
function settleEnd(stream: Stream, feature: Feature, outcome: Outcome): void {
  const service = stream.service;
  const isNews = stream.waits || !stream.hasResponse || outcome == Outcome.Failure;
  stream.outcome = outcome;
  if (service === null || !isNews || isJudgedProbe(stream)) return;
  // The time of the last tick is near enough for the window.
  settle(stream, feature, service, outcome, stream.pass == Pass.Normal ? service.nowMs : monotonicMs());
  stream.waits = false;
}

function settle(stream: Stream, feature: Feature, service: Service, outcome: Outcome, nowMs: i64): void {
  service.settle(feature, stream.pass, stream.epoch, outcome, stream.slow && !stream.judgedInFlight, nowMs);
}

/** A probe whose time was over is settled already. */
function isJudgedProbe(stream: Stream): bool {
  return stream.pass == Pass.Probe && stream.judgedInFlight;
}

function readFlags(): i64 {
  if (!readProperty(FLAGS)) return 0;
  return max<i64>(rangeI64(), 0);
}
