import { BreakerRecord, close, Conditions, FIRST_RAMP_ADMIT, open, Phase } from "./breaker";
import { BreakerPolicy } from "./policy";

/** A probe that hangs is judged by its own worker on one of the ticks after its time; only later does it count as lost. */
const LOST_AFTER_MS: i64 = 250;

/** Takes one of the trial's probes; false when all are given out. */
export function takeProbe(r: BreakerRecord, nowMs: i64): bool {
  if (r.phase != Phase.HalfOpen || r.probesTaken >= r.probes) return false;
  r.probesTaken++;
  r.probesInFlight++;
  r.probedAtMs = nowMs;
  return true;
}

/** A probe that ended without an outcome (client gone) is given back. */
export function returnProbe(r: BreakerRecord): bool {
  if (r.phase != Phase.HalfOpen || r.probesTaken <= r.probesSucceeded + r.probesFailed) return false;
  r.probesTaken--;
  return true;
}

/** A probe's request has ended, whatever became of its trial. */
export function endProbe(r: BreakerRecord): bool {
  if (r.probesInFlight <= 0) return false;
  r.probesInFlight--;
  return true;
}

/** Counts a probe's outcome; closes when enough have succeeded, opens again when enough no longer can. */
export function settleProbe(r: BreakerRecord, succeeded: bool, c: Conditions): bool {
  if (r.phase != Phase.HalfOpen) return false;
  if (succeeded) r.probesSucceeded++;
  else r.probesFailed++;
  const needed = (r.probes * c.policy.probeSuccessPercent + 99) / 100;
  if (r.probesSucceeded >= needed) close(r, c.nowMs, FIRST_RAMP_ADMIT);
  else if (r.probesFailed > r.probes - needed) open(r, c);
  return true;
}

/** Whether probes were given out whose outcome should have come by now. */
export function hasLostProbes(r: BreakerRecord, nowMs: i64, policy: BreakerPolicy): bool {
  if (r.phase != Phase.HalfOpen || r.probesTaken <= r.probesSucceeded + r.probesFailed) return false;
  return nowMs - r.probedAtMs >= policy.probeTimeoutMs + LOST_AFTER_MS;
}

/** Probes whose outcome never came (a worker died) are given out anew, a little more than a timeout after the last one. True when something changed. */
export function rearmTrial(r: BreakerRecord, nowMs: i64, policy: BreakerPolicy): bool {
  if (!hasLostProbes(r, nowMs, policy)) return false;
  const settled = r.probesSucceeded + r.probesFailed;
  r.probesInFlight = max(r.probesInFlight - (r.probesTaken - settled), 0);
  r.probesTaken = settled;
  return true;
}

/** Uses one of the fleet's permits. */
export function takePermit(r: BreakerRecord, nowMs: i64): bool {
  if (!hasPermit(r, nowMs)) return false;
  r.permits--;
  return true;
}

/** Gives back a permit that was taken in this callback and not used. */
export function returnPermit(r: BreakerRecord, nowMs: i64): bool {
  if (r.permitStep != r.step || nowMs >= r.permitsUntilMs) return false;
  r.permits++;
  return true;
}

export function hasPermit(r: BreakerRecord, nowMs: i64): bool {
  return r.permits > 0 && r.permitStep == r.step && nowMs < r.permitsUntilMs;
}
