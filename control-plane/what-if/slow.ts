import { LATENCY_BUCKETS_MS } from '../contract/limits.ts';
import type { HistoryWindow } from '../domain/history/window.ts';

/**
 * Outcomes of a window that are slow by a draft's threshold: as recorded where the threshold was the same, else as far as latency buckets
 * tell it, of the bucket that holds the threshold none or all.
 */
export function slowWithin({ latency, counts }: HistoryWindow, slowMs: number | 'as-recorded' | null, which: 'least' | 'most'): number {
  if (slowMs === null) return 0;
  if (slowMs === 'as-recorded') return counts.slow;
  let slow = 0;
  for (const [bucket, count] of latency.entries()) {
    const fromMs = LATENCY_BUCKETS_MS[bucket - 1] ?? 0;
    const upToMs = LATENCY_BUCKETS_MS[bucket] ?? Number.POSITIVE_INFINITY;
    if (which === 'least' ? fromMs >= slowMs : upToMs > slowMs) slow += count;
  }
  return slow;
}
