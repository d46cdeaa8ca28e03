import { Window } from "../../../filter/domain/window";

let window: Window = new Window(1000, 10);

export function create(windowMs: i64, buckets: i32): void {
  window = new Window(windowMs, buckets);
}

export function record(nowMs: i64, failed: bool, slow: bool): void {
  window.record(nowMs, failed, slow);
}

export function recordTimes(times: i32, startMs: i64, stepMs: i64, failed: bool): void {
  for (let i = 0; i < times; i++) window.record(startMs + i * stepMs, failed, true);
}

export function advance(nowMs: i64): void {
  window.advance(nowMs);
}

export function clear(): void {
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

/** Address of a new block: two marks lie apart by what was allocated between them, with the stub runtime. */
export function mark(): usize {
  return heap.alloc(1);
}
