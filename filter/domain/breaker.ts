import { stretchMs, waitMs } from "./backoff";
import { BreakerPolicy } from "./policy";
import { ALL_BP, rampAdmit } from "./admit-share";
import { FleetShape } from "./fleet-shape";

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
  /** While CLOSED: the proxy's window is near a trip, so that requests go out without the router's retries. */
  guarded: bool = false;
  /** Probes of the trial: how many it has, how many were given out, and how those ended that did. */
  probes: i32 = 0;
  probesTaken: i32 = 0;
  probesSucceeded: i32 = 0;
  probesFailed: i32 = 0;
  /** When the last probe was given out. */
  probedAtMs: i64 = 0;
  /** Probes of this trial and of those before whose requests have not ended yet. */
  probesInFlight: i32 = 0;
  /** Permits of the fleet that are left, for the step they were given for, until when (R8). */
  permits: i32 = 0;
  permitStep: i64 = -1;
  permitsUntilMs: i64 = 0;
  /** Share that was let through when governance came back, and when: from there it moves linearly to the fleet's (R3). */
  blendFrom: i32 = 0;
  blendStartMs: i64 = 0;
}

/** What a change of the record goes by. */
export class Conditions {
  constructor(
    readonly policy: BreakerPolicy,
    readonly fleet: FleetShape,
    readonly nowMs: i64,
    /** Drawn from [0, 1). */
    readonly random: f64,
    /** Epoch that the change was decided in, where it matters. */
    readonly epoch: i64 = 0,
  ) {}
}

/** After contact returned, the local share moves to the fleet's over this time (R3). */
export const BLEND_MS: i64 = 10_000;
/** After a trial succeeded, local traffic starts again from this share, in basis points. */
export const FIRST_RAMP_ADMIT: i32 = 1000;

function enter(r: BreakerRecord, phase: Phase): void {
  r.phase = phase;
  r.epoch++;
  r.guarded = false;
  r.probesTaken = 0;
  r.probesSucceeded = 0;
  r.probesFailed = 0;
}

/**
 * OPEN, for a jittered time that grows with trips in a row, and for autonomous proxies of a large fleet stretched so that together
 * they keep to the budget (R8).
 */
export function open(r: BreakerRecord, c: Conditions): void {
  const policy = c.policy;
  const stable = r.phase == Phase.Closed && r.closedAtMs > 0 && c.nowMs - r.closedAtMs >= policy.resetAfterMs;
  r.trips = stable ? 1 : min(r.trips + 1, 1000);
  const drawn = waitMs(r.trips, r.openForMs, policy.openMs, policy.openFactor, policy.openCapMs, policy.jitter, c.random);
  r.openForMs = drawn;
  r.openedAtMs = c.nowMs;
  r.reopensAtMs = c.nowMs + stretchMs(drawn, c.fleet.proxies, c.fleet.budget);
  r.rampStartMs = 0;
  enter(r, Phase.Open);
}

/** From OPEN to a trial with few probes. */
export function halfOpen(r: BreakerRecord, c: Conditions): void {
  enter(r, Phase.HalfOpen);
  r.probes = trialProbes(c.policy.probes, c.fleet, r.probesInFlight);
}

/**
 * Probes of one local trial: what the policy gives it, but no more than the proxy's part of the fleet's budget (R8), and less those
 * that an upstream which hangs still holds. Never none, or a proxy whose old requests never end would not find out that it answers again.
 */
export function trialProbes(wanted: i32, fleet: FleetShape, inFlight: i32): i32 {
  const part = fleet.proxies > 0 ? fleet.budget / fleet.proxies : wanted;
  return max(min(wanted, max(part, 1)) - inFlight, 1);
}

/** CLOSED with a linear ramp from `fromAdmit` basis points; ALL_BP: at once. */
export function close(r: BreakerRecord, nowMs: i64, fromAdmit: i32): void {
  enter(r, Phase.Closed);
  r.closedAtMs = nowMs;
  r.rampFrom = fromAdmit;
  r.rampStartMs = fromAdmit < ALL_BP ? nowMs : 0;
  // Those of a worker that died would be counted for ever.
  r.probesInFlight = 0;
}

/** Share that the local breaker lets through while CLOSED. */
export function localAdmit(r: BreakerRecord, nowMs: i64, policy: BreakerPolicy): i32 {
  if (r.phase != Phase.Closed) return 0;
  if (r.rampStartMs == 0) return ALL_BP;
  return rampAdmit(r.rampFrom, ALL_BP, r.rampStartMs, policy.rampMs, nowMs);
}
