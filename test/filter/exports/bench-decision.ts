import { Admission, decide, Flag, Gate } from "../../../filter/domain/admission";
import { BreakerRecord } from "../../../filter/domain/breaker";
import { BreakerPolicy } from "../../../filter/domain/policy";
import { reaches, TRIP_PERCENT } from "../../../filter/domain/trip-rule";
import { Window } from "../../../filter/domain/window";

const policy = new BreakerPolicy();
policy.minimumRequests = 20;
policy.failureRatePercent = 50;
policy.consecutiveFailures = 10;
const window = new Window(10_000, 10);
const record = new BreakerRecord();
const admission = new Admission();
decide(admission, record, new Flag(), false, policy, 0);

/** One request through a breaker: is it let through, what came of it, and does that trip. True when it passed. */
export function request(nowMs: i64, failed: bool): bool {
  if (admission.gate != Gate.Pass) return false;
  window.record(nowMs, failed, false);
  if (failed) return !reaches(TRIP_PERCENT, policy, window.succeeded, window.failed, window.slow, window.consecutiveFailures, false);
  return true;
}
