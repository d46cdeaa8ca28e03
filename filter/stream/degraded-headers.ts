import { HeaderPairs } from "../abi/pairs";
import { MARKER } from "../domain/outcome";
import { RungKind } from "../domain/policy";
import { DEGRADED_REASONS, RUNGS } from "../wire/contract.gen";

/** Request header that sends a request to a fallback cluster; the route configuration matches it. */
export const REROUTE = "x-rekindle-fallback";

/** `degraded; feature="checkout"; reason=open; rung=stale` */
export function marker(feature: string, reason: i32, rung: RungKind): string {
  return 'degraded; feature="' + feature + '"; reason=' + DEGRADED_REASONS[reason] + "; rung=" + RUNGS[rung];
}

/** Headers of a rung's answer, with the marker. */
export function degradedHeaders(feature: string, reason: i32, rung: RungKind): HeaderPairs {
  return new HeaderPairs().add(MARKER, marker(feature, reason, rung));
}

let toldFeature: string = "";
let toldReason: i32 = -1;
let toldRung: string = "";
let told: string = "";

/** What Envoy's access log shows as response code details: no blanks, and never one of Envoy's own. Made again only when it changes. */
export function details(feature: string, reason: i32, rung: string): string {
  if (reason != toldReason || rung != toldRung || feature != toldFeature) {
    toldFeature = feature;
    toldReason = reason;
    toldRung = rung;
    told = "rekindle{feature=" + feature + ",reason=" + DEGRADED_REASONS[reason] + ",rung=" + rung + "}";
  }
  return told;
}

/** `refused; feature="checkout"; reason=open`: nothing stood in, and another try would be refused as well. */
export function refusalMarker(feature: string, reason: i32): string {
  return 'refused; feature="' + feature + '"; reason=' + DEGRADED_REASONS[reason];
}

let keptFeature: string = "";
let keptReason: i32 = -1;
let keptAge: i64 = -1;
let keptTtl: i64 = 0;
let kept: HeaderPairs = new HeaderPairs();

/**
 * Headers of a stale answer: the marker, `age` (RFC 9111 section 5.1) and `cache-status` (RFC 9211), to what caches on the way have told:
 * a hit, or, when the upstream was asked and failed, a forwarded request. `ttl` is what is left of the copy's freshness, negative when it
 * is stale. An outage refuses many requests alike within a second: those are made once, and must not be added to.
 */
export function staleHeaders(feature: string, reason: i32, ageMs: i64, freshForMs: i64, wasForwarded: bool): HeaderPairs {
  const leftMs = freshForMs - ageMs;
  const age = ageMs / 1000;
  const ttl = leftMs / 1000;
  if (!wasForwarded && age == keptAge && ttl == keptTtl && reason == keptReason && feature == keptFeature) return kept;
  const how = !wasForwarded ? "hit" : leftMs <= 0 ? "fwd=stale; detail=stale-if-error" : "fwd=bypass; detail=upstream-failed";
  const headers = degradedHeaders(feature, reason, RungKind.Stale);
  headers.add("age", age.toString()).add("cache-status", "rekindle; " + how + "; ttl=" + ttl.toString());
  if (wasForwarded) return headers;
  keptFeature = feature;
  keptReason = reason;
  keptAge = age;
  keptTtl = ttl;
  kept = headers;
  return headers;
}
