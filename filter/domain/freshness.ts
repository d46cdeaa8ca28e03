import { NO_DATE } from "./http-date";

/**
 * Age of a response when it arrived (RFC 9111 section 4.2.3, corrected_initial_age). Never below 0. `dateMs` is its `date`
 * (NO_DATE: none), `receivedMs` the wall clock at its arrival (0 or below: not known, then only `age` speaks), `delayMs` the
 * time from request to response.
 */
export function initialAgeMs(ageHeaderMs: i64, dateMs: i64, receivedMs: i64, delayMs: i64): i64 {
  const apparent = dateMs == NO_DATE || receivedMs <= 0 ? 0 : max<i64>(0, receivedMs - dateMs);
  return max(apparent, max<i64>(0, ageHeaderMs) + max<i64>(0, delayMs));
}

/** Age of a copy that has been held for `heldMs` (RFC 9111 section 4.2.3, current_age). */
export function currentAgeMs(initialMs: i64, heldMs: i64): i64 {
  return initialMs + max<i64>(0, heldMs);
}

/**
 * Whether a copy of this age may stand in for a failed answer. Fresh ones may. Stale ones may when the response does not
 * forbid it, for the time that the response gives in `stale-if-error` (RFC 5861 section 4), else for the policy's
 * `maxStaleMs`.
 */
export function servable(ageMs: i64, freshForMs: i64, staleIfErrorMs: i64, mayServeStale: bool, maxStaleMs: i64): bool {
  return staysServableMs(ageMs, freshForMs, staleIfErrorMs, mayServeStale, maxStaleMs) > 0;
}

/** For how long from now it may, not more than 0 when it may not. */
export function staysServableMs(ageMs: i64, freshForMs: i64, staleIfErrorMs: i64, mayServeStale: bool, maxStaleMs: i64): i64 {
  const staleMs = !mayServeStale ? 0 : staleIfErrorMs >= 0 ? staleIfErrorMs : maxStaleMs;
  return freshForMs - ageMs + staleMs;
}
