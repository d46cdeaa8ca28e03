import { random32, randomUnit } from "../abi/clock";
import { Admission, decide, Flag, FlagState, flagHolds, Gate, mustFollow, Refusal } from "../domain/admission";
import { shareOf } from "../domain/admit-share";
import { hasLostProbes, localAdmit, Phase, trips } from "../domain/breaker";
import { CacheKeyWriter } from "../domain/cache-key";
import { ChainOrder } from "../domain/fallback-chain";
import { nameHash } from "../domain/name-hash";
import { Outcome } from "../domain/outcome";
import { FeaturePolicy, RungKind, RungPolicy } from "../domain/policy";
import { Window } from "../domain/window";
import { FeatureMetrics } from "../telemetry";
import { Counters } from "./counters";
import { FleetShape, SharedBreaker } from "./shared-breaker";

/** Where cache keys are written before a stream keeps them; longer ones are not cached. */
export const KEY_BYTES: StaticArray<u8> = new StaticArray<u8>(1024);

/** What let a request through, and so how its outcome is settled. */
export enum Pass {
  /** Refused. */
  None = 0,
  Normal = 1,
  /** One of the local trial's probes. */
  Probe = 2,
  /** A permit of the fleet. */
  Permit = 3,
}

/** Breaker phases as the wire and the stats name them (BREAKER_PHASES). */
export enum ToldPhase {
  Closed = 0,
  Open = 1,
  HalfOpen = 2,
  ForcedOpen = 3,
  ForcedClosed = 4,
}

/** A feature as one worker runs it: window and counters of its own, breaker shared with the other workers. */
export class Feature {
  readonly hash: i64;
  readonly breaker: SharedBreaker;
  readonly metrics: FeatureMetrics;
  readonly counters: Counters = new Counters();
  readonly flag: Flag = new Flag();
  readonly admission: Admission = new Admission();
  window: Window;
  /** Epoch that the outcomes in the window belong to. */
  windowEpoch: i64 = 1;
  order: ChainOrder;
  /** The first `stale` rung of the chain; null: nothing is cached. */
  stale: RungPolicy | null = null;
  /** Writes the keys of cached answers; null without a `stale` rung. */
  keys: CacheKeyWriter | null = null;
  /** Whether the chain has a `cluster` rung. */
  tellsOthers: bool = false;

  /** Sums over the proxy's workers, filled in for the leader. */
  readonly total: Counters = new Counters();
  sumSucceeded: i32 = 0;
  sumFailed: i32 = 0;
  sumSlow: i32 = 0;

  /** What the control plane judges, for the stats alone: an index into FEATURE_HEALTHS, 0 (UNKNOWN) until it has said so. */
  health: i32 = 0;
  /** Call-outs of `cluster` rungs that this worker waits for. */
  callsInFlight: i32 = 0;

  private exhaustedEpoch: i64 = 0;

  constructor(
    private readonly service: string,
    public policy: FeaturePolicy,
  ) {
    this.hash = nameHash(policy.name);
    this.breaker = new SharedBreaker(service, policy.name);
    this.metrics = new FeatureMetrics(service, policy.name);
    this.window = new Window(policy.breaker.windowMs, policy.breaker.buckets);
    this.order = new ChainOrder(policy.fallback);
    this.counters.step = 0;
    this.adopt(policy);
    this.breaker.load();
  }

  /** Another policy for the same feature; requests in flight keep their tickets. */
  adopt(policy: FeaturePolicy): void {
    const old = this.policy.breaker;
    if (old.windowMs != policy.breaker.windowMs || old.buckets != policy.breaker.buckets) {
      this.window = new Window(policy.breaker.windowMs, policy.breaker.buckets);
    }
    this.policy = policy;
    this.order = new ChainOrder(policy.fallback);
    this.stale = null;
    this.keys = null;
    this.tellsOthers = false;
    for (let i = 0; i < policy.fallback.length; i++) {
      const rung = policy.fallback[i];
      if (rung.kind == RungKind.Cluster) this.tellsOthers = true;
      if (rung.kind == RungKind.Stale && this.stale === null) {
        this.stale = rung;
        this.keys = new CacheKeyWriter(this.service, policy.name, rung.queryParameters, rung.varyHeaders, KEY_BYTES);
      }
    }
  }

  /**
   * Brings the feature up to date: flag, lease, elapsed open time, then what requests meet until the next tick.
   * True when this worker changed the shared breaker, so that the others must look.
   */
  refresh(nowMs: i64, governed: bool, fleet: FleetShape, mayFollow: bool): bool {
    const breaker = this.breaker;
    const policy = this.policy.breaker;
    const holds = flagHolds(this.flag, governed, nowMs);
    const phase = breaker.record.phase;
    let changed = false;
    if (mayFollow && mustFollow(breaker.record, this.flag, holds)) {
      changed = breaker.follow(this.flag, holds, nowMs, policy, fleet, randomUnit());
    }
    this.align();
    decide(this.admission, breaker.record, this.flag, holds, policy, nowMs);
    if (this.admission.mayHalfOpen) {
      const record = breaker.record;
      if (record.phase == Phase.Open && nowMs >= record.reopensAtMs && breaker.tryHalfOpen(nowMs)) changed = true;
      else if (hasLostProbes(record, nowMs, policy)) breaker.rearmTrial(nowMs, policy);
    }
    if (changed) {
      if (breaker.record.phase != phase) this.metrics.countTransition(breaker.record.phase);
      this.align();
      decide(this.admission, breaker.record, this.flag, holds, policy, nowMs);
    }
    this.exhaustedEpoch = 0;
    return changed;
  }

