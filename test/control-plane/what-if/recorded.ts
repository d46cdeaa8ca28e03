import type { Feature } from '../../../control-plane/contract/policy.ts';
import type { FeatureHistory } from '../../../control-plane/domain/history/history.ts';
import type { HistoryWindow } from '../../../control-plane/domain/history/window.ts';
import type { Counts } from '../../../control-plane/domain/model.ts';
import { newFilterBreaker } from '../../../control-plane/what-if/breaker.ts';
import { type FeatureSimulation, simulateFeature } from '../../../control-plane/what-if/simulate.ts';
import { counts, policyOf } from '../domain/fixtures.ts';

/** A moment that lies at the start of a bucket of any window. */
export const START_MS = 3_600_000;

/** A window of one second, `second` seconds after the start. */
export function windowAt(second: number, some: Partial<Counts>, rest: Partial<HistoryWindow> = {}): HistoryWindow {
  const degraded = { stale: 0, cluster: 0, static: 0 };
  const latency = Array.from({ length: 12 }, () => 0);
  return { atMs: START_MS + 1000 * second, lengthMs: 1000, counts: counts(some), degraded, latency, late: false, ...rest };
}

/** All that is known from the start on. */
export function historyOf(windows: readonly HistoryWindow[], rest: Partial<FeatureHistory> = {}): FeatureHistory {
  return { windows, heard: [{ fromMs: START_MS, toMs: START_MS + 3_600_000 }], completeFromMs: 0, ...rest };
}

export function draftOf(breaker: Partial<Feature['breaker']>, failure: Partial<Feature['failure']> = {}): Feature {
  const settings = { minimumRequests: 10, failureRatePercent: 50, consecutiveFailures: 0, ...breaker };
  return policyOf([{ name: 'catalog', breaker: settings, failure }]).features[0]!;
}

export function simulated(draft: Feature, history: FeatureHistory, before: Feature | null = draft): FeatureSimulation {
  return simulateFeature(newFilterBreaker(), draft, before, history, START_MS, START_MS + 3_600_000);
}

/** Seconds after the start at which it trips at the earliest and at the latest. */
export function tripOf(draft: Feature, history: FeatureHistory): { from: number; certainBy: number | null; because: string } | null {
  const { firstTrip } = simulated(draft, history);
  if (!firstTrip) return null;
  const { fromMs, certainByMs, because } = firstTrip;
  return { from: (fromMs - START_MS) / 1000, certainBy: certainByMs === null ? null : (certainByMs - START_MS) / 1000, because };
}
