import { sendLocalResponse } from "../abi/calls";
import { Action, HeaderMap } from "../abi/enums";
import { noteGarbage } from "../abi/garbage";
import { hasHeader, setHeaders, utf8 } from "../abi/headers";
import { extendPairs, HeaderPairs } from "../abi/pairs";
import { Phase } from "../domain/breaker";
import { MARKER } from "../domain/outcome";
import { RungKind } from "../domain/policy";
import { Count } from "../proxy/counters";
import { Feature } from "../proxy/feature";
import { details, refusalMarker } from "./degraded-headers";
import { Form, Stream } from "./stream";
import { RUNG_LABELS } from "../wire/contract.gen";

/** Clients are told to come back no later than this. */
const LONGEST_WAIT_MS: i64 = 30_000;

const CONTENT_LENGTH = utf8("content-length");
const TRAILER = utf8("trailer");
export const NO_PAIRS = new Uint8Array(4);
const NO_BODY = new Uint8Array(0);

/** How the answer may be given. */
export enum Answer {
  /** Nothing came from the upstream yet, or its headers ended the stream, or they are held: by local reply. */
  Reply = 0,
  /** A body follows the headers at hand: replaced in place, so that outer filters still see the answer. */
  InPlace = 1,
}

/** What the callback returns once the answer is given. */
export function acted(stream: Stream): Action {
  return stream.answered ? Action.Stop : Action.Continue;
}

/** Answers with a rung's reply and counts it. `headers`, the marker among them, are added to the serialised `pairs`. */
export function give(
  stream: Stream, feature: Feature, rung: RungKind, answer: Answer, status: i32, pairs: Uint8Array, headers: HeaderPairs, body: Uint8Array,
): void {
  countRung(stream, feature, rung);
  send(stream, feature, answer, status, RUNG_LABELS[rung], pairs, headers, body);
}

/** Tells a refused request, for which no rung could answer, when to come back; a gRPC client in its own words. */
export function refuse(stream: Stream, feature: Feature, answer: Answer, nowMs: i64): void {
  const headers = new HeaderPairs().add("retry-after", retryAfter(feature, nowMs));
  if (stream.form == Form.Grpc) headers.add("grpc-retry-pushback-ms", waitMs(feature, nowMs).toString());
  headers.add(MARKER, refusalMarker(feature.policy.name, stream.reason));
  send(stream, feature, answer, 503, "none", NO_PAIRS, headers, NO_BODY);
}

function send(
  stream: Stream, feature: Feature, answer: Answer, status: i32, rung: string, pairs: Uint8Array, headers: HeaderPairs, body: Uint8Array,
): void {
  // Another try would be answered likewise: an Envoy on the way does not retry then.
  if (status >= 500) headers.add("x-envoy-ratelimited", "true");
  if (answer == Answer.InPlace && canReplace(stream, status)) replaceAnswer(stream, status, pairs, headers, body);
  else reply(stream, status, details(feature.policy.name, stream.reason, rung), pairs, headers, body);
}

/** Whether the answer at hand can be rewritten: not by one without a body or of gRPC, nor when it may end in trailers without any data. */
function canReplace(stream: Stream, status: i32): bool {
  return stream.form != Form.Grpc && status != 204 && status != 205 && status != 304 && !hasHeader(HeaderMap.Response, TRAILER);
}

function reply(stream: Stream, status: i32, details: string, pairs: Uint8Array, headers: HeaderPairs, body: Uint8Array): void {
  const all = extendPairs(pairs, headers);
  stream.answered = true;
  sendLocalResponse(status, details, body, all === null ? NO_PAIRS : all);
}

/** In place: the headers now, the body with the first data that comes. */
function replaceAnswer(stream: Stream, status: i32, pairs: Uint8Array, headers: HeaderPairs, body: Uint8Array): void {
  headers.add(":status", status.toString());
  // Without a length of its own the upstream's answer may, unannounced, end in trailers and no data. Nothing can add a body then: the
  // client gets the headers alone, and none of them promises more.
  if (hasHeader(HeaderMap.Response, CONTENT_LENGTH)) headers.add("content-length", body.length.toString());
  const all = extendPairs(pairs, headers);
  if (all === null || !setHeaders(HeaderMap.Response, all)) return;
  // The bytes may lie where the next copy goes, before the data comes.
  noteGarbage(body.length);
  stream.replacement = body.slice();
}

export function countRung(stream: Stream, feature: Feature, rung: RungKind): void {
  feature.metrics.countDegraded(rung, stream.reason);
  feature.counters.add(<Count>(<i32>Count.DegradedStale + <i32>rung));
}

/** Whole seconds until this proxy may try the upstream again, at least 1 (RFC 9110 section 10.2.3). */
export function retryAfter(feature: Feature, nowMs: i64): string {
  return ((waitMs(feature, nowMs) + 999) / 1000).toString();
}

function waitMs(feature: Feature, nowMs: i64): i64 {
  const record = feature.breaker.record;
  return min(max<i64>(record.phase == Phase.Open ? record.reopensAtMs - nowMs : 0, 1000), LONGEST_WAIT_MS);
}
