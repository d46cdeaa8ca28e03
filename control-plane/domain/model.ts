import type { BreakerPhase, FeatureHealth, FeatureState } from '../contract/names.ts';
import type { Policy } from '../contract/policy.ts';

/** Figures behind a verdict, named with their unit (`observedPercent`, `waitMs`). */
export type Numbers = Readonly<Record<string, number | string | boolean>>;

/** Why something is as it is: a stable kebab-case code and the figures that led to it (R17). */
export interface Reason {
  readonly because: string;
  readonly numbers?: Numbers;
}

/** A person's word on a feature (R14). FORCED_OPEN: nothing passes; FORCED_CLOSED: all passes; HOLD: the share `admit` passes. */
export interface Override {
  readonly kind: 'FORCED_OPEN' | 'FORCED_CLOSED' | 'HOLD';
  /** Basis points; only of HOLD. */
  readonly admit?: number;
  readonly reason: string;
  readonly author: string;
  readonly createdAtMs: number;
  /** null: never, which a person must have spelt out. */
  readonly expiresAtMs: number | null;
  /** When the daily reminder of an override without an end was last given. */
  readonly remindedAtMs?: number;
}

/** Where a feature stands in its recovery. */
export interface FeatureRecovery {
  readonly phase: 'blocked' | 'waiting' | 'probing' | 'ramping' | 'ceiling' | 'held' | 'done';
  /** Failed attempts so far; one without a sample is no attempt (R6). */
  readonly attempt: number;
  /** Epoch ms of the next attempt, or of the next try of a failed step. */
  readonly nextAttemptAtMs: number;
  /** The last wait drawn, before the attempt at `nextAttemptAtMs`. */
  readonly waitMs: number;
  /** Index of the current step in `rampPercent`; -1: probes. */
  readonly rampIndex: number;
  /** Highest index that passed; -1: none. */
  readonly passedIndex: number;
  /** Failures per ramp index (R11). */
  readonly stepFailures: readonly number[];
  readonly stepStartedAtMs: number;
  /** Outcomes reported before this moment count no more for the present attempt or step (R7). */
  readonly sampleFromMs: number;
  /** Came back to the highest passed step after a failure above it; failing here too means DISABLED (R11). */
  readonly fellBack: boolean;
  /** Whether it failed once in this recovery, so that it holds up no later wave (R13). */
  readonly failedOnce: boolean;
  /** Openings within `resetAfterMs` of the last recovery; each doubles `settleMs` (R4). */
  readonly refailures: number;
  /** How long it must be ENABLED before it satisfies its dependants (R4). */
  readonly settleMs: number;
  /** Stability window of the steps of this ramp, fixed when the ramp starts (R12). */
  readonly stableMs: number;
  /** First opening of this outage (R12). */
  readonly outageStartedAtMs: number;
  /** A person's leave to skip the wait that it stands in; used up by the next attempt or rise (R14). */
  readonly promotion: Reason | null;
  /** What the last step, or the last window of this one, showed: while it gets worse the ramp holds. null: nothing to compare with. */
  readonly lastStep: StepFigures | null;
  readonly reason: Reason;
}

/** How a step went. */
export interface StepFigures {
  readonly failedPercent: number;
  /** Mean; null: not known. */
  readonly latencyMs: number | null;
}

/** One feature as the store holds it. */
export interface FeatureRecord {
  readonly name: string;
  readonly state: FeatureState;
  /** Basis points that may reach the upstream. */
  readonly admit: number;
  /** Id of the last change to the flag: the revision that made it (R1). */
  readonly step: number;
  readonly sinceMs: number;
  readonly reason: Reason;
  readonly health: FeatureHealth;
  readonly healthSinceMs: number;
  readonly healthReason: Reason;
  /** Since when the health is kept without enough samples to judge it anew; null: it was judged by the present window. */
  readonly healthKeptSinceMs: number | null;
  readonly override: Override | null;
  readonly recovery: FeatureRecovery | null;
  /** Last time the feature became ENABLED after a recovery; 0: never. */
  readonly recoveredAtMs: number;
}

export interface TimelineEntry {
  readonly atMs: number;
  readonly feature?: string;
  /** Stable code: `recovery-started`, `probe-attempt`, `step-passed`, `enabled`, … */
  readonly event: string;
  readonly reason: Reason;
}

