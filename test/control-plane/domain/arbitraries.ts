import fc from 'fast-check';
import type { Override } from '../../../control-plane/domain/model.ts';
import { type FeatureSketch, policyOf } from './fixtures.ts';

/** Features in a random order of dependence: each may depend on those before it, so there are no cycles. */
const features = fc
  .array(
    fc.record({
      priority: fc.integer({ min: 1, max: 4 }),
      parents: fc.array(fc.record({ index: fc.nat(1), hard: fc.boolean() }), { maxLength: 2 }),
      ramp: fc.constantFrom([100], [50, 100], [5, 25, 50, 100], [1, 5, 10, 25, 50, 100]),
      pattern: fc.constantFrom('partial' as const, 'partial' as const, 'exponential-backoff' as const),
      minimumSamples: fc.integer({ min: 1, max: 30 }),
      probes: fc.integer({ min: 1, max: 5 }),
      probe: fc.boolean(),
      jitter: fc.constantFrom('full' as const, 'equal' as const, 'decorrelated' as const, 'none' as const),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((drawn) =>
    drawn.map(({ parents, ramp, pattern, minimumSamples, probes, probe, jitter, priority }, index): FeatureSketch => {
      const edges = new Map(parents.filter((parent) => parent.index < index).map((parent) => [`f${parent.index}`, parent.hard]));
      return {
        name: `f${index}`,
        priority,
        dependsOn: [...edges].map(([name, hard]) => (hard ? [name, 'hard'] : name)),
        ...(probe ? { probe: { request: { cluster: 'upstream', path: '/health' } } } : {}),
        breaker: { minimumRequests: 10, windowMs: 5000 },
        health: { windowMs: 5000, minimumRequests: 10 },
        recovery: {
          pattern,
          rampPercent: ramp,
          minimumSamples,
          probes,
          stableForMs: 3000,
          resetAfterMs: 20_000,
          backoff: { baseMs: 500, capMs: 4000, jitter },
        },
      };
    }),
  );

export const policies = fc
  .record({
    features,
    probesInFlight: fc.integer({ min: 1, max: 5 }),
    probesPerSecond: fc.integer({ min: 1, max: 5 }),
    maxRamping: fc.integer({ min: 1, max: 3 }),
  })
  .map(({ features: drawn, ...recovery }) => policyOf(drawn, { recovery }));

/** A span of the simulation in which something is wrong. */
export interface Trouble {
  readonly feature: number;
  readonly fromMs: number;
  readonly forMs: number;
  readonly failing: number;
  readonly hangs: boolean;
  /** Fails only while more than this share in basis points is let through: an upstream that has not got its capacity back. */
  readonly aboveAdmit: number;
}

export const troubles: fc.Arbitrary<readonly Trouble[]> = fc.array(
  fc.record({
    feature: fc.nat(2),
    fromMs: fc.integer({ min: 3000, max: 30_000 }),
    forMs: fc.integer({ min: 3000, max: 30_000 }),
    failing: fc.constantFrom(0.3, 0.8, 1, 1),
    hangs: fc.boolean(),
    aboveAdmit: fc.constantFrom(-1, -1, 0, 2500, 2500),
  }),
  { minLength: 1, maxLength: 4 },
);

/** Troubles are over by then. */
export const HEALED_MS = 60_000;

/** What people and machines do meanwhile. */
export type Act = { readonly atMs: number } & (
  | { readonly kind: 'restart' }
  | {
      readonly kind: 'override';
      readonly feature: number;
      readonly override: Override['kind'];
      readonly admit: number;
      readonly forMs: number;
    }
  | { readonly kind: 'pause' | 'hold-a-parent'; readonly forMs: number }
  | { readonly kind: 'resume' | 'promote' | 'rollback' | 'abort' | 'start' }
  | { readonly kind: 'edit'; readonly edit: 'thresholds' | 'ramp' | 'priority' | 'rename'; readonly feature: number }
);

const atMs = fc.integer({ min: 5000, max: 50_000 });

export const acts: fc.Arbitrary<readonly Act[]> = fc
  .array(
    fc.oneof(
      fc.record({ kind: fc.constant('restart' as const), atMs }),
      fc.record({
        kind: fc.constant('override' as const),
        atMs,
        feature: fc.nat(4),
        override: fc.constantFrom('FORCED_OPEN' as const, 'FORCED_CLOSED' as const, 'HOLD' as const),
        admit: fc.integer({ min: 0, max: 10_000 }),
        forMs: fc.integer({ min: 1000, max: 8000 }),
      }),
      fc.record({ kind: fc.constant('pause' as const), atMs, forMs: fc.integer({ min: 1000, max: 8000 }) }),
      fc.record({
        kind: fc.constant('hold-a-parent' as const),
        atMs: fc.integer({ min: 5000, max: 20_000 }),
        forMs: fc.integer({ min: 4000, max: 8000 }),
      }),
      fc.record({
        kind: fc.constantFrom('resume' as const, 'promote' as const, 'rollback' as const, 'abort' as const, 'start' as const),
        atMs,
      }),
      fc.record({
        kind: fc.constant('edit' as const),
        atMs,
        edit: fc.constantFrom('thresholds' as const, 'ramp' as const, 'priority' as const, 'rename' as const),
        feature: fc.nat(4),
      }),
    ),
    { maxLength: 5 },
  )
  .map((drawn) => drawn.toSorted((a, b) => a.atMs - b.atMs));