  /** What requests meet as things stand in shared data, without changing any of it. */
  view(nowMs: i64, governed: bool): void {
    this.breaker.load();
    this.align();
    decide(this.admission, this.breaker.record, this.flag, flagHolds(this.flag, governed, nowMs), this.policy.breaker, nowMs);
  }

  /** Window and counters belong to the epoch and the step that hold now. */
  private align(): void {
    if (this.windowEpoch != this.breaker.record.epoch) {
      this.windowEpoch = this.breaker.record.epoch;
      this.window.clear();
    }
    this.counters.restart(this.flag.step);
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
        return this.breaker.takePermit(nowMs) ? Pass.Permit : Pass.None;
      default:
        return Pass.None;
    }
  }

  private takeProbe(nowMs: i64): Pass {
    const epoch = this.breaker.record.epoch;
    if (this.exhaustedEpoch == epoch) return Pass.None;
    if (this.breaker.takeProbe(nowMs, this.policy.breaker)) {
      this.align();
      return Pass.Probe;
    }
    this.exhaustedEpoch = epoch;
    return Pass.None;
  }

  /** Epoch for the ticket of a request that passes now. */
  epoch(): i64 {
    return this.breaker.record.epoch;
  }

  /** Why a request is refused now. */
  refusal(): Refusal {
    return this.admission.refusal;
  }

  /**
   * Judges an outcome with its ticket; one of an older epoch says nothing about this one.
   * True when it changed the shared breaker.
   */
  settle(pass: Pass, epoch: i64, outcome: Outcome, slow: bool, nowMs: i64, fleet: FleetShape): bool {
    if (pass == Pass.Probe) return this.settleProbe(epoch, outcome, slow, nowMs, fleet);
    if (pass != Pass.Normal || outcome == Outcome.Ignored || epoch != this.windowEpoch || !this.admission.judged) return false;
    if (this.breaker.record.phase != Phase.Closed) return false;
    this.window.record(nowMs, outcome == Outcome.Failure, slow);
    return (outcome == Outcome.Failure || slow) && this.judgeWindow(nowMs, fleet);
  }

  /** Counts a request in flight as slow. True when it changed the shared breaker. */
  settleHanging(epoch: i64, nowMs: i64, fleet: FleetShape): bool {
    if (epoch != this.windowEpoch || !this.admission.judged || this.breaker.record.phase != Phase.Closed) return false;
    this.window.recordSlow(nowMs);
    return this.judgeWindow(nowMs, fleet);
  }

  private judgeWindow(nowMs: i64, fleet: FleetShape): bool {
    const window = this.window;
    const policy = this.policy.breaker;
    if (!trips(policy, window.succeeded, window.failed, window.slow, window.consecutiveFailures, this.policy.failure.slowMs > 0)) return false;
    return this.trip(nowMs, fleet);
  }

  /** Trips when the proxy's summed window does; for the leader, after the slots were summed. */
  judgeSums(nowMs: i64, fleet: FleetShape): bool {
    if (!this.admission.judged || this.breaker.record.phase != Phase.Closed || this.sumFailed + this.sumSlow == 0) return false;
    const judgesSlow = this.policy.failure.slowMs > 0;
    if (!trips(this.policy.breaker, this.sumSucceeded, this.sumFailed, this.sumSlow, 0, judgesSlow)) return false;
    return this.trip(nowMs, fleet);
  }

  private trip(nowMs: i64, fleet: FleetShape): bool {
    const tripped = this.breaker.trip(this.windowEpoch, nowMs, this.policy.breaker, fleet, randomUnit());
    if (tripped) this.metrics.countTransition(Phase.Open);
    this.look(nowMs);
    return tripped;
  }

  private settleProbe(epoch: i64, outcome: Outcome, slow: bool, nowMs: i64, fleet: FleetShape): bool {
    if (outcome == Outcome.Ignored) {
      this.breaker.returnProbe(epoch);
      return false;
    }
    const good = outcome == Outcome.Success && !slow;
    const changed = this.breaker.settleProbe(epoch, good, nowMs, this.policy.breaker, fleet, randomUnit());
    if (changed) this.metrics.countTransition(this.breaker.record.phase);
    this.look(nowMs);
    return changed;
  }

  /** What requests meet from now on, after the record moved. */
  private look(nowMs: i64): void {
    this.align();
    decide(this.admission, this.breaker.record, this.flag, this.breaker.record.attached, this.policy.breaker, nowMs);
  }

  clearSums(): void {
    this.total.clear();
    this.sumSucceeded = 0;
    this.sumFailed = 0;
    this.sumSlow = 0;
  }

  /** Phase as it is told: a person's flag shows as forced. */
  toldPhase(): ToldPhase {
    if (this.breaker.record.attached && this.flag.byPerson) {
      if (this.flag.state == FlagState.Disabled) return ToldPhase.ForcedOpen;
      if (this.flag.state == FlagState.Enabled) return ToldPhase.ForcedClosed;
    }
    return <ToldPhase>(<i32>this.breaker.record.phase);
  }

  /** Share that passes now, in basis points. */
  admitNow(nowMs: i64): i32 {
    const gate = this.admission.gate;
    if (gate == Gate.Pass || gate == Gate.Share) return this.admission.admit;
    return gate == Gate.Probe ? localAdmit(this.breaker.record, nowMs, this.policy.breaker) : 0;
  }
}
