import { continueRequest, continueResponse, enterStream, httpCall, log, NO_CALL, sendLocalResponse } from "../abi/calls";
import { Action, BufferKind, HeaderMap, LogLevel } from "../abi/enums";
import { allHeaders, hasHeader, replaceHeader, setHeaders, utf8 } from "../abi/headers";
import { readBuffer } from "../abi/body";
import { encodePairs, extendPairs, HeaderPairs, statusOf } from "../abi/pairs";
import { Phase } from "../domain/breaker";
import { ChainPhase } from "../domain/fallback-chain";
import { judgeStatus } from "../domain/outcome";
import { RungKind, RungPolicy } from "../domain/policy";
import { isHopByHop } from "../domain/storability";
import { Count } from "../proxy/counters";
import { Feature, Pass } from "../proxy/feature";
import { staleCache } from "../proxy/stale-cache";
import { RUNG_LABELS } from "../telemetry";
import { addStaleHeaders, details, marker, MARKER, REROUTE } from "./degraded-headers";
import { Stream } from "./stream";

/** Call-outs of one feature in flight on one worker; at the cap the next rung answers. */
const MOST_CALLS: i32 = 32;
/** Largest answer of a fallback cluster that is passed on by call-out. */
const MAX_CALL_BODY: i32 = 1024 * 1024;
/** Clients are told to come back no later than this. */
const LONGEST_RETRY_AFTER_S: i64 = 30;

const CONTENT_LENGTH = utf8("content-length");
const NO_PAIRS = new Uint8Array(4);
const NO_BODY = new Uint8Array(0);

/** Clusters whose route for REROUTE is missing in this Envoy: requests marked for them came back from elsewhere. */
const unroutable: string[] = [];

/** How the answer may be given. */
export enum Answer {
  /** Nothing came from the upstream yet, or its headers ended the stream, or they are held: by local reply. */
  Reply = 0,
  /** A body follows the headers at hand: replaced in place, so that outer filters still see the answer. */
  InPlace = 1,
}

/**
 * Runs the fallback chain from the rung after `stream.rung` until one answers.
 * Nobody can: a refused request gets 503, a failed answer goes to the client as it came.
 */
export function degrade(stream: Stream, feature: Feature, phase: ChainPhase, answer: Answer, nowMs: i64): Action {
  const chain = feature.policy.fallback;
  // A refused request keeps to the declared order, also when a fallback cluster has answered it badly meanwhile.
  const order = stream.pass == Pass.None ? ChainPhase.Request : phase;
  for (;;) {
    const at = feature.order.next(order, stream.rung, stream.repeatable);
    if (at < 0 || at >= chain.length) break;
    stream.rung = at;
    const rung = chain[at];
    if (rung.kind == RungKind.Stale) {
      if (serveStale(stream, feature, rung, answer, nowMs)) return acted(answer);
    } else if (rung.kind == RungKind.Static) {
      serveStatic(stream, feature, rung, answer, nowMs);
      return acted(answer);
    } else if (isAllowed(stream, rung.cluster)) {
      if (phase == ChainPhase.Request && unroutable.indexOf(rung.cluster) < 0) return reroute(stream, rung);
      if (stream.repeatable && callOut(stream, feature, rung)) return Action.Stop;
    }
  }
  feature.metrics.countDegraded(-1, stream.reason);
  if (stream.pass != Pass.None) return Action.Continue;
  const headers = new HeaderPairs().add("retry-after", retryAfter(feature, nowMs));
  if (answer == Answer.Reply) reply(stream, feature, 503, "none", NO_PAIRS, headers, NO_BODY);
  else replaceAnswer(stream, 503, NO_PAIRS, headers, NO_BODY);
  return acted(answer);
}

function acted(answer: Answer): Action {
  return answer == Answer.Reply ? Action.Stop : Action.Continue;
}

function isAllowed(stream: Stream, cluster: string): bool {
  const settings = stream.settings;
  return settings !== null && settings.fallbackClusters.indexOf(cluster) >= 0;
}

function serveStale(stream: Stream, feature: Feature, rung: RungPolicy, answer: Answer, nowMs: i64): bool {
  if (stream.keyLength == 0) return false;
  const copy = staleCache.find(stream.key, stream.keyLength, nowMs, rung.maxStaleMs);
  if (copy === null) return false;
  const headers = new HeaderPairs();
  addStaleHeaders(headers, copy.ageMs, copy.freshForMs);
  give(stream, feature, rung.kind, answer, copy.status, copy.pairs, headers, copy.body);
  return true;
}

function serveStatic(stream: Stream, feature: Feature, rung: RungPolicy, answer: Answer, nowMs: i64): void {
  const headers = new HeaderPairs().add("content-type", rung.contentType);
  let told = false;
  for (let i = 0; i < rung.headerNames.length; i++) {
    if (rung.headerNames[i] == "retry-after") told = true;
    headers.add(rung.headerNames[i], rung.headerValues[i]);
  }
  if (rung.status == 503 && !told) headers.add("retry-after", retryAfter(feature, nowMs));
  give(stream, feature, rung.kind, answer, rung.status, NO_PAIRS, headers, Uint8Array.wrap(String.UTF8.encode(rung.body)));
}

