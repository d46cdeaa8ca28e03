import type { ShopFeature } from './shop-mode.ts';
import type { Tally } from './tally.ts';

/** One feature at one moment; null: not known now. */
export interface FeatureRow {
  readonly feature: ShopFeature;
  readonly state: string | null;
  readonly health: string | null;
  readonly phase: string | null;
  /** Basis points. */
  readonly admit: number | null;
  readonly tally: Tally;
}

export interface Moment {
  readonly sinceStartMs: number;
  readonly spanMs: number;
  readonly controlPlane: boolean;
  readonly revision: number | null;
  readonly governed: boolean;
  readonly rows: readonly FeatureRow[];
}

const columns = ['feature', 'state', 'health', 'phase', 'admit', 'req/s', 'degraded', 'by rung', 'errors'] as const;
const widths = [16, 9, 10, 14, 7, 7, 9, 22, 6];

/** A block of lines that reads well on a screen and in a log. */
export function formatMoment({ sinceStartMs, spanMs, controlPlane, revision, governed, rows }: Moment): string {
  const head = [
    `${(sinceStartMs / 1000).toFixed(1)} s`,
    `control plane ${controlPlane ? 'connected' : 'away'}`,
    `directive ${revision ?? 'none'}`,
    governed ? 'governed by the fleet' : 'autonomous',
  ];
  return ['', head.join(' · '), line(columns), ...rows.map((row) => line(cells(row, spanMs)))].join('\n');
}

function cells({ feature, state, health, phase, admit, tally }: FeatureRow, spanMs: number): string[] {
  const degraded = [...tally.degraded.values()].reduce((sum, count) => sum + count, 0);
  return [
    feature,
    state ?? '-',
    health ?? '-',
    phase ?? '-',
    admit === null ? '-' : `${admit / 100}%`,
    ((tally.total * 1000) / spanMs).toFixed(1),
    tally.total === 0 ? '-' : `${Math.round((degraded * 100) / tally.total)}%`,
    [...tally.degraded].map(([rung, count]) => `${rung} ${count}`).join(', ') || '-',
    String(tally.unanswered),
  ];
}

function line(texts: readonly string[]): string {
  return texts
    .map((text, column) => text.padEnd(widths[column] ?? 0))
    .join(' ')
    .trimEnd();
}
