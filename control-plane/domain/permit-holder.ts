import type { FeatureReport } from '../contract/report.ts';
import { INTERVALS_APART, SHORTEST_INTERVAL_MS } from './evidence.ts';

/** What one Envoy process may still let through, or has in flight, of one feature at its present step. Always an upper bound (R8). */
export class PermitHolder {
  readonly node: string;
  /** When it last reported a request that wanted the feature; null: never. */
  demandAtMs: number | null = null;
  /** When it last reported. */
  seenAtMs = 0;
  /** Permits given to it within the present attempt. */
  grantedInAttempt = 0;
  /** Outcomes of its probes within the present attempt. */
  private succeededInAttempt = 0;
  private failedInAttempt = 0;
  private admitted = 0;
  private settled = 0;
  private succeeded = 0;
  private failed = 0;
  private demand = 0;
  /** In flight when it was last written off: outcomes that a replaced worker took with it never come. */
  private lost = 0;
  private granted = 0;
  /** Left of the permit before: the proxy may have used it while the new one was on its way. */
  private carried = 0;
  private admittedAtGrant = 0;
  private isConfirmed = true;
  private unusedUntilMs = 0;
  private countsUntilMs = 0;

  constructor(node: string) {
    this.node = node;
  }

  /**
   * Takes a report of the instance; null: nothing changed for this feature. Counters that fell belong to a part of the proxy that began
   * anew: what was given out counts until its time is over.
   */
  absorb(report: FeatureReport | null, intervalMs: number, nowMs: number): void {
    // What it did while nobody heard of it was by its own leave, and is no outcome of the attempt (R9).
    const isLate = nowMs - this.seenAtMs > INTERVALS_APART * Math.max(intervalMs, SHORTEST_INTERVAL_MS);
    this.seenAtMs = nowMs;
    const isOver = nowMs >= this.countsUntilMs;
    const admittedBefore = this.admitted;
    if (isOver) {
      this.granted = 0;
      this.carried = 0;
    }
    this.isConfirmed = true;
    // One interval more than the permit's term: the reply took its time to arrive.
    if (nowMs >= this.unusedUntilMs + intervalMs) this.granted = 0;
    if (report) this.count(report, isLate, nowMs);
    // Of what was in flight when it last reported, which may be long ago, only that is lost whose outcome this report does not bring.
    if (isOver) this.lost = Math.max(0, admittedBefore - this.settled);
    this.lost = Math.min(this.lost, Math.max(0, this.admitted - this.settled));
  }

  private count(report: FeatureReport, isLate: boolean, nowMs: number): void {
    const { admitted, succeeded, failed, ignored, refused } = report;
    if (admitted + refused > this.demand) this.demandAtMs = nowMs;
    if (!isLate) {
      this.succeededInAttempt += Math.max(0, succeeded - this.succeeded);
      this.failedInAttempt += Math.max(0, failed - this.failed);
    }
    if (admitted < this.admitted) this.admittedAtGrant = admitted;
    this.admitted = admitted;
    this.settled = succeeded + failed + ignored;
    this.succeeded = succeeded;
    this.failed = failed;
    this.demand = admitted + refused;
  }

  /** First sight: outcomes from before are not of this attempt, requests in flight are, for as long as a probe may take. */
  meet(report: FeatureReport, countsForMs: number, nowMs: number): void {
    this.countsUntilMs = nowMs + countsForMs;
    this.absorb(report, 0, nowMs);
    this.beginAttempt();
    this.admittedAtGrant = report.admitted;
  }

  /** Probes that it may have in flight or may still start. */
  outstanding(nowMs: number): number {
    if (nowMs >= this.countsUntilMs) return 0;
    return Math.max(0, this.admitted - this.settled - this.lost) + this.unused();
  }

  /** Permits that it has not used, at most. */
  unused(): number {
    if (!this.isConfirmed) return this.granted + this.carried;
    const usedSince = this.admitted - this.admittedAtGrant;
    return Math.max(0, Math.min(this.granted, this.granted + this.carried - usedSince));
  }

  /** Time in ms until its unused permits run out. */
  termLeftMs(nowMs: number): number {
    return Math.max(0, this.unusedUntilMs - nowMs);
  }

  /** Gives it the right to `count` probes from now on, in place of what it has left. */
  grant(count: number, ttlMs: number, countsForMs: number, nowMs: number): void {
    this.carried = this.unused();
    this.granted = count;
    this.grantedInAttempt += Math.max(0, count - this.carried);
    this.admittedAtGrant = this.admitted;
    this.isConfirmed = false;
    this.unusedUntilMs = nowMs + ttlMs;
    this.countsUntilMs = nowMs + ttlMs + countsForMs;
  }

  /** More of its probes failed in this attempt than a passing one may have. */
  isFailing(maxFailurePercent: number): boolean {
    return 100 * this.failedInAttempt > maxFailurePercent * (this.failedInAttempt + this.succeededInAttempt);
  }

  /** Successes that count for the attempt. */
  successes(maxFailurePercent: number): number {
    return this.isFailing(maxFailurePercent) ? 0 : this.succeededInAttempt;
  }

  beginAttempt(): void {
    this.grantedInAttempt = 0;
    this.succeededInAttempt = 0;
    this.failedInAttempt = 0;
  }
}
