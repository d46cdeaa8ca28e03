import { markedIn, type Sample, valueIn } from './prometheus.ts';
import { readFeatures } from './rest.ts';
import { FEATURES, type ShopFeature } from './shop-mode.ts';
import type { Stage } from './stage.ts';
import type { FeatureRow, Moment } from './table.ts';
import type { Tally } from './tally.ts';

export interface Span {
  readonly sinceStartMs: number;
  readonly spanMs: number;
  readonly byFeature: Readonly<Record<ShopFeature, Tally>>;
}

/** One block of the table: phase and share from Envoy's stats, health from the control plane, the rest from the clients. */
export async function observe(stage: Stage, { sinceStartMs, spanMs, byFeature }: Span): Promise<Moment> {
  const [samples, features] = await Promise.all([
    stage.envoy.metrics().catch((): Sample[] => []),
    readFeatures(stage.ports.controlPlane, 'shop').catch(() => []),
  ]);
  const service = { service: 'shop' };
  const rows = FEATURES.map((feature): FeatureRow => {
    const labels = { service: 'shop', feature };
    return {
      feature,
      state: markedIn(samples, 'rekindle_feature_state', labels, 'state'),
      health: features.find(({ name }) => name === feature)?.health ?? null,
      phase: markedIn(samples, 'rekindle_breaker_phase', labels, 'phase'),
      admit: valueIn(samples, 'rekindle_admit_ratio', labels),
      tally: byFeature[feature],
    };
  });
  return {
    sinceStartMs,
    spanMs,
    controlPlane: valueIn(samples, 'rekindle_control_plane_connected', service) === 1,
    revision: valueIn(samples, 'rekindle_directive_revision', service),
    governed: valueIn(samples, 'rekindle_governed', service) === 1,
    rows,
  };
}
