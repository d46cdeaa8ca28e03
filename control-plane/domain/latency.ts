import { LATENCY_BUCKETS_MS } from '../contract/limits.ts';

/** Stands for what lies beyond the last bucket. */
const BEYOND_MS = 15_000;
const MIDDLES_MS = [...LATENCY_BUCKETS_MS, 2 * BEYOND_MS - (LATENCY_BUCKETS_MS.at(-1) ?? 0)].map(
  (upperMs, bucket) => (upperMs + (LATENCY_BUCKETS_MS[bucket - 1] ?? 0)) / 2,
);

/** Sums of two counts per latency bucket; an empty one counts as zeros. */
export function plusLatency(a: readonly number[], b: readonly number[]): readonly number[] {
  if (a.length === 0) return b;
  return b.length === 0 ? a : a.map((count, bucket) => count + (b[bucket] ?? 0));
}

/** Mean latency in ms as far as buckets tell it: each request stands in the middle of its bucket. null: none was counted. */
export function meanLatencyMs(latency: readonly number[]): number | null {
  let requests = 0;
  let totalMs = 0;
  for (const [bucket, count] of latency.entries()) {
    requests += count;
    totalMs += count * (MIDDLES_MS[bucket] ?? BEYOND_MS);
  }
  return requests === 0 ? null : Math.round(totalMs / requests);
}