/** The recovery of one service; at most one runs at a time (R13). */
export interface Recovery {
  readonly id: string;
  readonly service: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  readonly startedBy: string;
  readonly result: 'recovered' | 'recovered-locally' | 'aborted' | 'superseded' | null;
  /** Features in the order in which they start: waves by priority and dependency. */
  readonly plan: readonly (readonly string[])[];
  readonly timeline: readonly TimelineEntry[];
  /** In the order of time; the last one may still be on. */
  readonly pauses: readonly Pause[];
  /** How often people stepped in. */
  readonly interventions: number;
}

/** A span in which a person keeps everything from rising (R14). */
export interface Pause {
  readonly fromMs: number;
  readonly endedAtMs: number | null;
  /** null: never, which a person must have spelt out. */
  readonly expiresAtMs: number | null;
  readonly author: string;
  readonly reason: string;
  /** When the daily reminder of a pause without an end was last given. */
  readonly remindedAtMs?: number;
}

/** All that the fleet remembers of a service; stored as a whole, guarded by `revision` and `version`. */
export interface ServiceState {
  readonly service: string;
  readonly policy: Policy;
  /** Grows by one per change that filters must see. */
  readonly revision: number;
  /** Revision that last changed the policy. */
  readonly policyRevision: number;
  /** Grows by one per write, whether filters must see it or not. */
  readonly version: number;
  readonly features: Readonly<Record<string, FeatureRecord>>;
  readonly recovery: Recovery | null;
  /** Nodes that reported, so that a cold start knows whom to wait for (R16). */
  readonly nodes: readonly string[];
  /** A person aborted the recovery: proxies recover by themselves until the next one starts (R14). */
  readonly released: boolean;
}

/** A flag as filters obey it, and whose word it is. */
export interface FlagWord {
  readonly state: FeatureState;
  readonly admit: number;
  readonly by: 'recovery' | 'person';
}

/** One change of a feature's flag, as audited. */
export interface Transition {
  readonly feature: string;
  readonly from: FlagWord;
  readonly to: FlagWord;
  readonly reason: Reason;
}

/** Sums over some span. `ignored` were admitted but count neither way. */
export interface Counts {
  readonly admitted: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly ignored: number;
  readonly slow: number;
  readonly refused: number;
}

/** What one proxy showed of one feature, from reports no more than three intervals apart (R9). */
export interface FeatureEvidence {
  readonly step: number;
  readonly phase: BreakerPhase;
  /** Over the feature's health window, current step only. */
  readonly window: Counts;
  /** Since the current step began. */
  readonly sinceStep: Counts;
  /** Since `sampleFromMs` of the feature's recovery, current step only. */
  readonly sample: Counts;
  /** Count per latency bucket of `sample`; empty: not known. */
  readonly sampleLatency: readonly number[];
  /** Ages of the first and the last report with an outcome in `sample`; null: none. */
  readonly firstSampleAgeMs: number | null;
  readonly lastSampleAgeMs: number | null;
}

/** What one node showed; its newest instance speaks for it (R10). */
export interface ProxyEvidence {
  readonly node: string;
  readonly instance: string;
  readonly uptimeMs: number;
  readonly lastReportAgeMs: number;
  readonly intervalMs: number;
  readonly reportsSinceStart: number;
  readonly governed: boolean;
  /** How long ago it last reported that it held no lease; null: never seen so (R3). */
  readonly ungovernedAgeMs: number | null;
  readonly features: Readonly<Record<string, FeatureEvidence>>;
}

/** What the fleet knows at one moment; only nodes heard of within three of their intervals. */
export interface Evidence {
  readonly proxies: readonly ProxyEvidence[];
}

/** What a tick decides. `state` differs from the input only if something changed. */
export interface StepResult {
  readonly state: ServiceState;
  /** Flag changes: together one revision. */
  readonly transitions: readonly Transition[];
  /** Timeline entries that this tick added, and refusals to act that changed. */
  readonly events: readonly TimelineEntry[];
  /** Reasons with this moment's figures, by feature; not stored, for whoever asks why right now (R17). */
  readonly live?: Readonly<Record<string, LiveReasons>>;
  /** Proxies that fail alone, by feature (R10). */
  readonly suspects?: Readonly<Record<string, readonly string[]>>;
}

/** What holds at this very moment for one feature. */
export interface LiveReasons {
  readonly health: Reason;
  /** Why its recovery stands where it does; null: it is not in one. */
  readonly recovery: Reason | null;
}

/** A command that cannot be carried out, as a value: a stable code and what it is about. */
export interface Refusal {
  readonly refused: string;
  readonly detail: string;
  readonly features: readonly string[];
}

export function isRefusal(result: StepResult | Refusal): result is Refusal {
  return 'refused' in result;
}
