import { Action, BufferKind, HeaderMap } from "../abi/enums";
import { addHeader, allHeaders, range, rangeDecimal, rangeText, readHeader, readProperty, utf8 } from "../abi/headers";
import { readBuffer, replaceBuffer } from "../abi/body";
import { monotonicMs, wallMs } from "../abi/clock";
import { encodePairs } from "../abi/pairs";
import { ChainPhase } from "../domain/fallback-chain";
import { Cause, isReplaceable, judgeStatus, MARKER, Outcome } from "../domain/outcome";
import { RungKind } from "../domain/policy";
import { hasToken } from "../domain/header-list";
import { judgeStorability, StoreCandidate } from "../domain/storability";
import { Feature } from "../proxy/feature";
import { Pass } from "../proxy/feature-breaker";
import { staleCache } from "../proxy/stale-cache";
import { Capture } from "./capture";
import { shareWhenDue } from "./shared-copies";
import { marker } from "./degraded-headers";
import { Answer, countRung } from "./answer";
import { passedOn, routeIsMissing } from "./cluster-rung";
import { degrade } from "./fallback";
import { judgeEnd, judgeHeaders, judgeLog } from "./judgement";
import { streams } from "./pool";
import { Stream } from "./stream";

const STATUS = utf8(":status");
const CLUSTER_NAME = utf8("xds\0cluster_name");
const EMPTY = new Uint8Array(0);

/** Place of `failure`, the first cause, in DEGRADED_REASONS. */
const FAILURE: i32 = 3;

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
  judgeHeaders(stream, feature, service, status, endOfStream, nowMs);
  if (endOfStream) stream.finish(feature);
  if (stream.outcome == Outcome.Success) captureWhenDue(stream, feature, status, endOfStream, nowMs);
  if (!isReplaceable(stream.cause, feature.policy.failure)) return Action.Continue;
  stream.reason = FAILURE + stream.cause - Cause.Status;
  if (stream.shadow) {
    // What would have been refused would not have come here.
    if (stream.pass != Pass.Unjudged) feature.metrics.countDetected(stream.reason);
    return Action.Continue;
  }
  return degrade(stream, feature, ChainPhase.Response, answer, nowMs);
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
  // What can never be stored takes nobody's turn to renew.
  if (stream.ranged || hasToken(stream.cacheControl, "no-store")) return;
  const renewal = staleCache.claimRenewal(hash, stream.authorized || stream.cookied, nowMs, stale.refreshMs);
  if (renewal == 0) return;
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
  stream.capture = new Capture(renewal, status, pairs, verdict, nowMs, staleCache.maxBody());
  if (endOfStream) store(stream, nowMs);
}

function store(stream: Stream, nowMs: i64): void {
  const capture = stream.capture;
  if (capture === null) return;
  stream.capture = null;
  const slot = staleCache.store(stream.key, stream.keyLength, nowMs, capture.copy(stream.key, stream.keyLength, nowMs));
  const feature = stream.feature;
  if (slot < 0 || feature === null) return;
  const stale = feature.stale;
  if (stale !== null) feature.metrics.countStored(staleCache.hasEvicted(stale.maxStaleMs));
  shareWhenDue(stream, slot, nowMs);
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
  if (endOfStream) onResponseEnd(stream, feature, false);
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
  if (feature !== null) onResponseEnd(stream, feature, true);
}

function onResponseEnd(stream: Stream, feature: Feature, trailed: bool): void {
  if (stream.capture !== null) store(stream, monotonicMs());
  if (stream.pass != Pass.None) judgeEnd(stream, feature, trailed);
  stream.finish(feature);
}

/** The stream's log: what its callbacks have not finished is judged by what Envoy knows of it. */
export function onStreamLog(id: u32): void {
  const stream = streams.get(id);
  if (stream === null) return;
  const feature = stream.feature;
  if (feature === null || stream.settled || stream.pass == Pass.None) return;
  const capture = stream.capture;
  if (capture !== null) staleCache.notRenewed(capture.renewal);
  judgeLog(stream, feature);
  stream.finish(feature);
}
