/** All of the requests, in basis points. */
export const ALL_BP: i32 = 10_000;

/**
 * Place of a sticky key in 0..9999, from a hash with good high bits (see sip-hash.ts). A request passes when its place is
 * below the admit share, so raising the share keeps everybody who was in.
 */
export function shareOf(hash: u64): i32 {
  return <i32>(((hash >> 32) * ALL_BP) >> 32);
}

/** Admit share (basis points) of a linear ramp at `nowMs`. Before its start `fromBp`, after its end `toBp`. */
export function rampAdmit(fromBp: i32, toBp: i32, startMs: i64, durationMs: i64, nowMs: i64): i32 {
  const elapsed = nowMs - startMs;
  if (elapsed < 0) return fromBp;
  if (elapsed >= durationMs) return toBp;
  // Shares are small, so a product with any duration below 2^48 ms fits.
  return fromBp + <i32>((<i64>(toBp - fromBp) * elapsed) / durationMs);
}
