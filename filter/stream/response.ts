import { Action, BufferKind, HeaderMap } from "../abi/enums";
import { addHeader, allHeaders, range, rangeDecimal, rangeI64, rangeText, readHeader, readProperty, utf8 } from "../abi/headers";
import { readBuffer, replaceBuffer } from "../abi/body";
import { monotonicMs, wallMs } from "../abi/clock";
import { encodePairs } from "../abi/pairs";
import { ChainPhase } from "../domain/fallback-chain";
import { Cause, causeOf, judgeFlags, judgeStatus, needsFlags, Outcome, outcomeOf } from "../domain/outcome";
import { RungKind } from "../domain/policy";
import { judgeStorability, StoreCandidate } from "../domain/storability";
import { Feature, Pass } from "../proxy/feature";
import { Service } from "../proxy/service";
import { staleCache } from "../proxy/stale-cache";
import { Ended } from "../telemetry";
import { Capture } from "./capture";
import { marker, MARKER } from "./degraded-headers";
import { Answer, countRung, degrade, passedOn, routeIsMissing } from "./fallback";
import { streams } from "./pool";
import { NOT_SENT, Stream } from "./stream";

const STATUS = utf8(":status");
const DEGRADED = utf8(MARKER);
const FLAGS = utf8("response\0flags");
const CLUSTER_NAME = utf8("xds\0cluster_name");
const EMPTY = new Uint8Array(0);

/** Indices into DEGRADED_REASONS. */
const FAILURE: i32 = 3;
const TIMEOUT: i32 = 4;
const CONNECT: i32 = 5;

/** A response's headers: what the upstream's answer says, and whether another takes its place. */
export function onResponse(id: u32, endOfStream: bool): Action {
  const stream = streams.get(id);
  if (stream === null || stream.answered) return Action.Continue;
  const feature = stream.feature;
  const service = stream.service;
  if (feature === null || service === null) return Action.Continue;
  const nowMs = monotonicMs();
  const status = readHeader(HeaderMap.Response, STATUS) ? rangeDecimal() : 0;
  const answer = endOfStream ? Answer.Reply : Answer.InPlace;
  if (stream.rerouted) return onRerouted(stream, feature, status, answer, nowMs);
  if (stream.pass == Pass.None) return Action.Continue;
  const cause = judge(stream, feature, service, status, endOfStream, nowMs);
  if (endOfStream) stream.finish(feature);
  if (cause == Cause.None) {
    if (stream.outcome == Outcome.Success) captureWhenDue(stream, feature, status, endOfStream, nowMs);
    return Action.Continue;
  }
  if (cause == Cause.Injected || cause == Cause.Cancelled) return Action.Continue;
  if (stream.shadow) {
    feature.metrics.count(Ended.Detected);
    return Action.Continue;
  }
  stream.reason = cause == Cause.Timeout ? TIMEOUT : cause == Cause.Connect ? CONNECT : FAILURE;
  return degrade(stream, feature, ChainPhase.Response, answer, nowMs);
}

/** Settles the ticket from the headers. An answer degraded by another Rekindle upstream is neither success nor failure. */
function judge(stream: Stream, feature: Feature, service: Service, status: i32, endOfStream: bool, nowMs: i64): Cause {
  stream.hasResponse = true;
  stream.upstreamMs = stream.sentAtMs == NOT_SENT ? 0 : max<i64>(nowMs - stream.sentAtMs, 0);
  if (readHeader(HeaderMap.Response, DEGRADED)) {
    stream.outcome = Outcome.Ignored;
    service.settle(feature, stream.pass, stream.epoch, Outcome.Ignored, false, nowMs);
    return Cause.None;
  }
  const rules = feature.policy.failure;
  const cause = causeOf(status, needsFlags(status, rules) ? readFlags() : 0, rules);
  const slowMs = rules.slowMs;
  stream.outcome = outcomeOf(cause);
  stream.slow = stream.outcome != Outcome.Ignored && slowMs > 0 && stream.upstreamMs > slowMs;
  if (stream.outcome != Outcome.Ignored) feature.metrics.sample(stream.upstreamMs);
  if (stream.pass == Pass.Probe && stream.outcome == Outcome.Success && !endOfStream && !stream.judgedInFlight) {
    stream.probeWaits = true;
    return cause;
  }
  if (!isJudgedProbe(stream)) {
    service.settle(feature, stream.pass, stream.epoch, stream.outcome, stream.slow && !stream.judgedInFlight, nowMs);
  }
  return cause;
}

/** A probe that never answered has failed already. */
function isJudgedProbe(stream: Stream): bool {
  return stream.pass == Pass.Probe && stream.judgedInFlight;
}

function readFlags(): i64 {
  if (!readProperty(FLAGS)) return 0;
  return max<i64>(rangeI64(), 0);
}

