import { stretchMs, waitMs } from "./backoff";
import { BreakerPolicy } from "./policy";
import { ALL_BP, rampAdmit } from "./admit-share";

export enum Phase {
  Closed = 0,
  Open = 1,
  HalfOpen = 2,
}

/**
 * The breaker of one feature in one proxy, shared by its workers: a plain record that pure functions move on, so that whoever holds
 * it (shared data, a test) decides how changes are made atomic. Times are monotonic ms of the proxy; 0 means never.
 */
export class BreakerRecord {
  phase: Phase = Phase.Closed;
  /** Number of the phase; an outcome admitted in an older epoch is dropped. */
  epoch: i64 = 1;
  /** Step of the fleet's flag that this record follows (R1); -1: none yet. */
  step: i64 = -1;
  /** Whether a flag governs, so that the local phase only protects (R2, R3). */
  attached: bool = false;
  openedAtMs: i64 = 0;
  reopensAtMs: i64 = 0;
  /** Last wait drawn before a trial. */
  openForMs: i64 = 0;
  /** Trips in a row. */
  trips: i32 = 0;
  closedAtMs: i64 = 0;
  /** While CLOSED, traffic comes back linearly from `rampFrom` basis points since `rampStartMs`; 0 there: no ramp. */
  rampFrom: i32 = 0;
  rampStartMs: i64 = 0;
  probesTaken: i32 = 0;
  probesSucceeded: i32 = 0;
  probesFailed: i32 = 0;
  /** When the last probe was given out. */
  probedAtMs: i64 = 0;
  /** Permits of the fleet that are left, for the step they were given for, until when (R8). */
  permits: i32 = 0;
  permitStep: i64 = -1;
  permitsUntilMs: i64 = 0;
  /** Share that was let through when governance came back, and when: from there it moves linearly to the fleet's (R3). */
  blendFrom: i32 = 0;
  blendStartMs: i64 = 0;
}

/** After contact returned, the local share moves to the fleet's over this time (R3). */
export const BLEND_MS: i64 = 10_000;

function enter(r: BreakerRecord, phase: Phase): void {
  r.phase = phase;
  r.epoch++;
  r.probesTaken = 0;
  r.probesSucceeded = 0;
  r.probesFailed = 0;
}

/**
 * OPEN, for a jittered time that grows with trips in a row, and for autonomous proxies of a large fleet stretched so that together
 * they probe no more than `budget` (R8). `random` in [0, 1).
 */
export function open(r: BreakerRecord, nowMs: i64, policy: BreakerPolicy, proxies: i32, budget: i32, random: f64): void {
  const stable = r.phase == Phase.Closed && r.closedAtMs > 0 && nowMs - r.closedAtMs >= policy.resetAfterMs;
  r.trips = stable ? 1 : min(r.trips + 1, 1000);
  const drawn = waitMs(r.trips, r.openForMs, policy.openMs, policy.openFactor, policy.openCapMs, policy.jitter, random);
  r.openForMs = stretchMs(drawn, proxies, budget);
  r.openedAtMs = nowMs;
  r.reopensAtMs = nowMs + r.openForMs;
  r.rampStartMs = 0;
  enter(r, Phase.Open);
}

/** From OPEN to a trial with few probes. */
export function halfOpen(r: BreakerRecord): void {
  enter(r, Phase.HalfOpen);
}

/** CLOSED with a linear ramp from `fromAdmit` basis points; ALL_BP: at once. */
export function close(r: BreakerRecord, nowMs: i64, fromAdmit: i32): void {
  enter(r, Phase.Closed);
  r.closedAtMs = nowMs;
  r.rampFrom = fromAdmit;
  r.rampStartMs = fromAdmit < ALL_BP ? nowMs : 0;
}

/** Takes one of the trial's probes; false when all are given out. */
export function takeProbe(r: BreakerRecord, nowMs: i64, policy: BreakerPolicy): bool {
  if (r.phase != Phase.HalfOpen || r.probesTaken >= policy.probes) return false;
  r.probesTaken++;
  r.probedAtMs = nowMs;
  return true;
}

/** A probe that ended without an outcome (client gone) is given back. */
export function returnProbe(r: BreakerRecord): void {
  if (r.phase == Phase.HalfOpen && r.probesTaken > r.probesSucceeded + r.probesFailed) r.probesTaken--;
}

/** What the probes so far say: 1 close, -1 open again, 0 go on. */
export function settleProbe(r: BreakerRecord, succeeded: bool, policy: BreakerPolicy): i32 {
  if (r.phase != Phase.HalfOpen) return 0;
  if (succeeded) r.probesSucceeded++;
  else r.probesFailed++;
  const needed = (policy.probes * policy.probeSuccessPercent + 99) / 100;
  if (r.probesSucceeded >= needed) return 1;
  return r.probesFailed > policy.probes - needed ? -1 : 0;
}

/** Whether probes were given out whose outcome should have come by now. */
export function hasLostProbes(r: BreakerRecord, nowMs: i64, policy: BreakerPolicy): bool {
  if (r.phase != Phase.HalfOpen || r.probesTaken <= r.probesSucceeded + r.probesFailed) return false;
  return nowMs - r.probedAtMs >= policy.probeTimeoutMs;
}

/** Probes whose outcome never came (a worker died) are given out anew, a timeout after the last one. True when something changed. */
export function rearmTrial(r: BreakerRecord, nowMs: i64, policy: BreakerPolicy): bool {
  if (!hasLostProbes(r, nowMs, policy)) return false;
  r.probesTaken = r.probesSucceeded + r.probesFailed;
  return true;
}

/** Uses one of the fleet's permits. */
export function takePermit(r: BreakerRecord, nowMs: i64): bool {
  if (!hasPermit(r, nowMs)) return false;
  r.permits--;
  return true;
}

export function hasPermit(r: BreakerRecord, nowMs: i64): bool {
  return r.permits > 0 && r.permitStep == r.step && nowMs < r.permitsUntilMs;
}

/** Share that the local breaker lets through while CLOSED. */
export function localAdmit(r: BreakerRecord, nowMs: i64, policy: BreakerPolicy): i32 {
  if (r.phase != Phase.Closed) return 0;
  if (r.rampStartMs == 0) return ALL_BP;
  return rampAdmit(r.rampFrom, ALL_BP, r.rampStartMs, policy.rampMs, nowMs);
}

/** Whether a window trips: enough outcomes and a rate at its threshold, or too many failures in a row. */
export function trips(policy: BreakerPolicy, succeeded: i32, failed: i32, slow: i32, consecutive: i32, judgesSlow: bool): bool {
  if (policy.consecutiveFailures > 0 && consecutive >= policy.consecutiveFailures) return true;
  // Requests that hang are slow before they end as anything.
  const total = max(<i64>succeeded + <i64>failed, <i64>slow);
  if (total < <i64>policy.minimumRequests) return false;
  if (<i64>failed * 100 >= <i64>policy.failureRatePercent * total) return true;
  return judgesSlow && <i64>slow * 100 >= <i64>policy.slowRatePercent * total;
}
