import { HeaderPairs } from "../abi/pairs";
import { RungKind } from "../domain/policy";
import { DEGRADED_REASONS, RUNGS } from "../wire/contract.gen";

/** Request header that sends a request to a fallback cluster; the route configuration matches it. */
export const REROUTE = "x-rekindle-fallback";

/** `degraded; feature="checkout"; reason=open; rung=stale` */
export function marker(feature: string, reason: i32, rung: RungKind): string {
  return 'degraded; feature="' + feature + '"; reason=' + DEGRADED_REASONS[reason] + "; rung=" + RUNGS[rung];
}

/** What Envoy's access log shows as response code details: no blanks, and never one of Envoy's own. */
export function details(feature: string, reason: i32, rung: string): string {
  return "rekindle{feature=" + feature + ",reason=" + DEGRADED_REASONS[reason] + ",rung=" + rung + "}";
}

/** `refused; feature="checkout"; reason=open`: nothing stood in, and another try would be refused as well. */
export function refusalMarker(feature: string, reason: i32): string {
  return 'refused; feature="' + feature + '"; reason=' + DEGRADED_REASONS[reason];
}

/**
 * Adds `age` (RFC 9111 section 5.1) and `cache-status` (RFC 9211), to what caches on the way have told: a hit, or, when the upstream was
 * asked and failed, a forwarded request. `ttl` is what is left of the copy's freshness, negative when it is stale.
 */
export function addStaleHeaders(pairs: HeaderPairs, ageMs: i64, freshForMs: i64, wasForwarded: bool): void {
  const leftMs = freshForMs - ageMs;
  const how = !wasForwarded ? "hit" : leftMs <= 0 ? "fwd=stale; detail=stale-if-error" : "fwd=bypass; detail=upstream-failed";
  pairs.add("age", (ageMs / 1000).toString());
  pairs.add("cache-status", "rekindle; " + how + "; ttl=" + (leftMs / 1000).toString());
}
