/**
 * Window and breaker of the filter as a module of their own, for the control plane's question what a draft policy would have done
 * (control-plane/what-if). No part of the filter.
 */
import { BreakerPolicy } from "./domain/policy";
import { reaches, TRIP_PERCENT } from "./domain/trip-rule";
import { Window } from "./domain/window";

const policy: BreakerPolicy = new BreakerPolicy();
let window: Window = new Window(1000, 10);
let judgesSlow: bool = false;
let bucketMs: i64 = 1;
let atMs: i64 = 0;

/** A closed breaker that nothing has happened to. */
export function begin(
  windowMs: f64,
  buckets: i32,
  minimumRequests: i32,
  failureRatePercent: i32,
  slowRatePercent: i32,
  consecutiveFailures: i32,
  slow: bool,
): void {
  window = new Window(<i64>windowMs, buckets);
  bucketMs = max<i64>(1, <i64>windowMs / max(1, buckets));
  atMs = 0;
  policy.minimumRequests = minimumRequests;
  policy.failureRatePercent = failureRatePercent;
  policy.slowRatePercent = slowRatePercent;
  policy.consecutiveFailures = consecutiveFailures;
  judgesSlow = slow;
}

/** Records outcomes of one kind now, each judged as the filter does. True when one of them trips: the rest is not recorded. */
export function record(count: i32, failed: bool, slow: bool): bool {
  for (let i = 0; i < count; i++) {
    window.record(atMs, failed, slow);
    if ((failed || slow) && judge()) return true;
  }
  return false;
}

/** Judges the window as it is now: the filter does so with each tick, whatever came. */
export function judge(): bool {
  return reaches(TRIP_PERCENT, policy, window.succeeded, window.failed, window.slow, window.consecutiveFailures, judgesSlow);
}

/**
 * Lets time pass: what leaves the window may make what stays the worse. The time at which that trips; -1: it does not. The clock must not
 * go back.
 */
export function elapse(untilMs: f64): f64 {
  const until = <i64>untilMs;
  while (window.succeeded + window.failed + window.slow > 0) {
    const next = (atMs / bucketMs + 1) * bucketMs;
    if (next > until) break;
    atMs = next;
    window.advance(atMs);
    if (judge()) return <f64>atMs;
  }
  if (until > atMs) atMs = until;
  window.advance(atMs);
  return -1;
}

/** Lets a moment pass without a tick: outcomes that come at its end are recorded before the next one judges. */
export function pass(untilMs: f64): void {
  atMs = max(atMs, <i64>untilMs);
  window.advance(atMs);
}

/** What came before is not known. */
export function forget(nowMs: f64): void {
  atMs = <i64>nowMs;
  window.clear();
}

export function succeeded(): i32 {
  return window.succeeded;
}

export function failed(): i32 {
  return window.failed;
}

export function slow(): i32 {
  return window.slow;
}

export function consecutiveFailures(): i32 {
  return window.consecutiveFailures;
}
