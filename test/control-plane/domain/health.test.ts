import { describe, expect, test } from 'vitest';
import type { FeatureHealth } from '../../../control-plane/contract/names.ts';
import { judgeHealth } from '../../../control-plane/domain/health.ts';
import type { Counts, FeatureRecord } from '../../../control-plane/domain/model.ts';
import { fleetOpens } from '../../../control-plane/domain/quorum.ts';
import { gather } from '../../../control-plane/domain/sample.ts';
import { evidenceOf, policyOf, proxy, serviceOf, shown, T0 } from './fixtures.ts';

const policy = policyOf([{ name: 'catalog', failure: { slowMs: 500 } }]);
const feature = policy.features[0]!;
const record = serviceOf(policy).features['catalog']!;

function judge(before: Partial<FeatureRecord>, windows: readonly Partial<Counts>[], nowMs = T0) {
  const proxies = windows.map((window, index) => proxy(`node-${index}`, { catalog: shown(1, window) }));
  const stood = { ...record, ...before };
  const sample = gather(evidenceOf(...proxies), stood, feature, nowMs);
  return judgeHealth(stood, feature, sample, fleetOpens(sample, feature), nowMs);
}

describe('the health of a feature', () => {
  test.for<{ name: string; before: FeatureHealth; window: Partial<Counts>; health: FeatureHealth; because: string }>([
    {
      name: 'too few samples say nothing',
      before: 'UNKNOWN',
      window: { succeeded: 10, failed: 9 },
      health: 'UNKNOWN',
      because: 'too-few-samples',
    },
    { name: 'no failure', before: 'UNKNOWN', window: { succeeded: 20 }, health: 'HEALTHY', because: 'within-limits' },
    {
      name: 'just below the first limit',
      before: 'HEALTHY',
      window: { succeeded: 91, failed: 9 },
      health: 'HEALTHY',
      because: 'within-limits',
    },
    { name: 'at the first limit', before: 'HEALTHY', window: { succeeded: 90, failed: 10 }, health: 'DEGRADED', because: 'failure-rate' },
    { name: 'at the second limit', before: 'HEALTHY', window: { succeeded: 50, failed: 50 }, health: 'UNHEALTHY', because: 'failure-rate' },
    {
      name: 'leaves UNHEALTHY only well below it',
      before: 'UNHEALTHY',
      window: { succeeded: 55, failed: 45 },
      health: 'UNHEALTHY',
      because: 'failure-rate',
    },
    {
      name: 'and is then DEGRADED',
      before: 'UNHEALTHY',
      window: { succeeded: 56, failed: 44 },
      health: 'DEGRADED',
      because: 'failure-rate',
    },
    {
      name: 'leaves DEGRADED only well below it',
      before: 'DEGRADED',
      window: { succeeded: 95, failed: 5 },
      health: 'DEGRADED',
      because: 'failure-rate',
    },
    { name: 'and is then HEALTHY', before: 'DEGRADED', window: { succeeded: 96, failed: 4 }, health: 'HEALTHY', because: 'within-limits' },
    { name: 'slow answers degrade', before: 'HEALTHY', window: { succeeded: 100, slow: 50 }, health: 'DEGRADED', because: 'slow-rate' },
    {
      name: 'ignored ones count neither way',
      before: 'HEALTHY',
      window: { succeeded: 20, ignored: 500 },
      health: 'HEALTHY',
      because: 'within-limits',
    },
  ])('$name', ({ before, window, health, because }) => {
    expect(judge({ health: before }, [window])).toMatchObject({ health, reason: { because } });
  });

  test('carries its numbers', () => {
    expect(judge({ health: 'HEALTHY' }, [{ succeeded: 69, failed: 31 }]).reason).toEqual({
      because: 'failure-rate',
      numbers: { observedPercent: 31, limitPercent: 10, samples: 100 },
    });
  });

  test('OPEN breakers are UNHEALTHY, however few samples they let through', () => {
    const evidence = evidenceOf(proxy('a', { catalog: shown(1, { failed: 1 }, { phase: 'OPEN' }) }));
    const sample = gather(evidence, record, feature, T0);
    expect(judgeHealth(record, feature, sample, fleetOpens(sample, feature), T0)).toMatchObject({
      health: 'UNHEALTHY',
      reason: { because: 'breakers-open' },
    });
  });

  test("one proxy's own trouble is named and left out", () => {
    const verdict = judge({ health: 'HEALTHY' }, [{ failed: 60 }, { succeeded: 40 }, { succeeded: 40 }]);
    expect(verdict).toMatchObject({ health: 'HEALTHY', reason: { because: 'within-limits', numbers: { suspect: 'node-0' } } });
  });

  test('two failing proxies of three are nobody’s own trouble', () => {
    expect(judge({ health: 'HEALTHY' }, [{ failed: 60 }, { failed: 60 }, { succeeded: 40 }]).health).toBe('UNHEALTHY');
  });
});

describe('without evidence a judgement stays (R4, R7)', () => {
  const threeWindowsMs = 30_000;
  const kept = (before: Partial<FeatureRecord>, forMs: number) => judge({ healthKeptSinceMs: T0 - forMs, ...before }, [], T0);

  test.for<{ name: string; before: Partial<FeatureRecord>; forMs: number; health: FeatureHealth; because: string }>([
    {
      name: 'a good one for ever',
      before: { health: 'HEALTHY' },
      forMs: 10 * threeWindowsMs,
      health: 'HEALTHY',
      because: 'too-few-samples',
    },
    {
      name: 'a bad one for three windows',
      before: { health: 'UNHEALTHY' },
      forMs: threeWindowsMs,
      health: 'UNHEALTHY',
      because: 'too-few-samples',
    },
    { name: 'then it is void', before: { health: 'DEGRADED' }, forMs: threeWindowsMs + 1, health: 'UNKNOWN', because: 'evidence-void' },
    {
      name: 'but not while the feature is lowered',
      before: { health: 'UNHEALTHY', state: 'DISABLED' },
      forMs: 10 * threeWindowsMs,
      health: 'UNHEALTHY',
      because: 'too-few-samples',
    },
  ])('$name', ({ before, forMs, health, because }) => {
    expect(kept(before, forMs)).toMatchObject({ health, reason: { because } });
  });
});