/** The answer of a fallback cluster: marked as degraded, or replaced by a later rung when it failed too. */
function onRerouted(stream: Stream, feature: Feature, status: i32, answer: Answer, nowMs: i64): Action {
  stream.hasResponse = true;
  if (readProperty(CLUSTER_NAME) && range.end > range.start && rangeText() != stream.reroutedTo) routeIsMissing(stream.reroutedTo);
  if (status == 0 || judgeStatus(status, feature.policy.failure)) {
    stream.rerouted = false;
    return degrade(stream, feature, ChainPhase.Response, answer, nowMs);
  }
  addHeader(HeaderMap.Response, MARKER, marker(feature.policy.name, stream.reason, RungKind.Cluster));
  countRung(stream, feature, RungKind.Cluster);
  return Action.Continue;
}

/** Copies the answer on its way when it may be stored and the stored copy is due for renewal. */
function captureWhenDue(stream: Stream, feature: Feature, status: i32, endOfStream: bool, nowMs: i64): void {
  const stale = feature.stale;
  if (stale === null || stream.keyLength == 0 || !stream.isGet) return;
  const hash = staleCache.hash(stream.key, stream.keyLength);
  if (!staleCache.isDue(hash, nowMs, stale.refreshMs)) return;
  const headers = allHeaders(HeaderMap.Response);
  if (headers === null) return;
  const candidate = new StoreCandidate();
  candidate.method = "GET";
  candidate.status = status;
  candidate.names = headers.names;
  candidate.values = headers.values;
  candidate.authorized = stream.authorized;
  candidate.cookied = stream.cookied;
  candidate.ranged = stream.ranged;
  candidate.requestCacheControl = stream.cacheControl;
  candidate.varyHeaders = stale.varyHeaders;
  candidate.receivedMs = wallMs();
  candidate.delayMs = stream.upstreamMs;
  const verdict = judgeStorability(candidate);
  if (!verdict.storable) return;
  const pairs = encodePairs(passedOn(headers));
  if (pairs === null) return;
  stream.capture = new Capture(hash, status, pairs, verdict, staleCache.maxBody());
  if (endOfStream) store(stream, nowMs);
}

function store(stream: Stream, nowMs: i64): void {
  const capture = stream.capture;
  if (capture === null) return;
  staleCache.store(
    stream.key, stream.keyLength, nowMs, capture.verdict, capture.status, capture.pairs, capture.bytes(), capture.length,
  );
  stream.capture = null;
}

/** A part of the response's body. */
export function onResponseData(id: u32, size: i32, endOfStream: bool): Action {
  const stream = streams.get(id);
  if (stream === null || stream.answered) return Action.Continue;
  const feature = stream.feature;
  if (feature === null) return Action.Continue;
  const replacement = stream.replacement;
  if (replacement !== null) {
    replaceBuffer(BufferKind.ResponseBody, size, replacement);
    stream.replacement = EMPTY;
  } else if (stream.capture !== null) {
    append(stream, size);
  }
  if (endOfStream) onResponseEnd(stream, feature);
  return Action.Continue;
}

function append(stream: Stream, size: i32): void {
  const capture = stream.capture;
  if (capture === null || size == 0) return;
  const bytes: Uint8Array | null = size > staleCache.maxBody() ? null : readBuffer(BufferKind.ResponseBody, size);
  if (bytes !== null && bytes.length == size && capture.append(bytes)) return;
  stream.capture = null;
}

export function onResponseTrailers(id: u32): void {
  const stream = streams.get(id);
  if (stream === null || stream.answered) return;
  const feature = stream.feature;
  if (feature !== null) onResponseEnd(stream, feature);
}

function onResponseEnd(stream: Stream, feature: Feature): void {
  const nowMs = stream.capture !== null || stream.probeWaits ? monotonicMs() : 0;
  if (stream.capture !== null) store(stream, nowMs);
  if (stream.probeWaits) settleProbe(stream, feature, stream.outcome, nowMs);
  stream.finish(feature);
}

function settleProbe(stream: Stream, feature: Feature, outcome: Outcome, nowMs: i64): void {
  const service = stream.service;
  stream.probeWaits = false;
  if (service !== null) service.settle(feature, stream.pass, stream.epoch, outcome, stream.slow, nowMs);
}

/** The stream's log: an answer that did not come, or did not come whole, is judged by Envoy's flags. */
export function onStreamLog(id: u32): void {
  const stream = streams.get(id);
  if (stream === null) return;
  const feature = stream.feature;
  const service = stream.service;
  if (feature === null || service === null || stream.settled || stream.pass == Pass.None) return;
  const capture = stream.capture;
  if (capture !== null) staleCache.notRenewed(capture.hash);
  if (stream.outcome != Outcome.Failure) {
    const cause = judgeFlags(readFlags());
    let late = cause == Cause.None ? Outcome.Ignored : outcomeOf(cause);
    // A client that leaves a stream says nothing against an upstream that had answered.
    if (stream.hasResponse && late != Outcome.Failure) late = stream.outcome;
    // With headers seen, the window already holds a success or a slow one; a failure is added to it.
    if (stream.probeWaits) settleProbe(stream, feature, late, monotonicMs());
    else if (!isJudgedProbe(stream) && (!stream.hasResponse || late == Outcome.Failure)) service.settle(feature, stream.pass, stream.epoch, late, false, monotonicMs());
    stream.outcome = late;
  }
  stream.finish(feature);
}
