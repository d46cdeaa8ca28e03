import { sendLocalResponse } from "../abi/calls";
import { Action, HeaderMap } from "../abi/enums";
import { hasHeader, setHeaders, utf8 } from "../abi/headers";
import { extendPairs, HeaderPairs } from "../abi/pairs";
import { Phase } from "../domain/breaker";
import { RungKind } from "../domain/policy";
import { Count } from "../proxy/counters";
import { Feature } from "../proxy/feature";
import { RUNG_LABELS } from "../telemetry/feature-metrics";
import { details, marker, MARKER } from "./degraded-headers";
import { Stream } from "./stream";

/** Clients are told to come back no later than this. */
const LONGEST_RETRY_AFTER_S: i64 = 30;

const CONTENT_LENGTH = utf8("content-length");
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
export function acted(answer: Answer): Action {
  return answer == Answer.Reply ? Action.Stop : Action.Continue;
}

/** Answers with a rung's reply and counts it. `headers` are added to the serialised `pairs`. */
export function give(
  stream: Stream, feature: Feature, rung: RungKind, answer: Answer, status: i32, pairs: Uint8Array, headers: HeaderPairs, body: Uint8Array,
): void {
  headers.add(MARKER, marker(feature.policy.name, stream.reason, rung));
  countRung(stream, feature, rung);
  send(stream, feature, answer, status, RUNG_LABELS[rung], pairs, headers, body);
}

/** Tells a refused request, for which no rung could answer, when to come back. */
export function refuse(stream: Stream, feature: Feature, answer: Answer, nowMs: i64): void {
  const headers = new HeaderPairs().add("retry-after", retryAfter(feature, nowMs));
  send(stream, feature, answer, 503, "none", NO_PAIRS, headers, NO_BODY);
}

function send(
  stream: Stream, feature: Feature, answer: Answer, status: i32, rung: string, pairs: Uint8Array, headers: HeaderPairs, body: Uint8Array,
): void {
  if (answer == Answer.Reply) reply(stream, status, details(feature.policy.name, stream.reason, rung), pairs, headers, body);
  else replaceAnswer(stream, status, pairs, headers, body);
}

function reply(stream: Stream, status: i32, details: string, pairs: Uint8Array, headers: HeaderPairs, body: Uint8Array): void {
  const all = extendPairs(pairs, headers);
  stream.answered = true;
  sendLocalResponse(status, details, body, all === null ? NO_PAIRS : all);
}

/** In place: the headers now, the body with the first data that comes. */
function replaceAnswer(stream: Stream, status: i32, pairs: Uint8Array, headers: HeaderPairs, body: Uint8Array): void {
  headers.add(":status", status.toString());
  // Without a length of its own the upstream's answer may end in trailers and no data: a promised body would then never come.
  if (hasHeader(HeaderMap.Response, CONTENT_LENGTH)) headers.add("content-length", body.length.toString());
  const all = extendPairs(pairs, headers);
  if (all !== null && setHeaders(HeaderMap.Response, all)) stream.replacement = body;
}

export function countRung(stream: Stream, feature: Feature, rung: RungKind): void {
  feature.metrics.countDegraded(rung, stream.reason);
  feature.counters.add(<Count>(<i32>Count.DegradedStale + <i32>rung));
}

/** Whole seconds until this proxy may try the upstream again, at least 1 (RFC 9110 section 10.2.3). */
export function retryAfter(feature: Feature, nowMs: i64): string {
  const record = feature.breaker.record;
  const waitMs = record.phase == Phase.Open ? record.reopensAtMs - nowMs : 1000;
  return min(max((waitMs + 999) / 1000, 1), LONGEST_RETRY_AFTER_S).toString();
}
