import { expect, test } from 'vitest';
import { EvidenceBook } from '../../../control-plane/domain/evidence.ts';
import { meanLatencyMs, plusLatency } from '../../../control-plane/domain/latency.ts';
import type { ServiceState } from '../../../control-plane/domain/model.ts';
import { newRecovery } from '../../../control-plane/domain/recovery/progress.ts';
import { featureReport, policyOf, report, serviceOf, T0 } from './fixtures.ts';

/** Counts per bucket, by the index of the bucket. */
function buckets(counts: Readonly<Record<number, number>>): number[] {
  return Array.from({ length: 12 }, (_, bucket) => counts[bucket] ?? 0);
}

test.for([
  { name: 'none counted', latency: [], meanMs: null },
  { name: 'all zero', latency: buckets({}), meanMs: null },
  { name: 'the first bucket', latency: buckets({ 0: 7 }), meanMs: 3 },
  { name: 'the middle of 25 to 50', latency: buckets({ 3: 2 }), meanMs: 38 },
  { name: 'a mix', latency: buckets({ 3: 1, 5: 1 }), meanMs: 106 },
  { name: 'beyond the last', latency: buckets({ 11: 1 }), meanMs: 15_000 },
])('mean latency, $name: $meanMs', ({ latency, meanMs }) => {
  expect(meanLatencyMs(latency)).toBe(meanMs);
});

test('sums of latencies, an empty one is zeros', () => {
  expect(plusLatency([1, 2], [3, 4])).toEqual([4, 6]);
  expect(plusLatency([], [3, 4])).toEqual([3, 4]);
  expect(plusLatency([1, 2], [])).toEqual([1, 2]);
});

test('evidence sums the latencies of the sample, of what was reported before the mark was asked for too', () => {
  const state = serviceOf(policyOf([{ name: 'catalog' }]));
  const record = state.features['catalog']!;
  const recovering: ServiceState = {
    ...state,
    features: { catalog: { ...record, recovery: newRecovery(record, T0 + 1500, { because: 'test' }) } },
  };
  const book = new EvidenceBook(state.policy);
  const seen = (succeeded: number, latency: number[]) => [featureReport('catalog', 1, { succeeded }, { latency })];
  book.record(report(1, seen(1, buckets({ 0: 1 }))), T0 + 1000);
  book.record(report(2, seen(3, buckets({ 0: 1, 3: 2 }))), T0 + 2000);
  const sampled = () => book.evidence(recovering, T0 + 4000).proxies[0]?.features['catalog']?.sampleLatency;
  expect(sampled()).toEqual(buckets({ 3: 2 }));
  book.record(report(3, seen(4, buckets({ 0: 1, 3: 2, 5: 1 }))), T0 + 3000);
  expect(sampled()).toEqual(buckets({ 3: 2, 5: 1 }));
});
