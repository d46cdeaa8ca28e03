import { random32, randomUnit } from "../abi/clock";
import { Admission, decide, Flag, FlagState, flagHolds, Gate, mustFollow, Refusal } from "../domain/admission";
import { shareOf } from "../domain/admit-share";
import { BreakerRecord, Conditions, localAdmit, Phase } from "../domain/breaker";
import { Change } from "../domain/breaker-change";
import { FleetShape } from "../domain/fleet-shape";
import { Outcome } from "../domain/outcome";
import { FeaturePolicy } from "../domain/policy";
import { hasLostProbes } from "../domain/trial";
import { reaches, TRIP_PERCENT } from "../domain/trip-rule";
import { Window } from "../domain/window";
import { FeatureMetrics } from "../telemetry/feature-metrics";
import { SharedBreaker } from "./shared-breaker";

/** What let a request through, and so how its outcome is settled. */
export enum Pass {
  /** Refused. */
  None = 0,
  Normal = 1,
  /** One of the local trial's probes. */
  Probe = 2,
  /** A permit of the fleet. */
  Permit = 3,
  /** Shadow mode: enforced, it would have been refused. Its outcome is counted and says nothing to the breaker. */
  Unjudged = 4,
}

/** Breaker phases as the wire and the stats name them (BREAKER_PHASES). */
export enum ToldPhase {
  Closed = 0,
  Open = 1,
  HalfOpen = 2,
  ForcedOpen = 3,
  ForcedClosed = 4,
}

/** The breaker of a feature as one worker runs it: the record that all workers share, a window of its own, and what requests meet. */
export class FeatureBreaker {
  readonly flag: Flag = new Flag();
  window: Window;
  /** Epoch that the outcomes in the window belong to. */
  windowEpoch: i64 = 1;
  /** Sums over the windows of the proxy's workers, filled in for the leader. */
  sumSucceeded: i32 = 0;
  sumFailed: i32 = 0;
  sumSlow: i32 = 0;

  private readonly admission: Admission = new Admission();
  private readonly shared: SharedBreaker;
  /** This worker's window is near a trip. */
  private guarded: bool = false;
  /** Epoch whose probes are known to be given out, so that shared data need not be asked again in this tick. */
  private exhaustedEpoch: i64 = 0;
  /** Phase as it was last told. */
  private told: ToldPhase = ToldPhase.Closed;

  constructor(
    service: string,
    private policy: FeaturePolicy,
    private readonly metrics: FeatureMetrics,
    private readonly fleet: FleetShape,
  ) {
    this.shared = new SharedBreaker(service, policy.name);
    this.window = new Window(policy.breaker.windowMs, policy.breaker.buckets);
    this.shared.load();
  }

  get record(): BreakerRecord {
    return this.shared.record;
  }

  /** Another policy for the same feature; requests in flight keep their tickets. */
  adopt(policy: FeaturePolicy): void {
    const old = this.policy.breaker;
    if (old.windowMs != policy.breaker.windowMs || old.buckets != policy.breaker.buckets) {
      this.window = new Window(policy.breaker.windowMs, policy.breaker.buckets);
    }
    this.policy = policy;
  }

  /** Takes up what other workers have made of it; they have counted that. */
  load(): void {
    this.shared.load();
    this.tell(false);
  }

  /**
   * Brings the breaker up to date: flag, lease, elapsed open time, then what requests meet until the next tick.
   * True when this worker changed the shared record, so that the others must look.
   */
  refresh(nowMs: i64, governed: bool, mayFollow: bool): bool {
    const policy = this.policy.breaker;
    const holds = flagHolds(this.flag, governed, nowMs);
    let changed = false;
    if (mayFollow && mustFollow(this.record, this.flag, holds)) changed = this.shared.follow(this.flag, holds, this.conditions(nowMs, 0));
    this.decide(holds, nowMs);
    if (this.admission.mayHalfOpen) {
      if (this.record.phase == Phase.Open && nowMs >= this.record.reopensAtMs && this.change(Change.StartTrial, nowMs, 0)) changed = true;
      else if (hasLostProbes(this.record, nowMs, policy)) this.change(Change.RearmTrial, nowMs, 0);
      if (changed) this.decide(holds, nowMs);
    }
    this.tell(changed);
    this.exhaustedEpoch = 0;
    this.judgeGuard(nowMs);
    return changed;
  }

