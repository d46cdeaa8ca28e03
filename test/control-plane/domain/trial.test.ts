import { describe, expect, test } from 'vitest';
import type { Evidence, FeatureEvidence, FeatureRecord, FeatureRecovery } from '../../../control-plane/domain/model.ts';
import { newRecovery } from '../../../control-plane/domain/recovery/progress.ts';
import { isVoid, observedMs, stabilityWindowMs } from '../../../control-plane/domain/recovery/stability.ts';
import { testProbes, testStep } from '../../../control-plane/domain/recovery/trial.ts';
import { gather } from '../../../control-plane/domain/sample.ts';
import { counts, evidenceOf, policyOf, proxy, serviceOf, shown, T0 } from './fixtures.ts';

const policy = policyOf([
  { name: 'catalog', failure: { slowMs: 500 }, recovery: { minimumSamples: 20, probes: 3, maxFailurePercent: 10 } },
]);
const feature = policy.features[0]!;
const record: FeatureRecord = serviceOf(policy).features['catalog']!;
const recovery: FeatureRecovery = newRecovery(record, T0, { because: 'test' }, { stableMs: 2000 });

type Seen = [
  succeeded: number,
  failed: number,
  rest?: Partial<FeatureEvidence> & { slow?: number; refused?: number; firstAgeMs?: number; lastAgeMs?: number },
];

/** One proxy for each; outcomes came from the beginning until now, unless told otherwise. */
function evidence(seen: readonly Seen[], ageMs: number): Evidence {
  const proxies = seen.map(([succeeded, failed, { slow = 0, refused = 0, firstAgeMs = ageMs, lastAgeMs = 0, ...rest } = {}], index) => {
    const none = succeeded + failed === 0;
    const ages = { firstSampleAgeMs: none ? null : firstAgeMs, lastSampleAgeMs: none ? null : lastAgeMs };
    return proxy(`n${index}`, { catalog: shown(1, counts({ succeeded, failed, slow, refused }), { ...ages, ...rest }) });
  });
  return evidenceOf(...proxies);
}

function verdict(judge: typeof testStep, seen: readonly Seen[], ageMs: number) {
  const nowMs = T0 + ageMs;
  const {
    verdict: says,
    reason,
    suspects,
    isVoid: anew,
  } = judge(gather(evidence(seen, ageMs), record, feature, nowMs), feature, recovery, nowMs);
  return { says, because: reason.because, suspects, anew };
}

describe('an attempt at the probes', () => {
  test.for<{ name: string; seen: Seen[]; says: string; because: string; suspects?: string[] }>([
    { name: 'passes with enough successes', seen: [[3, 0]], says: 'pass', because: 'probes-succeeded' },
    {
      name: 'of several proxies together',
      seen: [
        [1, 0],
        [1, 0],
        [1, 0],
      ],
      says: 'pass',
      because: 'probes-succeeded',
    },
    { name: 'holds with too few', seen: [[2, 0]], says: 'inconclusive', because: 'too-few-probes' },
    {
      name: 'fails with the only proxy that has requests',
      seen: [
        [0, 1],
        [0, 0],
      ],
      says: 'fail',
      because: 'probes-failed',
    },
    {
      name: 'is not failed by one of two',
      seen: [
        [0, 1],
        [0, 0, { refused: 9 }],
      ],
      says: 'inconclusive',
      because: 'too-few-probes',
      suspects: ['n0'],
    },
    {
      name: 'fails when two failed',
      seen: [
        [1, 1],
        [0, 1],
        [5, 0],
      ],
      says: 'fail',
      because: 'probes-failed',
    },
    {
      name: 'passes despite one suspect, whose successes do not count',
      seen: [
        [2, 1],
        [3, 0],
      ],
      says: 'pass',
      because: 'probes-succeeded',
      suspects: ['n0'],
    },
    {
      name: 'waits for others while only the suspect succeeded',
      seen: [
        [3, 1],
        [2, 0],
      ],
      says: 'inconclusive',
      because: 'too-few-probes',
      suspects: ['n0'],
    },
  ])('$name', ({ seen, says, because, suspects = [] }) => {
    expect(verdict(testProbes, seen, 2000)).toMatchObject({ says, because, suspects });
  });

  test('begins anew when its outcomes are old, or when none came though there were requests', () => {
    expect(verdict(testProbes, [[1, 0, { lastAgeMs: 30_001 }]], 31_000).anew).toBe(true);
    expect(verdict(testProbes, [[1, 0, { lastAgeMs: 29_000 }]], 31_000).anew).toBe(false);
    expect(verdict(testProbes, [[0, 0, { refused: 5 }]], 30_001).anew).toBe(true);
    expect(verdict(testProbes, [[0, 0]], 60_000)).toMatchObject({ anew: false, because: 'no-traffic' });
  });
});

