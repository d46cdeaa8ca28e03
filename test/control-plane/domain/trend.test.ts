import { describe, expect, test } from 'vitest';
import type { FeatureEvidence, ServiceState, StepFigures } from '../../../control-plane/domain/model.ts';
import { newRecovery } from '../../../control-plane/domain/recovery/progress.ts';
import { step } from '../../../control-plane/domain/recovery/step.ts';
import { worseThanLastStep } from '../../../control-plane/domain/recovery/trend.ts';
import { evidenceOf, noRandom, policyOf, proxy, runningRecovery, serviceOf, shown, T0 } from './fixtures.ts';

const figures = (failedPercent: number, latencyMs: number | null = null): StepFigures => ({ failedPercent, latencyMs });

describe('worse than the last step', () => {
  test.for<{ name: string; now: StepFigures; last: StepFigures | null; worse: boolean }>([
    { name: 'nothing to compare with', now: figures(9, 900), last: null, worse: false },
    { name: 'as before', now: figures(2, 40), last: figures(2, 40), worse: false },
    { name: 'more failures, within the margin', now: figures(7), last: figures(2), worse: false },
    { name: 'more failures than the margin', now: figures(7.1), last: figures(2), worse: true },
    { name: 'fewer failures', now: figures(0), last: figures(9), worse: false },
    { name: 'twice as slow', now: figures(0, 80), last: figures(0, 40), worse: false },
    { name: 'slower by the factor', now: figures(0, 100), last: figures(0, 40), worse: true },
    { name: 'slower by the factor, but quick', now: figures(0, 8), last: figures(0, 3), worse: false },
    { name: 'a latency that is not known', now: figures(0, null), last: figures(0, 3), worse: false },
  ])('$name: $worse', ({ now, last, worse }) => {
    expect(worseThanLastStep(now, last, 5) !== null).toBe(worse);
  });

  test('the reason has both figures', () => {
    expect(worseThanLastStep(figures(8, 200), figures(1, 40), 5)).toEqual({
      because: 'worse-than-last-step',
      numbers: { failedPercent: 8, lastFailedPercent: 1, marginPercent: 5, latencyMs: 200, lastLatencyMs: 40 },
    });
  });
});

describe('the ramp holds while it gets worse, not for ever', () => {
  const policy = policyOf([{ name: 'catalog', recovery: { rampPercent: [5, 50, 100], minimumSamples: 20, stableForMs: 2000 } }]);
  const buckets = (bucket: number, count = 100) => Array.from({ length: 12 }, (_, index) => (index === bucket ? count : 0));
  const FAST = 3;
  const SLOW = 6;
  const seen = (step_: number, bucket: number, ageMs = 60_000): FeatureEvidence =>
    shown(step_, { succeeded: 100 }, { sampleLatency: buckets(bucket), firstSampleAgeMs: ageMs });
  const ramping = (lastStep: StepFigures | null = null): ServiceState => {
    const state = serviceOf(policy);
    const record = state.features['catalog']!;
    const begins = { phase: 'ramping', rampIndex: 0, passedIndex: -1, stableMs: 1000, lastStep } as const;
    const catalog = { ...record, state: 'TESTING' as const, admit: 500, recovery: newRecovery(record, T0, { because: 'test' }, begins) };
    return { ...state, features: { catalog }, recovery: runningRecovery('catalog') };
  };
  const tick = (state: ServiceState, shows: FeatureEvidence, atMs: number) =>
    step(state, evidenceOf(proxy('n1', { catalog: shows })), T0 + atMs, noRandom);

  test('a passed step leaves its figures to the next one', () => {
    const { state } = tick(ramping(), seen(1, FAST), 1000);
    expect(state.features['catalog']).toMatchObject({ admit: 5000, recovery: { lastStep: { failedPercent: 0, latencyMs: 38 } } });
  });

  test('a slower step holds with both figures, and passes once a further window is no slower than this one', () => {
    const up = tick(ramping(), seen(1, FAST), 1000).state;
    const held = tick(up, seen(2, SLOW), 2000);
    expect(held.state.features['catalog']).toMatchObject({ admit: 5000, recovery: { sampleFromMs: T0 + 2000 } });
    expect(held.events.at(-1)).toMatchObject({
      event: 'holds',
      reason: { because: 'worse-than-last-step', numbers: { latencyMs: 375, lastLatencyMs: 38 } },
    });
    expect(tick(held.state, seen(2, SLOW, 900), 2900).state.features['catalog']?.admit).toBe(5000); // a whole window anew
    expect(tick(held.state, seen(2, SLOW, 1000), 3000).state.features['catalog']?.admit).toBe(10_000);
  });

  test('as long as each window is slower than the one before, it holds', () => {
    let state = ramping({ failedPercent: 0, latencyMs: 3 });
    for (const [index, bucket] of [FAST, SLOW, 8, 10].entries()) {
      state = tick(state, seen(1, bucket), 1000 * (index + 1)).state;
      expect(state.features['catalog']?.admit).toBe(500);
    }
    expect(tick(state, seen(1, 10), 6000).state.features['catalog']?.admit).toBeGreaterThan(500);
  });

  test('a step that fell back is compared with nothing', () => {
    const up = tick(ramping(), seen(1, FAST), 1000).state;
    const down = tick(up, shown(2, { failed: 50 }), 1200).state;
    expect(down.features['catalog']?.recovery?.lastStep).toBeNull();
  });
});
