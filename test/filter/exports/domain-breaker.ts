import { Admission, decide, Flag, FlagState, flagHolds, follow, mustFollow } from "../../../filter/domain/admission";
import {
  BreakerRecord, close, hasLostProbes, localAdmit, open, halfOpen, rearmTrial, returnProbe, settleProbe, takePermit, takeProbe, trips,
} from "../../../filter/domain/breaker";
import { BreakerPolicy } from "../../../filter/domain/policy";

let record: BreakerRecord = new BreakerRecord();
let policy: BreakerPolicy = new BreakerPolicy();
let flag: Flag = new Flag();
const admission: Admission = new Admission();

/** A closed breaker that nothing has happened to. */
export function create(probes: i32, successPercent: i32, openMs: i64, openCapMs: i64, rampMs: i64, resetAfterMs: i64): void {
  record = new BreakerRecord();
  flag = new Flag();
  policy = new BreakerPolicy();
  policy.minimumRequests = 10;
  policy.failureRatePercent = 50;
  policy.slowRatePercent = 40;
  policy.consecutiveFailures = 5;
  policy.probes = probes;
  policy.probeSuccessPercent = successPercent;
  policy.probeTimeoutMs = 1000;
  policy.openMs = openMs;
  policy.openFactor = 2;
  policy.openCapMs = openCapMs;
  policy.rampMs = rampMs;
  policy.resetAfterMs = resetAfterMs;
}

export function setFlag(step: i64, state: i32, admit: i32, byPerson: bool, expiresAtMs: i64): void {
  flag.step = step;
  flag.state = <FlagState>state;
  flag.admit = admit;
  flag.byPerson = byPerson;
  flag.expiresAtMs = expiresAtMs;
}

/** Follows flag and lease, then decides. True when the record had to follow. */
export function tick(governed: bool, nowMs: i64): bool {
  const holds = flagHolds(flag, governed, nowMs);
  const must = mustFollow(record, flag, holds);
  if (must) follow(record, flag, holds, nowMs, policy, 1, 5, 0.5);
  decide(admission, record, flag, holds, policy, nowMs);
  return must;
}

export function tripNow(nowMs: i64, random: f64): void {
  open(record, nowMs, policy, 1, 5, random);
}
export function startTrial(): void {
  halfOpen(record);
}
export function closeNow(nowMs: i64, fromAdmit: i32): void {
  close(record, nowMs, fromAdmit);
}
export function probe(nowMs: i64): bool {
  return takeProbe(record, nowMs, policy);
}
export function giveBack(): void {
  returnProbe(record);
}
export function settle(succeeded: bool): i32 {
  return settleProbe(record, succeeded, policy);
}
export function rearm(nowMs: i64): bool {
  return hasLostProbes(record, nowMs, policy) && rearmTrial(record, nowMs, policy);
}
export function permit(count: i32, step: i64, untilMs: i64): void {
  record.permits = count;
  record.permitStep = step;
  record.permitsUntilMs = untilMs;
}
export function usePermit(nowMs: i64): bool {
  return takePermit(record, nowMs);
}
export function judges(succeeded: i32, failed: i32, slow: i32, consecutive: i32, judgesSlow: bool): bool {
  return trips(policy, succeeded, failed, slow, consecutive, judgesSlow);
}
export function admitted(nowMs: i64): i32 {
  return localAdmit(record, nowMs, policy);
}

export function phase(): i32 {
  return record.phase;
}
export function epoch(): i64 {
  return record.epoch;
}
export function waitMs(): i64 {
  return record.reopensAtMs - record.openedAtMs;
}
export function gate(): i32 {
  return admission.gate;
}
export function admit(): i32 {
  return admission.admit;
}
export function refusal(): i32 {
  return admission.refusal;
}
export function judged(): bool {
  return admission.judged;
}
export function mayHalfOpen(): bool {
  return admission.mayHalfOpen;
}