  /** What requests meet as things stand in shared data, without changing any of it. */
  view(nowMs: i64, governed: bool): void {
    this.shared.load();
    this.decide(flagHolds(this.flag, governed, nowMs), nowMs);
    this.tell(false);
  }

  private decide(holds: bool, nowMs: i64): void {
    if (this.windowEpoch != this.record.epoch) {
      this.windowEpoch = this.record.epoch;
      this.window.clear();
      this.guarded = false;
    }
    decide(this.admission, this.record, this.flag, holds, this.policy.breaker, nowMs);
  }

  private conditions(nowMs: i64, epoch: i64): Conditions {
    return new Conditions(this.policy.breaker, this.fleet, nowMs, randomUnit(), epoch);
  }

  private change(change: Change, nowMs: i64, epoch: i64): bool {
    return this.shared.change(change, this.conditions(nowMs, epoch));
  }

  /** Notes the phase; `counts`: this worker made it so. */
  private tell(counts: bool): void {
    const phase = this.toldPhase();
    if (phase == this.told) return;
    this.told = phase;
    if (counts) this.metrics.countTransition(phase);
  }

  /** What requests meet; the reason of a refusal. */
  gate(): Gate {
    return this.admission.gate;
  }

  refusal(): Refusal {
    return this.admission.refusal;
  }

  /** Decides one request. `stickyHash` 0: it has no sticky key. `nowMs` may be as old as the last tick. */
  admit(stickyHash: u64, nowMs: i64): Pass {
    switch (this.admission.gate) {
      case Gate.Pass:
        return Pass.Normal;
      case Gate.Share: {
        const place = stickyHash != 0 ? shareOf(stickyHash) : <i32>(random32() % 10_000);
        return place < this.admission.admit ? Pass.Normal : Pass.None;
      }
      case Gate.Probe:
        return this.takeProbe(nowMs);
      case Gate.Permit:
        return this.change(Change.TakePermit, nowMs, 0) ? Pass.Permit : Pass.None;
      default:
        return Pass.None;
    }
  }

  private takeProbe(nowMs: i64): Pass {
    const epoch = this.record.epoch;
    if (this.exhaustedEpoch == epoch) return Pass.None;
    if (this.change(Change.TakeProbe, nowMs, 0)) return Pass.Probe;
    this.exhaustedEpoch = epoch;
    return Pass.None;
  }

  /** Whether what is let through now goes out without the router's retries: probes, shares, and all while the window is near a trip. */
  withholdsRetries(): bool {
    return this.admission.gate != Gate.Pass || this.guarded || this.record.guarded;
  }

  /**
   * Judges an outcome with its ticket; one of an older epoch says nothing about this one.
   * True when it changed the phase, so that the others must look.
   */
  settle(pass: Pass, epoch: i64, outcome: Outcome, slow: bool, nowMs: i64): bool {
    if (pass == Pass.Probe) return this.settleProbe(epoch, outcome, slow, nowMs);
    if (pass != Pass.Normal || outcome == Outcome.Ignored || !this.isJudged(epoch)) return false;
    this.window.record(nowMs, outcome == Outcome.Failure, slow);
    return (outcome == Outcome.Failure || slow) && this.judgeWindow(nowMs);
  }

  /** Counts a request in flight as slow. True when it changed the phase. */
  settleHanging(epoch: i64, nowMs: i64): bool {
    if (!this.isJudged(epoch)) return false;
    this.window.recordSlow(nowMs);
    return this.judgeWindow(nowMs);
  }

