import { randomUnit } from "../abi/clock";
import { waitMs } from "../domain/backoff";
import { Jitter } from "../domain/policy";

const BASE_MS: i64 = 1000;
const CAP_MS: i64 = 30_000;

/** When to try again after failures in a row: 1 s, doubled up to 30 s, half of it random. */
export class Reconnect {
  failures: i32 = 0;
  private lastMs: i64 = 0;

  /** Monotonic ms of the next try. `atLeastMs`: what the server asked for. */
  failed(nowMs: i64, atLeastMs: i64): i64 {
    this.failures = min(this.failures + 1, 1000);
    this.lastMs = waitMs(this.failures, this.lastMs, BASE_MS, 2, CAP_MS, Jitter.Equal, randomUnit());
    return nowMs + max(this.lastMs, min(atLeastMs, CAP_MS));
  }

  succeeded(): void {
    this.failures = 0;
    this.lastMs = 0;
  }
}
