import { Jitter } from "./policy";

/** Autonomous proxies stretch their probe interval no further than this (rule R8). */
const STRETCH_CAP_MS: i64 = 30_000;
/** About 35,000 years; three times this still fits an i64. */
const LONGEST_MS: i64 = 1 << 50;

/**
 * How long the breaker stays open after trip number `trips` in a row (1-based). Never below 0, never above `capMs`. The
 * formulas are those of M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015, with `factor` in place of
 * 2. `previousMs` is the last wait (decorrelated only; 0 on the first trip), `random` is drawn from [0, 1).
 */
export function waitMs(
  trips: i32,
  previousMs: i64,
  baseMs: i64,
  factor: i32,
  capMs: i64,
  jitter: Jitter,
  random: f64,
): i64 {
  const cap = clamp(capMs, 0, LONGEST_MS);
  const base = clamp(baseMs, 0, cap);
  switch (jitter) {
    case Jitter.Full:
      return between(0, envelopeMs(trips, base, factor, cap), random);
    case Jitter.Equal: {
      const envelope = envelopeMs(trips, base, factor, cap);
      return between(envelope / 2, envelope, random);
    }
    case Jitter.Decorrelated:
      return min(cap, between(base, clamp(previousMs, base, cap) * 3, random));
    default: // None
      return envelopeMs(trips, base, factor, cap);
  }
}

/**
 * Interval between probes of a proxy without the fleet's lead: n/budget times longer, at most 30 s, never shorter than it
 * was (R8).
 */
export function stretchMs(intervalMs: i64, proxies: i32, budget: i32): i64 {
  if (intervalMs >= STRETCH_CAP_MS || intervalMs <= 0) return intervalMs;
  const divisor = <i64>max(1, budget);
  const stretched = (intervalMs * max(1, proxies) + divisor - 1) / divisor;
  return clamp(stretched, intervalMs, STRETCH_CAP_MS);
}

/** base × factor^(trips − 1), at most `cap`. */
function envelopeMs(trips: i32, base: i64, factor: i32, cap: i64): i64 {
  if (factor <= 1 || base == 0) return base;
  let envelope = base;
  for (let trip = 1; trip < trips && envelope < cap; trip++) {
    envelope = envelope > cap / factor ? cap : envelope * factor;
  }
  return envelope;
}

function between(from: i64, to: i64, random: f64): i64 {
  // `!(random > 0)` also takes NaN.
  if (!(random > 0)) return from;
  return min(to, from + <i64>(min(random, 1.0) * <f64>(to - from)));
}

function clamp(value: i64, low: i64, high: i64): i64 {
  return value < low ? low : value > high ? high : value;
}