  private isJudged(epoch: i64): bool {
    return epoch == this.windowEpoch && this.admission.judged && this.record.phase == Phase.Closed;
  }

  private judgeWindow(nowMs: i64): bool {
    if (this.reaches(TRIP_PERCENT)) return this.trip(nowMs);
    this.guarded = this.reaches(this.policy.breaker.retryGuardPercent);
    return false;
  }

  private judgeGuard(nowMs: i64): void {
    if (this.window.failed + this.window.slow > 0) this.window.advance(nowMs);
    this.guarded = this.record.phase == Phase.Closed && this.reaches(this.policy.breaker.retryGuardPercent);
  }

  private reaches(percent: i32): bool {
    const window = this.window;
    const judgesSlow = this.policy.failure.slowMs > 0;
    return reaches(percent, this.policy.breaker, window.succeeded, window.failed, window.slow, window.consecutiveFailures, judgesSlow);
  }

  clearSums(): void {
    this.sumSucceeded = 0;
    this.sumFailed = 0;
    this.sumSlow = 0;
  }

  /** Trips, or guards, when the proxy's summed window says so; for the leader, after the slots were summed. True when it changed the record. */
  judgeSums(nowMs: i64): bool {
    if (!this.isJudged(this.windowEpoch)) return false;
    if (this.sumReaches(TRIP_PERCENT)) return this.trip(nowMs);
    const guarded = this.sumReaches(this.policy.breaker.retryGuardPercent);
    return guarded != this.record.guarded && this.change(guarded ? Change.Guard : Change.Unguard, nowMs, this.windowEpoch);
  }

  private sumReaches(percent: i32): bool {
    if (this.sumFailed + this.sumSlow == 0) return false;
    const judgesSlow = this.policy.failure.slowMs > 0;
    return reaches(percent, this.policy.breaker, this.sumSucceeded, this.sumFailed, this.sumSlow, 0, judgesSlow);
  }

  private trip(nowMs: i64): bool {
    const tripped = this.change(Change.Trip, nowMs, this.windowEpoch);
    this.look(nowMs, tripped);
    return tripped;
  }

  private settleProbe(epoch: i64, outcome: Outcome, slow: bool, nowMs: i64): bool {
    if (outcome == Outcome.Ignored) {
      this.change(Change.ReturnProbe, nowMs, epoch);
      return false;
    }
    const good = outcome == Outcome.Success && !slow;
    const decided = this.change(good ? Change.ProbeSucceeded : Change.ProbeFailed, nowMs, epoch) && this.record.epoch != epoch;
    this.look(nowMs, decided);
    return decided;
  }

  /** The request of a probe has ended; its outcome may have been settled before. */
  endProbe(): void {
    this.change(Change.EndProbe, 0, 0);
  }

  /** What requests meet from now on, after the record moved. */
  private look(nowMs: i64, counts: bool): void {
    this.decide(this.record.attached, nowMs);
    this.tell(counts);
  }

  /** Sets the permits of a step (R8). True when it changed them. */
  setPermits(step: i64, count: i32, untilMs: i64): bool {
    return this.shared.setPermits(step, count, untilMs);
  }

  /** A permit was taken and not used. */
  returnPermit(nowMs: i64): void {
    this.change(Change.ReturnPermit, nowMs, 0);
  }

  /** Phase as it is told: a person's flag shows as forced. */
  toldPhase(): ToldPhase {
    if (this.record.attached && this.flag.byPerson) {
      if (this.flag.state == FlagState.Disabled) return ToldPhase.ForcedOpen;
      if (this.flag.state == FlagState.Enabled) return ToldPhase.ForcedClosed;
    }
    return <ToldPhase>(<i32>this.record.phase);
  }

  /** Share that passes now, in basis points. */
  admitNow(nowMs: i64): i32 {
    const gate = this.admission.gate;
    if (gate == Gate.Pass || gate == Gate.Share) return this.admission.admit;
    return gate == Gate.Probe ? localAdmit(this.record, nowMs, this.policy.breaker) : 0;
  }
}
