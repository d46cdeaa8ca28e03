import { BreakerPolicy } from "./policy";

/** All of the way to a trip. */
export const TRIP_PERCENT: i32 = 100;

/**
 * Whether a window is `percent` of the way to a trip or further: so much of the minimum of outcomes and of a rate's threshold, or of
 * the failures in a row.
 */
export function reaches(
  percent: i32, policy: BreakerPolicy, succeeded: i32, failed: i32, slow: i32, consecutive: i32, judgesSlow: bool,
): bool {
  const inARow = <i64>policy.consecutiveFailures * percent;
  if (inARow > 0 && <i64>consecutive * 100 >= inARow) return true;
  // Requests that hang are slow before they end as anything.
  const total = max(<i64>succeeded + <i64>failed, <i64>slow);
  if (total * 100 < <i64>policy.minimumRequests * percent) return false;
  if (<i64>failed * 10_000 >= <i64>policy.failureRatePercent * percent * total) return true;
  return judgesSlow && <i64>slow * 10_000 >= <i64>policy.slowRatePercent * percent * total;
}
