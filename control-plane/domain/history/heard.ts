/** A stretch of time. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Stretches that are remembered; each end of one is a proxy that fell silent. */
const MOST = 120;

/** When reports came in close enough order to tell what happened in between. */
export class Heard {
  private readonly stretches: { fromMs: number; toMs: number }[] = [];

  /** A report came that tells of the time since the last one, unless that was longer than `silentAfterMs` ago. */
  note(nowMs: number, silentAfterMs: number): void {
    const last = this.stretches.at(-1);
    if (last && nowMs - last.toMs <= silentAfterMs) {
      last.toMs = nowMs;
      return;
    }
    this.stretches.push({ fromMs: nowMs, toMs: nowMs });
    if (this.stretches.length > MOST) this.stretches.shift();
  }

  get lastMs(): number {
    return this.stretches.at(-1)?.toMs ?? 0;
  }

  /** Oldest first. */
  since(fromMs: number): Stretch[] {
    return this.stretches.filter(({ toMs }) => toMs >= fromMs).map(({ fromMs: from, toMs }) => ({ fromMs: Math.max(from, fromMs), toMs }));
  }
}
