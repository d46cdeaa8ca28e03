import { withDefaults } from '../../../control-plane/contract/defaults.ts';
import { LATENCY_BUCKETS_MS } from '../../../control-plane/contract/limits.ts';
import { type Feature, Policy } from '../../../control-plane/contract/policy.ts';
import type { FeatureReport, Report } from '../../../control-plane/contract/report.ts';
import { NO_COUNTS } from '../../../control-plane/domain/counts.ts';
import {
  type Counts,
  type Evidence,
  type FeatureEvidence,
  isRefusal,
  type Override,
  type ProxyEvidence,
  type Recovery,
  type Refusal,
  type ServiceState,
  type StepResult,
} from '../../../control-plane/domain/model.ts';
import { applyPolicy } from '../../../control-plane/domain/policy-change.ts';

/** 14 November 2023, so that epoch times look like epoch times. */
export const T0 = 1_700_000_000_000;

type Deep<T> = T extends readonly (infer U)[] ? readonly Deep<U>[] : T extends object ? { readonly [K in keyof T]?: Deep<T[K]> } : T;

export type FeatureSketch = Deep<Omit<Feature, 'dependsOn'>> & {
  readonly name: string;
  readonly dependsOn?: readonly (string | [string, 'hard'])[];
};
export type PolicySketch = Deep<Omit<Policy, 'features'>>;

/** A policy of these features with the defaults of the contract. `'a'` as a dependency is soft, `['a', 'hard']` hard. */
export function policyOf(features: readonly FeatureSketch[], rest: PolicySketch = {}): Policy {
  const sketched = features.map(({ dependsOn = [], ...feature }) => ({
    routes: [{ path: { prefix: `/${feature.name}` } }],
    ...feature,
    dependsOn: dependsOn.map((each) => (typeof each === 'string' ? { feature: each } : { feature: each[0], hard: true })),
  }));
  return withDefaults(Policy, structuredClone({ service: 'shop', ...rest, features: sketched })) as Policy;
}

/** The shop of the demo: checkout needs catalog, recommendations use it. */
export function shop(recovery: FeatureSketch['recovery'] = {}, rest: PolicySketch = {}): Policy {
  return policyOf(
    [
      { name: 'catalog', priority: 1, recovery },
      { name: 'checkout', priority: 2, dependsOn: [['catalog', 'hard']], recovery },
      { name: 'recommendations', priority: 3, dependsOn: ['catalog'], recovery },
    ],
    rest,
  );
}

export function serviceOf(policy: Policy, nowMs = T0): ServiceState {
  return done(applyPolicy(null, policy, nowMs)).state;
}

/** The result of a command that must not be refused. */
export function done(result: StepResult | Refusal): StepResult {
  if (isRefusal(result)) throw new Error(`refused: ${result.refused}, ${result.detail}`);
  return result;
}

/** The code of a command that must be refused. */
export function refused(result: StepResult | Refusal): string {
  if (!isRefusal(result)) throw new Error('was not refused');
  return result.refused;
}

/** A running recovery of these features. */
export function runningRecovery(...features: string[]): Recovery {
  const begun = { id: 'r1', service: 'shop', startedAtMs: T0, endedAtMs: null, startedBy: 'fleet', result: null };
  return { ...begun, plan: features.map((name) => [name]), timeline: [], pauses: [], interventions: 0 };
}

export const noRandom = (): number => 0;

export function counts(some: Partial<Counts>): Counts {
  const admitted = (some.succeeded ?? 0) + (some.failed ?? 0) + (some.ignored ?? 0);
  return { ...NO_COUNTS, admitted, ...some };
}

/** What a proxy shows of a feature; the window is all that it saw, unless told otherwise. */
export function shown(step: number, some: Partial<Counts>, rest: Partial<FeatureEvidence> = {}): FeatureEvidence {
  const all = counts(some);
  const ageMs = all.succeeded + all.failed > 0 ? 0 : null;
  const seen = { window: all, sinceStep: all, sample: all, sampleLatency: [] };
  return { step, phase: 'CLOSED', ...seen, firstSampleAgeMs: ageMs, lastSampleAgeMs: ageMs, ...rest };
}

export function proxy(node: string, features: Readonly<Record<string, FeatureEvidence>>, rest: Partial<ProxyEvidence> = {}): ProxyEvidence {
  return {
    node,
    instance: `${node}-1`,
    uptimeMs: 60_000,
    lastReportAgeMs: 0,
    intervalMs: 1000,
    reportsSinceStart: 10,
    governed: true,
    ungovernedAgeMs: null,
    features,
    ...rest,
  };
}

export function evidenceOf(...proxies: readonly ProxyEvidence[]): Evidence {
  return { proxies };
}

export function featureReport(feature: string, step: number, some: Partial<Counts>, rest: Partial<FeatureReport> = {}): FeatureReport {
  return {
    feature,
    step,
    phase: 'CLOSED',
    ...counts(some),
    degraded: { stale: 0, cluster: 0, static: 0 },
    latency: [...LATENCY_BUCKETS_MS.map(() => 0), 0],
    ...rest,
  };
}

export function report(sequence: number, features: readonly FeatureReport[], rest: Partial<Report> = {}): Report {
  return {
    node: 'node-1',
    instance: 'instance-1',
    sequence,
    uptimeMs: sequence * 1000,
    intervalMs: 1000,
    version: 'test',
    governed: true,
    features: [...features],
    ...rest,
  };
}

export function override(kind: Override['kind'], rest: Partial<Override> = {}): Override {
  return { kind, reason: 'maintenance', author: 'ann', createdAtMs: T0, expiresAtMs: T0 + 3_600_000, ...rest };
}