describe('a step of the ramp', () => {
  test.for<{ name: string; seen: Seen[]; ageMs: number; says: string; because: string; suspects?: string[] }>([
    { name: 'passes with its samples after its window', seen: [[20, 0]], ageMs: 2000, says: 'pass', because: 'stable' },
    { name: 'not before', seen: [[500, 0]], ageMs: 1999, says: 'inconclusive', because: 'stabilising' },
    { name: 'nor with too few samples', seen: [[19, 0]], ageMs: 5999, says: 'inconclusive', because: 'too-few-samples' },
    { name: 'after three windows three good ones do (R7)', seen: [[3, 0]], ageMs: 6000, says: 'pass', because: 'low-traffic' },
    { name: 'two do not', seen: [[2, 0]], ageMs: 60_000, says: 'inconclusive', because: 'too-few-samples' },
    { name: 'nor three beside a failure', seen: [[3, 1]], ageMs: 6000, says: 'inconclusive', because: 'too-few-samples' },
    { name: 'zero requests hold', seen: [[0, 0]], ageMs: 600_000, says: 'inconclusive', because: 'no-traffic' },
    { name: 'may have a tenth of failures', seen: [[90, 10]], ageMs: 2000, says: 'pass', because: 'stable' },
    { name: 'not more', seen: [[89, 11]], ageMs: 2000, says: 'fail', because: 'failure-rate' },
    { name: 'fails as soon as no success could mend it', seen: [[0, 3]], ageMs: 100, says: 'fail', because: 'failure-rate' },
    { name: 'not while it could', seen: [[0, 2]], ageMs: 100, says: 'inconclusive', because: 'too-few-samples' },
    { name: 'fails when answers are slow', seen: [[20, 0, { slow: 10 }]], ageMs: 2000, says: 'fail', because: 'slow-rate' },
    {
      name: 'fails with a quorum of local trips',
      seen: [
        [0, 1, { phase: 'OPEN' }],
        [0, 0, { phase: 'OPEN' }],
        [9, 0],
      ],
      ageMs: 500,
      says: 'fail',
      because: 'breakers-open',
    },
    {
      name: 'not with one trip of three',
      seen: [
        [0, 2, { phase: 'OPEN' }],
        [15, 0],
        [15, 0],
      ],
      ageMs: 2000,
      says: 'pass',
      because: 'stable',
    },
    {
      name: 'one proxy’s failures are its own when the others suffice',
      seen: [
        [0, 50],
        [10, 0],
        [10, 0],
      ],
      ageMs: 2000,
      says: 'pass',
      because: 'stable',
      suspects: ['n0'],
    },
    {
      name: 'in doubt while they do not',
      seen: [
        [0, 50],
        [10, 0],
      ],
      ageMs: 5999,
      says: 'inconclusive',
      because: 'one-proxy-fails',
      suspects: ['n0'],
    },
    {
      name: 'for three windows',
      seen: [
        [0, 50],
        [10, 0],
      ],
      ageMs: 6000,
      says: 'fail',
      because: 'failure-rate',
    },
    {
      name: 'a proxy that is alone with its traffic counts',
      seen: [
        [0, 50],
        [0, 0],
      ],
      ageMs: 500,
      says: 'fail',
      because: 'failure-rate',
    },
  ])('$name', ({ seen, ageMs, says, because, suspects = [] }) => {
    expect(verdict(testStep, seen, ageMs)).toMatchObject({ says, because, suspects });
  });

  test('traffic that only comes in the morning needs a window of its own', () => {
    const morning = (firstAgeMs: number): Seen[] => [[500, 0, { firstAgeMs }]];
    expect(verdict(testStep, morning(1999), 8 * 3_600_000)).toMatchObject({ says: 'inconclusive', because: 'stabilising' });
    expect(verdict(testStep, morning(2000), 8 * 3_600_000)).toMatchObject({ says: 'pass', because: 'stable' });
  });

  test('samples of the evening are void in the morning', () => {
    expect(verdict(testStep, [[15, 0, { lastAgeMs: 6001 }]], 10_000).anew).toBe(true);
    expect(verdict(testStep, [[15, 0, { lastAgeMs: 6000 }]], 10_000).anew).toBe(false);
  });
});

describe('windows (R7, R12)', () => {
  test.for([
    [8000, 1000],
    [9_999, 1000],
    [100_000, 10_000],
    [600_000, 60_000],
    [6_000_000, 60_000],
  ] as const)('after an outage of %i ms a step must be stable for %i ms', ([outageMs, stableMs]) => {
    expect(stabilityWindowMs(outageMs, 60_000)).toBe(stableMs);
  });

  const times = { nowMs: 100_000, fromMs: 0, outcomes: 10, firstAgeMs: 99_000, lastAgeMs: 0, intervalMs: 1000 };

  test.for([
    { name: 'three windows without an outcome make it void', given: { lastAgeMs: 30_001 }, windowMs: 10_000, isVoidThen: true },
    { name: 'not less', given: { lastAgeMs: 30_000 }, windowMs: 10_000, isVoidThen: false },
    {
      name: 'an interval of reports is the least window',
      given: { lastAgeMs: 14_000, intervalMs: 5000 },
      windowMs: 1000,
      isVoidThen: false,
    },
    { name: 'one request a minute lasts', given: { outcomes: 1, nowMs: 180_000, lastAgeMs: 120_000 }, windowMs: 1000, isVoidThen: false },
    { name: 'but only for a while', given: { outcomes: 1, nowMs: 300_000, lastAgeMs: 240_000 }, windowMs: 1000, isVoidThen: true },
    { name: 'nothing cannot be void', given: { outcomes: 0, lastAgeMs: null }, windowMs: 1, isVoidThen: false },
  ])('$name', ({ given, windowMs, isVoidThen }) => {
    expect(isVoid({ ...times, ...given }, windowMs)).toBe(isVoidThen);
  });

  test('observation begins with the step, or with traffic that came later', () => {
    expect(observedMs(times, 1000)).toBe(100_000);
    expect(observedMs({ ...times, firstAgeMs: 50_000 }, 1000)).toBe(50_000);
    expect(observedMs({ ...times, firstAgeMs: null }, 1000)).toBe(0);
  });
});
