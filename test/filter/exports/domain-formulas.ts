import { rampAdmit, shareOf } from "../../../filter/domain/admit-share";
import { stretchMs, waitMs } from "../../../filter/domain/backoff";
import { ChainOrder, ChainPhase } from "../../../filter/domain/fallback-chain";
import { Cause, causeOf, isReplaceable, judgeFlags, judgeGrpcStatus, judgeStatus, latencyBucket, needsFlags, outcomeOf } from "../../../filter/domain/outcome";
import { FailurePolicy, Jitter, RungKind, RungPolicy, StatusRange } from "../../../filter/domain/policy";

export { rampAdmit, shareOf, stretchMs, judgeFlags };

export function wait(trips: i32, previousMs: i64, baseMs: i64, factor: i32, capMs: i64, jitter: i32, random: f64): i64 {
  return waitMs(trips, previousMs, baseMs, factor, capMs, <Jitter>jitter, random);
}

const rules = new FailurePolicy();

export function addStatuses(from: i32, to: i32): void {
  rules.statuses.push(new StatusRange(from, to));
}

export function clearStatuses(): void {
  rules.statuses = [];
}

export function isFailure(status: i32): bool {
  return judgeStatus(status, rules);
}

export function asksForFlags(status: i32): bool {
  return needsFlags(status, rules);
}

export function causeFrom(status: i32, grpcFailed: bool, flags: i64): i32 {
  return causeOf(status, grpcFailed, flags, rules);
}

/** Which kinds of failures count, and the gRPC statuses as bits. */
export function setKinds(connectFailures: bool, resets: bool, timeouts: bool, grpcStatuses: u32): void {
  rules.connectFailures = connectFailures;
  rules.resets = resets;
  rules.timeouts = timeouts;
  rules.grpcStatuses = grpcStatuses;
}

export function outcomeFrom(cause: i32): i32 {
  return outcomeOf(<Cause>cause, rules);
}

export function replaceable(cause: i32): bool {
  return isReplaceable(<Cause>cause, rules);
}

export function isGrpcFailure(status: i32): bool {
  return judgeGrpcStatus(status, rules);
}

const BOUNDS: StaticArray<i32> = [5, 10, 100];

export function bucketOf(ms: i64): i32 {
  return latencyBucket(ms, BOUNDS);
}

let chain: RungPolicy[] = [];
let order: ChainOrder = new ChainOrder(chain);

export function clearChain(): void {
  chain = [];
  order = new ChainOrder(chain);
}

export function addRung(kind: i32): void {
  chain.push(new RungPolicy(<RungKind>kind));
  order = new ChainOrder(chain);
}

export function nextRung(phase: i32, after: i32, repeatable: bool, reason: i32): i32 {
  return order.next(<ChainPhase>phase, after, repeatable, reason);
}
