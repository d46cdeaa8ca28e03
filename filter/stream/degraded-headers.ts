import { HeaderPairs } from "../abi/pairs";
import { RungKind } from "../domain/policy";
import { DEGRADED_REASONS, RUNGS } from "../wire/contract.gen";

/** Response header that marks a degraded answer: an RFC 9651 item with parameters. */
export const MARKER = "rekindle";
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

/** Adds `age` (RFC 9111 section 5.1) and `cache-status` (RFC 9211): a hit whose remaining freshness is negative when it is stale. */
export function addStaleHeaders(pairs: HeaderPairs, ageMs: i64, freshForMs: i64): void {
  pairs.add("age", (ageMs / 1000).toString());
  pairs.add("cache-status", "rekindle; hit; ttl=" + ((freshForMs - ageMs) / 1000).toString());
}
