import type { Feature } from '../../contract/policy.ts';
import type { FeatureRecovery, Reason } from '../model.ts';

export type RecoverySettings = Feature['recovery'];

/** All the state that a pattern has: where one feature stands. A pattern never keeps anything itself. */
export type Progress = Pick<FeatureRecovery, 'attempt' | 'waitMs' | 'rampIndex' | 'passedIndex' | 'stepFailures' | 'fellBack'>;

/** What a pattern may look at besides. */
export interface Situation {
  readonly settings: RecoverySettings;
  /** Stability window of this ramp in ms (R12). */
  readonly stableMs: number;
  /** Requests a millisecond that want to reach the upstream. */
  readonly demandPerMs: number;
  /** In [0, 1). */
  readonly random: () => number;
}

/** Attempt control: when the next attempt may begin. */
export interface AttemptPlan {
  readonly waitMs: number;
  /** The policy wants a person to decide before the next attempt (`onExhausted: hold`). */
  readonly isHeld: boolean;
}

/**
 * Where a feature goes next: to the probes (DISABLED), to a step of the ramp (TESTING at `rampPercent[rampIndex]`), or ENABLED.
 * `waitMs` runs before the next attempt, or before the step above is tried.
 */
export interface Move {
  readonly to: 'probes' | 'step' | 'enabled';
  readonly progress: Progress;
  readonly waitMs: number;
  /** People are told: the step above failed too often (R11), or too many attempts did (R6). */
  readonly alert: 'ceiling' | 'stuck' | null;
  /** Nothing more until a person decides. */
  readonly isHeld: boolean;
  readonly reason: Reason;
}

/**
 * How a feature comes back, as pure functions of its progress. The manager asks; it alone checks dependencies, evidence and load, and
 * changes flags. Success and failure are those of the present attempt (`rampIndex` −1) or of the present step.
 */
export interface RecoveryPattern {
  readonly name: string;
  nextAttempt(progress: Progress, situation: Situation): AttemptPlan;
  onSuccess(progress: Progress, situation: Situation): Move;
  onFailure(progress: Progress, situation: Situation, failedPercent: number): Move;
}
