import { type Answer, isUnanswered } from './load.ts';
import { FEATURES, type ShopFeature } from './shop-mode.ts';

/** Answers of one feature over some span. */
export interface Tally {
  total: number;
  /** By rung. */
  readonly degraded: Map<string, number>;
  /** Neither the upstream nor a rung answered. */
  unanswered: number;
}

/** Counts the answers of a load, span by span. */
export class AnswerTally {
  private current = emptyTallies();
  private startedAtMs: number;

  constructor(nowMs: number) {
    this.startedAtMs = nowMs;
  }

  add(answer: Answer): void {
    const tally = this.current[answer.feature];
    tally.total++;
    if (answer.rung !== null) tally.degraded.set(answer.rung, (tally.degraded.get(answer.rung) ?? 0) + 1);
    if (isUnanswered(answer)) tally.unanswered++;
  }

  /** The span since the last call. */
  take(nowMs: number): { readonly spanMs: number; readonly byFeature: Readonly<Record<ShopFeature, Tally>> } {
    const span = { spanMs: nowMs - this.startedAtMs, byFeature: this.current };
    this.current = emptyTallies();
    this.startedAtMs = nowMs;
    return span;
  }
}

function emptyTallies(): Record<ShopFeature, Tally> {
  const entries = FEATURES.map((feature) => [feature, { total: 0, degraded: new Map<string, number>(), unanswered: 0 }] as const);
  return Object.fromEntries(entries) as Record<ShopFeature, Tally>;
}
