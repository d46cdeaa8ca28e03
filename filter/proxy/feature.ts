import { CacheKeyWriter } from "../domain/cache-key";
import { ChainOrder } from "../domain/fallback-chain";
import { FleetShape } from "../domain/fleet-shape";
import { IdlePermits } from "../domain/idle-permits";
import { nameHash } from "../domain/name-hash";
import { FeaturePolicy, ProbePolicy, RungKind, RungPolicy } from "../domain/policy";
import { FeatureMetrics } from "../telemetry/feature-metrics";
import { Counters } from "./counters";
import { FeatureBreaker } from "./feature-breaker";

/** Where cache keys are written before a stream keeps them; longer ones are not cached. */
export const KEY_BYTES: StaticArray<u8> = new StaticArray<u8>(1024);

/** A feature as one worker runs it: its policy, breaker, fallback chain and counters. */
export class Feature {
  readonly hash: i64;
  readonly metrics: FeatureMetrics;
  readonly breaker: FeatureBreaker;
  readonly counters: Counters = new Counters();
  /** Counters summed over the proxy's workers, filled in for the leader. */
  readonly total: Counters = new Counters();
  order: ChainOrder;
  /** The first `stale` rung of the chain; null: nothing is cached. */
  stale: RungPolicy | null = null;
  /** Writes the keys of cached answers; null without a `stale` rung. */
  keys: CacheKeyWriter | null = null;
  /** Whether the chain has a `cluster` rung. */
  tellsOthers: bool = false;
  /** Whether a rung chooses by the request's `accept`. */
  negotiates: bool = false;
  /** What the control plane judges, for the stats alone: an index into FEATURE_HEALTHS, 0 (UNKNOWN) until it has said so. */
  health: i32 = 0;
  /** What the leader knows of the permits that are left. */
  readonly idlePermits: IdlePermits = new IdlePermits();
  /** The probe of which somebody was told that it cannot be sent. */
  refusedProbe: ProbePolicy | null = null;
  /** Call-outs of `cluster` rungs that this worker waits for. */
  callsInFlight: i32 = 0;

  constructor(
    private readonly service: string,
    public policy: FeaturePolicy,
    fleet: FleetShape,
  ) {
    this.hash = nameHash(policy.name);
    const metrics = new FeatureMetrics(service, policy.name);
    this.metrics = metrics;
    this.breaker = new FeatureBreaker(service, policy, metrics, fleet);
    this.order = new ChainOrder(policy.fallback);
    this.counters.step = 0;
    this.adopt(policy);
  }

  /** Another policy for the same feature; requests in flight keep their tickets. */
  adopt(policy: FeaturePolicy): void {
    this.breaker.adopt(policy);
    this.policy = policy;
    this.order = new ChainOrder(policy.fallback);
    this.stale = null;
    this.keys = null;
    this.tellsOthers = false;
    this.negotiates = false;
    for (let i = 0; i < policy.fallback.length; i++) {
      const rung = policy.fallback[i];
      if (rung.kind == RungKind.Cluster) this.tellsOthers = true;
      if (rung.contentTypes.length > 1) this.negotiates = true;
      if (rung.kind == RungKind.Stale && this.stale === null) {
        this.stale = rung;
        this.keys = new CacheKeyWriter(this.service, policy.name, rung.queryParameters, rung.varyHeaders, KEY_BYTES);
      }
    }
  }

  /** Brings breaker and counters up to date. True when this worker changed the shared breaker, so that the others must look. */
  refresh(nowMs: i64, governed: bool, mayFollow: bool): bool {
    this.counters.restart(this.breaker.flag.step);
    return this.breaker.refresh(nowMs, governed, mayFollow);
  }

  /** What requests meet as things stand in shared data, without changing any of it. */
  view(nowMs: i64, governed: bool): void {
    this.counters.restart(this.breaker.flag.step);
    this.breaker.view(nowMs, governed);
  }

  clearSums(): void {
    this.total.clear();
    this.breaker.clearSums();
  }
}
