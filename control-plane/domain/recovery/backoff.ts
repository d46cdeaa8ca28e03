import type { Feature } from '../../contract/policy.ts';

export type BackoffSettings = Feature['recovery']['backoff'];

/**
 * Wait in ms before the attempt after `failures` failed ones (0: the first): base × factor^failures, never beyond the cap, then jitter.
 * The kinds are those of M. Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015): full draws all of the wait,
 * equal draws its second half, decorrelated draws between the base and three times the last wait.
 */
export function backoffMs(settings: BackoffSettings, failures: number, lastWaitMs: number, random: () => number): number {
  const { baseMs, factor, capMs, jitter } = settings;
  const fullMs = Math.min(capMs, baseMs * factor ** failures);
  switch (jitter) {
    case 'none':
      return Math.round(fullMs);
    case 'full':
      return Math.round(random() * fullMs);
    case 'equal':
      return Math.round(fullMs / 2 + (random() * fullMs) / 2);
    case 'decorrelated':
      return Math.round(Math.min(capMs, between(baseMs, Math.max(baseMs, lastWaitMs) * 3, random)));
  }
}

function between(low: number, high: number, random: () => number): number {
  return low + random() * (high - low);
}
