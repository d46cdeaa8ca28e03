import type { Feature } from '../../contract/policy.ts';
import { demand } from '../counts.ts';
import { featuresOf, isSteered } from '../feature.ts';
import type { Evidence, FeatureRecord, FeatureRecovery, StepFigures } from '../model.ts';
import { type FeatureSample, gather } from '../sample.ts';
import type { Draft } from './draft.ts';
import type { RecoveryPattern, Situation } from './pattern.ts';
import type { PatternRegistry } from './registry.ts';
import { stabilityWindowMs } from './stability.ts';

/** What a tick brings from outside, beside state and evidence. */
export interface Surroundings {
  /** In [0, 1). */
  readonly random: () => number;
  readonly patterns: PatternRegistry;
  /** Priorities of features that ramp in other services of the same upstream group (R8). */
  readonly rampingElsewhere: readonly number[];
}

/** One tick of one service: the draft that it writes, and all that it may look at. */
export class RecoveryContext {
  readonly draft: Draft;
  readonly surroundings: Surroundings;
  readonly suspects = new Map<string, readonly string[]>();
  private readonly evidence: Evidence;
  private readonly samples = new Map<string, FeatureSample>();

  constructor(draft: Draft, evidence: Evidence, surroundings: Surroundings) {
    this.draft = draft;
    this.evidence = evidence;
    this.surroundings = surroundings;
  }

  get nowMs(): number {
    return this.draft.nowMs;
  }

  /** As it was when first asked for in this tick: a flag that changes meanwhile has no evidence yet. */
  sampleOf(name: string): FeatureSample {
    let sample = this.samples.get(name);
    if (!sample) {
      sample = gather(this.evidence, this.record(name), this.feature(name), this.nowMs);
      this.samples.set(name, sample);
    }
    return sample;
  }

  /** What the present step shows, without a proxy that fails alone. */
  figuresOf(name: string, { failedPercent }: { readonly failedPercent: number }): StepFigures {
    return { failedPercent, latencyMs: this.sampleOf(name).latencyMs };
  }

  record(name: string): FeatureRecord {
    return this.draft.record(name);
  }

  /** Of a feature that takes part in a recovery. */
  recovery(name: string): FeatureRecovery {
    const { recovery } = this.record(name);
    if (!recovery) throw new Error(`feature ${name} is in no recovery`);
    return recovery;
  }

  feature(name: string): Feature {
    const feature = featuresOf(this.draft.state.policy).get(name);
    if (!feature) throw new Error(`no feature ${name} in the policy of ${this.draft.state.service}`);
    return feature;
  }

  pattern(name: string): RecoveryPattern {
    return this.surroundings.patterns.get(this.feature(name).recovery.pattern);
  }

  situation(name: string): Situation {
    const settings = this.feature(name).recovery;
    const { recovery } = this.record(name);
    const outageMs = this.nowMs - (recovery?.outageStartedAtMs ?? this.nowMs);
    return {
      settings,
      // Fixed when the ramp starts (R12).
      stableMs: recovery && !this.isProbing(name) ? recovery.stableMs : stabilityWindowMs(outageMs, settings.stableForMs),
      demandPerMs: this.sampleOf(name).demandPerMs,
      random: this.surroundings.random,
    };
  }

  /** DISABLED: only probes reach the upstream. */
  isProbing(name: string): boolean {
    return this.record(name).state === 'DISABLED';
  }

  /** No request wanted it for a whole window. */
  isIdle(name: string): boolean {
    const sample = this.sampleOf(name);
    const quietMs = Math.max(this.feature(name).health.windowMs, 3 * sample.intervalMs);
    return this.nowMs - this.record(name).sinceMs >= quietMs && demand(sample.window) === 0;
  }

  isRamping(name: string): boolean {
    return isSteered(this.draft.state, name) && this.record(name).recovery?.phase === 'ramping' && !this.isIdle(name);
  }
}
