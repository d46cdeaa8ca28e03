/** No step is stable in less. */
const SHORTEST_STABLE_MS = 1000;
/** Evidence that no further report confirmed for this many windows is void; after as many, a step with little traffic may pass (R7). */
export const WINDOWS_PER_VERDICT = 3;
/** Traffic thinner than one request in this time is too thin to be evidence of anything. */
const THINNEST_GAP_MS = 600_000;

/** Stability window in ms of a ramp's steps: a tenth of the outage so far, at least a second, at most `stableForMs` (R12). */
export function stabilityWindowMs(outageMs: number, stableForMs: number): number {
  return Math.min(stableForMs, Math.max(SHORTEST_STABLE_MS, Math.round(outageMs / 10)));
}

export interface SampleTimes {
  readonly nowMs: number;
  /** Since when outcomes count. */
  readonly fromMs: number;
  readonly outcomes: number;
  readonly firstAgeMs: number | null;
  readonly lastAgeMs: number | null;
  /** Longest report interval among the proxies. */
  readonly intervalMs: number;
}

/**
 * Whether the outcomes gathered so far are too old to be added to new ones (R7). A window is never shorter than a report interval, nor,
 * with little traffic, than the mean gap between outcomes: one request a minute must be able to recover.
 */
export function isVoid(times: SampleTimes, windowMs: number): boolean {
  if (times.lastAgeMs === null || times.outcomes === 0) return false;
  const gatheredMs = times.nowMs - times.fromMs - times.lastAgeMs;
  const gapMs = Math.min(THINNEST_GAP_MS, gatheredMs / times.outcomes);
  return times.lastAgeMs > WINDOWS_PER_VERDICT * Math.max(windowMs, times.intervalMs, gapMs);
}

/** How long outcomes have been seen in ms: from the beginning, unless traffic only came later. */
export function observedMs(times: SampleTimes, windowMs: number): number {
  if (times.firstAgeMs === null) return 0;
  const ageMs = times.nowMs - times.fromMs;
  const cameAfterMs = ageMs - times.firstAgeMs;
  return cameAfterMs <= Math.max(windowMs, WINDOWS_PER_VERDICT * times.intervalMs) ? ageMs : times.firstAgeMs;
}
