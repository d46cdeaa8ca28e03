import { BreakerRecord } from "./breaker";

/**
 * Since when permits of the fleet lie idle (R7). A renewal of permits that nobody used does not start the time again, or a report interval
 * near their term would keep them idle for ever.
 */
export class IdlePermits {
  private left: i32 = 0;
  private untilMs: i64 = 0;
  private sinceMs: i64 = 0;
  private termMs: i64 = 0;

  /** Looks at the record; true when no request has used one of its permits for half of their term. */
  look(r: BreakerRecord, nowMs: i64): bool {
    const isNew = r.permitsUntilMs != this.untilMs;
    if (isNew) {
      this.untilMs = r.permitsUntilMs;
      this.termMs = r.permitsUntilMs - nowMs;
    }
    if (isNew ? this.left == 0 : r.permits < this.left) this.sinceMs = nowMs;
    this.left = r.permits;
    return r.permits > 0 && nowMs - this.sinceMs >= this.termMs / 2;
  }

  /** The proxy itself has used one. */
  used(r: BreakerRecord): void {
    this.left = r.permits;
  }

  waitAgain(nowMs: i64): void {
    this.sinceMs = nowMs;
  }

  /** There are none. */
  none(): void {
    this.left = 0;
  }
}
