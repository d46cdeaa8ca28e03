import { Admission, decide, Flag, FlagState, flagHolds, follow, mustFollow } from "../../../filter/domain/admission";
import { BreakerRecord, close, Conditions, halfOpen, localAdmit, open, trialProbes } from "../../../filter/domain/breaker";
import { apply, Change } from "../../../filter/domain/breaker-change";
import { FleetShape } from "../../../filter/domain/fleet-shape";
import { BreakerPolicy, Jitter } from "../../../filter/domain/policy";
import { endProbe, hasLostProbes, rearmTrial, returnProbe, settleProbe, takePermit, takeProbe } from "../../../filter/domain/trial";
import { reaches } from "../../../filter/domain/trip-rule";

const fleet: FleetShape = new FleetShape();
let record: BreakerRecord = new BreakerRecord();
let policy: BreakerPolicy = new BreakerPolicy();
let flag: Flag = new Flag();
const admission: Admission = new Admission();

/** A closed breaker that nothing has happened to, of a proxy that is alone in its fleet. */
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
  setFleet(1, 5);
}

export function setFleet(proxies: i32, budget: i32): void {
  fleet.proxies = proxies;
  fleet.budget = budget;
}

export function setJitter(jitter: i32): void {
  policy.jitter = <Jitter>jitter;
}

export function setFlag(step: i64, state: i32, admit: i32, byPerson: bool, expiresAtMs: i64): void {
  flag.step = step;
  flag.state = <FlagState>state;
  flag.admit = admit;
  flag.byPerson = byPerson;
  flag.expiresAtMs = expiresAtMs;
}

function at(nowMs: i64, random: f64, epoch: i64 = 0): Conditions {
  return new Conditions(policy, fleet, nowMs, random, epoch);
}

/** Follows flag and lease, then decides. True when the record had to follow. */
export function tick(governed: bool, nowMs: i64): bool {
  const holds = flagHolds(flag, governed, nowMs);
  const must = mustFollow(record, flag, holds);
  if (must) follow(record, flag, holds, at(nowMs, 0.5));
  decide(admission, record, flag, holds, policy, nowMs);
  return must;
}

/** A change as a worker asks for it that saw `epoch`. */
export function change(kind: i32, epoch: i64, nowMs: i64, random: f64): bool {
  return apply(<Change>kind, record, at(nowMs, random, epoch));
}

export function tripNow(nowMs: i64, random: f64): void {
  open(record, at(nowMs, random));
}
export function startTrial(): void {
  halfOpen(record, at(0, 0));
}
export function closeNow(nowMs: i64, fromAdmit: i32): void {
  close(record, nowMs, fromAdmit);
}
export function probe(nowMs: i64): bool {
  return takeProbe(record, nowMs);
}
export function giveBack(): void {
  returnProbe(record);
}
export function settle(succeeded: bool): void {
  settleProbe(record, succeeded, at(0, 0.5));
}
export function endOne(): bool {
  return endProbe(record);
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
export function reachesPart(percent: i32, succeeded: i32, failed: i32, slow: i32, consecutive: i32, judgesSlow: bool): bool {
  return reaches(percent, policy, succeeded, failed, slow, consecutive, judgesSlow);
}
export function admitted(nowMs: i64): i32 {
  return localAdmit(record, nowMs, policy);
}
export function trialOf(wanted: i32, proxies: i32, budget: i32, inFlight: i32): i32 {
  setFleet(proxies, budget);
  return trialProbes(wanted, fleet, inFlight);
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
export function guarded(): bool {
  return record.guarded;
}
export function probesInFlight(): i32 {
  return record.probesInFlight;
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
