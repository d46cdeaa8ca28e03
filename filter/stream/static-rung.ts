import { suitableType } from "../domain/media-type";
import { RungKind, RungPolicy } from "../domain/policy";
import { Feature } from "../proxy/feature";
import { Answer, give, NO_PAIRS, retryAfter } from "./answer";
import { degradedHeaders } from "./degraded-headers";
import { Kept } from "./request-copy";
import { Stream } from "./stream";

/** Answers with what the policy says; it always can. */
export function serveStatic(stream: Stream, feature: Feature, rung: RungPolicy, answer: Answer, nowMs: i64): void {
  const types = rung.contentTypes;
  const chosen = types.length > 1 ? suitableType(stream.kept(Kept.Accept), types) : 0;
  const headers = degradedHeaders(feature.policy.name, stream.reason, RungKind.Static).add("content-type", types[chosen]);
  if (types.length > 1) headers.add("vary", "accept");
  let told = false;
  for (let i = 0; i < rung.headerNames.length; i++) {
    if (rung.headerNames[i] == "retry-after") told = true;
    headers.add(rung.headerNames[i], rung.headerValues[i]);
  }
  if (rung.status == 503 && !told) headers.add("retry-after", retryAfter(feature, nowMs));
  give(stream, feature, rung.kind, answer, rung.status, NO_PAIRS, headers, Uint8Array.wrap(String.UTF8.encode(rung.bodies[chosen])));
}
