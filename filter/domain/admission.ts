import { BLEND_MS, BreakerRecord, close, Conditions, localAdmit, open, Phase } from "./breaker";
import { BreakerPolicy } from "./policy";
import { ALL_BP, rampAdmit } from "./admit-share";
import { hasPermit } from "./trial";

/** What the control plane allows (design section 2). */
export enum FlagState {
  Disabled = 0,
  Testing = 1,
  Enabled = 2,
}

/** The fleet's or a person's word on a feature, as this proxy holds it. */
export class Flag {
  step: i64 = 0;
  state: FlagState = FlagState.Enabled;
  /** Basis points. */
  admit: i32 = ALL_BP;
  byPerson: bool = false;
  /** Monotonic ms when a person's flag runs out; -1: never. */
  expiresAtMs: i64 = -1;
}

/** What a request of the feature meets now. */
export enum Gate {
  Pass = 0,
  /** Passes when its share is below `admit`. */
  Share = 1,
  /** Passes with one of the trial's probes, else refused. */
  Probe = 2,
  /** Passes with a permit of the fleet, else refused. */
  Permit = 3,
  Refuse = 4,
}

/** Why a request was refused: the `reason` of the degraded reply. */
export enum Refusal {
  None = 0,
  /** Breaker phase OPEN or HALF_OPEN without a probe left. */
  Open = 1,
  /** Flag DISABLED. */
  Disabled = 2,
  /** Outside the share that a flag or a ramp lets through. */
  Share = 3,
}

export class Admission {
  gate: Gate = Gate.Pass;
  /** Basis points, of Gate.Share. */
  admit: i32 = ALL_BP;
  refusal: Refusal = Refusal.None;
  /** Whether outcomes are judged by the breaker: not while a person forces the feature. */
  judged: bool = true;
  /** Whether a trial may start when the open time is over. */
  mayHalfOpen: bool = true;

  set(gate: Gate, admit: i32, refusal: Refusal, judged: bool, mayHalfOpen: bool): void {
    this.gate = gate;
    this.admit = admit;
    this.refusal = refusal;
    this.judged = judged;
    this.mayHalfOpen = mayHalfOpen;
  }
}

/** Whether the flag decides: a person's until it expires, a recovery's while the proxy is governed (R2, R3). */
export function flagHolds(flag: Flag, governed: bool, nowMs: i64): bool {
  if (flag.byPerson) return flag.expiresAtMs < 0 || nowMs < flag.expiresAtMs;
  return governed;
}

/** Share that the flag allows. */
function flagAdmit(flag: Flag): i32 {
  if (flag.state == FlagState.Enabled) return ALL_BP;
  return flag.state == FlagState.Disabled ? 0 : flag.admit;
}

/**
 * Fills in what a request meets now. Order of design section 3: override, DISABLED (permits pass), TESTING share, breaker phase.
 * Modes are the caller's business.
 */
export function decide(out: Admission, r: BreakerRecord, flag: Flag, holds: bool, policy: BreakerPolicy, nowMs: i64): void {
  if (holds && flag.byPerson) {
    if (flag.state == FlagState.Enabled) out.set(Gate.Pass, ALL_BP, Refusal.None, false, false);
    else if (flag.state == FlagState.Disabled) out.set(Gate.Refuse, 0, Refusal.Disabled, false, false);
    else out.set(Gate.Share, flag.admit, Refusal.Share, false, false);
    return;
  }
  let allowed = holds ? flagAdmit(flag) : ALL_BP;
  if (holds && r.blendStartMs > 0) allowed = rampAdmit(r.blendFrom, allowed, r.blendStartMs, BLEND_MS, nowMs);
  // A share that begins to rise from nothing is no flag that refuses.
  if (allowed == 0 && flagAdmit(flag) == 0) {
    out.set(hasPermit(r, nowMs) ? Gate.Permit : Gate.Refuse, 0, Refusal.Disabled, false, false);
    return;
  }
  if (r.phase == Phase.Open) out.set(Gate.Refuse, 0, Refusal.Open, true, true);
  else if (r.phase == Phase.HalfOpen) out.set(Gate.Probe, 0, Refusal.Open, true, true);
  else {
    const admit = min(allowed, localAdmit(r, nowMs, policy));
    if (admit >= ALL_BP) out.set(Gate.Pass, ALL_BP, Refusal.None, true, true);
    else out.set(Gate.Share, admit, Refusal.Share, true, true);
  }
}

/** A record that nothing has happened to yet. */
function isFresh(r: BreakerRecord): bool {
  return r.step < 0 && r.epoch == 1;
}

/** Whether the record does not yet follow the flag and the lease, so that `follow` has work to do. */
export function mustFollow(r: BreakerRecord, flag: Flag, holds: bool): bool {
  if (!holds && flag.state == FlagState.Enabled && isFresh(r)) return false;
  return r.attached != holds || r.step != flag.step;
}

/**
 * Brings the record in line with the flag and the lease.
 * - A new step while the flag holds: local phase dropped, CLOSED, new epoch (R1).
 * - The flag begins to hold again after the proxy had been on its own: from the share it lets through now it moves linearly (R3).
 *   At first contact there was no share to keep: the flag holds at once.
 * - The flag no longer holds: DISABLED becomes OPEN with local backoff, TESTING a local ramp from its share, ENABLED stays (R3).
 * - A flag that never held is taken for a hint on first sight only; later ones wait for the lease (R2).
 */
export function follow(r: BreakerRecord, flag: Flag, holds: bool, c: Conditions): void {
  const nowMs = c.nowMs;
  const fresh = isFresh(r);
  if (holds) {
    const newStep = r.step != flag.step;
    // The way back from being alone ends at a person's word, and at the fleet's to stop.
    if (flag.byPerson || (newStep && r.attached && flag.state == FlagState.Disabled)) {
      r.blendStartMs = 0;
    } else if (!r.attached && !fresh) {
      r.blendFrom = localAdmit(r, nowMs, c.policy);
      r.blendStartMs = r.blendFrom == flagAdmit(flag) ? 0 : nowMs;
    }
    if (newStep || (!r.attached && flag.state == FlagState.Disabled)) {
      close(r, nowMs, ALL_BP);
      r.trips = 0;
      r.openForMs = 0;
      r.permits = 0;
    }
  } else if (r.attached || fresh) {
    r.blendStartMs = 0;
    if (flag.state == FlagState.Disabled) {
      open(r, c);
    } else if (flag.state == FlagState.Testing && r.phase == Phase.Closed) {
      close(r, nowMs, flag.admit);
    }
  }
  r.attached = holds;
  r.step = flag.step;
}
