import { LONGEST_WAIT_MS } from '../feature.ts';
import { ExponentialBackoffPattern, stuckAlert } from './exponential-backoff-pattern.ts';
import type { AttemptPlan, Move, Progress, RecoveryPattern, Situation } from './pattern.ts';

/** A step that had passed and fails at this rate sends the feature back to the probes at once (R11). */
const SEVERE_PERCENT = 80;
/** So many failures of one step make it the ceiling (R11). */
const FAILURES_TO_CEILING = 3;

/** Probes, then a ramp in steps; a failed step goes back one rung rather than to nothing (R7, R11). */
export class PartialRecoveryPattern implements RecoveryPattern {
  readonly name: string = 'partial';
  private readonly attempts = new ExponentialBackoffPattern();

  nextAttempt(progress: Progress, situation: Situation): AttemptPlan {
    return this.attempts.nextAttempt(progress, situation);
  }

  onSuccess(progress: Progress, situation: Situation): Move {
    const passedIndex = Math.max(progress.passedIndex, progress.rampIndex);
    const wanted = progress.rampIndex < 0 ? Math.max(0, progress.passedIndex - 1) : progress.rampIndex + 1;
    const rampIndex = firstTestable(wanted, situation);
    const skipped = rampIndex - wanted;
    const next = { ...progress, rampIndex, passedIndex, fellBack: false };
    const percent = situation.settings.rampPercent[rampIndex];
    const calm = { progress: next, waitMs: 0, alert: null, isHeld: false };
    if (percent === undefined) {
      return { ...calm, to: 'enabled', reason: { because: skipped > 0 ? 'low-traffic' : 'ramp-passed', numbers: { skipped } } };
    }
    const because = progress.rampIndex < 0 ? 'probes-succeeded' : 'step-passed';
    return { ...calm, to: 'step', reason: { because, numbers: { percent, skipped } } };
  }

  onFailure(progress: Progress, situation: Situation, failedPercent: number): Move {
    if (progress.rampIndex < 0) return this.attempts.onFailure(progress, situation, failedPercent);
    const stepFailures = withOneMore(progress.stepFailures, progress.rampIndex);
    const failed = { ...progress, stepFailures };
    return failed.rampIndex > failed.passedIndex
      ? this.fallTo(failed.passedIndex, failed, situation, failedPercent)
      : this.failPassedStep(failed, situation, failedPercent);
  }

  /** A step that had passed fails: once it is back there, or at a severe rate, nothing below it is believed either. */
  private failPassedStep(failed: Progress, situation: Situation, failedPercent: number): Move {
    const isLost = failed.fellBack || failedPercent >= SEVERE_PERCENT;
    const index = isLost ? -1 : failed.rampIndex - 1;
    return this.fallTo(index, { ...failed, passedIndex: index }, situation, failedPercent);
  }

  private fallTo(index: number, failed: Progress, situation: Situation, failedPercent: number): Move {
    const { rampPercent, backoff } = situation.settings;
    const failures = failed.stepFailures[failed.rampIndex] ?? 0;
    const alert = failures >= FAILURES_TO_CEILING ? 'ceiling' : null;
    const stepWaitMs = spread(doubled(Math.max(situation.stableMs, backoff.baseMs), failures - 1), situation.random);
    const numbers = { failedPercent, failures, fromPercent: rampPercent[failed.rampIndex] ?? 0, toPercent: rampPercent[index] ?? 0 };
    if (index >= 0) {
      const progress = { ...failed, rampIndex: index, fellBack: true };
      const reason = { because: 'step-failed', numbers: { ...numbers, waitMs: stepWaitMs } };
      return { to: 'step', progress, waitMs: stepWaitMs, alert, isHeld: false, reason };
    }
    const attempt = failed.attempt + 1;
    const plan = this.nextAttempt({ ...failed, attempt }, situation);
    const waitMs = Math.max(stepWaitMs, plan.waitMs);
    const progress = { ...failed, attempt, rampIndex: -1, passedIndex: -1, fellBack: false, waitMs: plan.waitMs };
    const reason = { because: 'step-failed', numbers: { ...numbers, attempt, waitMs } };
    return {
      to: 'probes',
      progress,
      waitMs,
      alert: stuckAlert(attempt, situation.settings.maxAttempts) ?? alert,
      isHeld: plan.isHeld,
      reason,
    };
  }
}

/** The first step from `index` on that can reach its samples within one stability window; steps that cannot are skipped (R7). */
function firstTestable(index: number, { settings, stableMs, demandPerMs }: Situation): number {
  const { rampPercent, minimumSamples } = settings;
  let first = index;
  while (first < rampPercent.length && (demandPerMs * stableMs * rampPercent[first]!) / 100 < minimumSamples) first++;
  return first;
}

export function withOneMore(stepFailures: readonly number[], index: number): readonly number[] {
  const counted = Array.from({ length: Math.max(stepFailures.length, index + 1) }, (_, i) => stepFailures[i] ?? 0);
  counted[index]!++;
  return counted;
}

/** Up to a quarter longer, so that what failed together does not try again together. */
function spread(waitMs: number, random: () => number): number {
  return Math.min(LONGEST_WAIT_MS, Math.round(waitMs * (1 + random() / 4)));
}

/** base × 2^times, at most half an hour. */
export function doubled(baseMs: number, times: number): number {
  return Math.min(LONGEST_WAIT_MS, baseMs * 2 ** Math.max(0, times));
}