/** Answers with a rung's reply and counts it. */
function give(
  stream: Stream, feature: Feature, rung: RungKind, answer: Answer, status: i32, pairs: Uint8Array, headers: HeaderPairs, body: Uint8Array,
): void {
  headers.add(MARKER, marker(feature.policy.name, stream.reason, rung));
  countRung(stream, feature, rung);
  if (answer == Answer.Reply) {
    reply(stream, feature, status, RUNG_LABELS[rung], pairs, headers, body);
    return;
  }
  replaceAnswer(stream, status, pairs, headers, body);
}

/** In place: the headers now, the body with the first data that comes. */
function replaceAnswer(stream: Stream, status: i32, pairs: Uint8Array, headers: HeaderPairs, body: Uint8Array): void {
  headers.add(":status", status.toString());
  // Without a length of its own the upstream's answer may end in trailers and no data: a promised body would then never come.
  if (hasHeader(HeaderMap.Response, CONTENT_LENGTH)) headers.add("content-length", body.length.toString());
  const all = extendPairs(pairs, headers);
  if (all !== null && setHeaders(HeaderMap.Response, all)) stream.replacement = body;
}

function reply(stream: Stream, feature: Feature, status: i32, rung: string, pairs: Uint8Array, headers: HeaderPairs, body: Uint8Array): void {
  const all = extendPairs(pairs, headers);
  stream.answered = true;
  sendLocalResponse(status, details(feature.policy.name, stream.reason, rung), body, all === null ? NO_PAIRS : all);
}

export function countRung(stream: Stream, feature: Feature, rung: RungKind): void {
  feature.metrics.countDegraded(rung, stream.reason);
  feature.counters.add(<Count>(<i32>Count.DegradedStale + <i32>rung));
}

/** Whole seconds until this proxy may try the upstream again, at least 1 (RFC 9110 section 10.2.3). */
function retryAfter(feature: Feature, nowMs: i64): string {
  const record = feature.breaker.record;
  const waitMs = record.phase == Phase.Open ? record.reopensAtMs - nowMs : 1000;
  return min(max((waitMs + 999) / 1000, 1), LONGEST_RETRY_AFTER_S).toString();
}

/** The request goes on, marked; the route configuration sends marked requests to the cluster. Its body streams. */
function reroute(stream: Stream, rung: RungPolicy): Action {
  replaceHeader(HeaderMap.Request, REROUTE, rung.cluster);
  stream.rerouted = true;
  stream.reroutedTo = rung.cluster;
  return Action.Continue;
}

/** The marked request was answered by another cluster: the route is missing, and marking again would reach the upstream again. */
export function routeIsMissing(cluster: string): void {
  if (unroutable.indexOf(cluster) >= 0) return;
  unroutable.push(cluster);
  log(LogLevel.Error, "no route sends requests with " + REROUTE + ": " + cluster + " to that cluster; rung is skipped, call-outs are used");
}

/** Another configuration may have the route. */
export function forgetMissingRoutes(): void {
  unroutable.length = 0;
}

function callOut(stream: Stream, feature: Feature, rung: RungPolicy): bool {
  const copy = stream.copy;
  if (copy === null || !stream.hasCopy || feature.callsInFlight >= MOST_CALLS) return false;
  const headers = new HeaderPairs().add(":method", copy.isGet ? "GET" : "HEAD");
  headers.add(":path", copy.path()).add(":authority", copy.authority());
  const accept = copy.accept();
  if (accept.length > 0) headers.add("accept", accept);
  stream.call = httpCall(rung.cluster, headers, null, rung.timeoutMs);
  if (stream.call == NO_CALL) return false;
  feature.callsInFlight++;
  return true;
}

/** A call-out of a `cluster` rung came back: its answer, or the next rung, or what the upstream had said. */
export function onCallAnswered(stream: Stream, feature: Feature, headerCount: i32, bodySize: i32, nowMs: i64): void {
  stream.call = NO_CALL;
  feature.callsInFlight--;
  const headers = headerCount > 0 ? allHeaders(HeaderMap.CallOutResponse) : null;
  const body = headers !== null && bodySize <= MAX_CALL_BODY ? readBuffer(BufferKind.CallOutBody, bodySize) : null;
  if (!enterStream(stream.id)) return;
  const phase = stream.hasResponse ? ChainPhase.Response : ChainPhase.Request;
  const status = statusOf(headers);
  if (headers !== null && body !== null && status >= 200 && !judgeStatus(status, feature.policy.failure)) {
    const pairs = encodePairs(passedOn(headers));
    give(stream, feature, RungKind.Cluster, Answer.Reply, status, pairs === null ? NO_PAIRS : pairs, new HeaderPairs(), body);
    return;
  }
  if (degrade(stream, feature, phase, Answer.Reply, nowMs) != Action.Continue) return;
  if (phase == ChainPhase.Request) continueRequest();
  else continueResponse();
}

/** Headers of a call-out's answer that may go to the client: not those of the connection, nor what the reply sets anew. */
export function passedOn(headers: HeaderPairs): HeaderPairs {
  const connection = headers.get("connection");
  const kept = new HeaderPairs();
  for (let i = 0; i < headers.names.length; i++) {
    const name = headers.names[i];
    if (name.startsWith(":") || name.startsWith("x-envoy-") || name == "content-length" || name == "server" || name == MARKER) continue;
    if (name == "age" || isHopByHop(name, connection === null ? "" : connection)) continue;
    kept.add(name, headers.values[i]);
  }
  return kept;
}
