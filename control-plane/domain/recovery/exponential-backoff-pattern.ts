import { backoffMs } from './backoff.ts';
import type { AttemptPlan, Move, Progress, RecoveryPattern, Situation } from './pattern.ts';

/** Probes with growing, jittered waits; when they succeed the feature is ENABLED at once. */
export class ExponentialBackoffPattern implements RecoveryPattern {
  readonly name: string = 'exponential-backoff';

  /** The exponent grows with every failure until the outage is over for `resetAfterMs`: a short success proves no stability. */
  nextAttempt(progress: Progress, { settings, random }: Situation): AttemptPlan {
    return {
      waitMs: backoffMs(settings.backoff, progress.attempt, progress.waitMs, random),
      isHeld: progress.attempt >= settings.maxAttempts && settings.onExhausted === 'hold',
    };
  }

  onSuccess(progress: Progress, _situation: Situation): Move {
    return { to: 'enabled', progress, waitMs: 0, alert: null, isHeld: false, reason: { because: 'probes-succeeded' } };
  }

  onFailure(before: Progress, situation: Situation, failedPercent: number): Move {
    const attempt = before.attempt + 1;
    const { waitMs, isHeld } = this.nextAttempt({ ...before, attempt }, situation);
    return {
      to: 'probes',
      progress: { ...before, attempt, waitMs },
      waitMs,
      alert: stuckAlert(attempt, situation.settings.maxAttempts),
      isHeld,
      reason: { because: 'attempt-failed', numbers: { attempt, failedPercent, waitMs } },
    };
  }
}

/** People are told each time that so many attempts failed; in between it goes on quietly (R6). */
export function stuckAlert(attempt: number, maxAttempts: number): 'stuck' | null {
  return attempt % maxAttempts === 0 ? 'stuck' : null;
}
