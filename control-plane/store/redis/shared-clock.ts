/** A reading of another clock: it was read at some moment between the two by this process's own. */
export interface ClockSample {
  readonly sentMs: number;
  readonly receivedMs: number;
  readonly theirMs: number;
}

/** Share of the time that passes by which the clock may be hurried or held up. */
const SLEW_SHARE = 0.1;
/** Further behind than this it jumps, as it does for a process that was not running. */
const JUMP_MS = 1000;

/** Another machine's clock, as far as readings tell; it never goes back. All times in ms. */
export class SharedClock {
  private readonly localMs: () => number;
  private offsetMs: number;
  private targetMs: number;
  private lastMs: number;

  /** `localMs` never goes back. */
  constructor(localMs: () => number, first: ClockSample) {
    this.localMs = localMs;
    this.offsetMs = this.targetMs = first.theirMs - (first.sentMs + first.receivedMs) / 2;
    this.lastMs = localMs();
  }

  /** What a reading leaves possible is not changed: a slow answer tells less than a fast one. */
  observe({ sentMs, receivedMs, theirMs }: ClockSample): void {
    this.targetMs = Math.min(Math.max(this.targetMs, theirMs - receivedMs), theirMs - sentMs);
  }

  /** Whole. */
  nowMs(): number {
    const localMs = this.localMs();
    const missing = this.targetMs - this.offsetMs;
    const most = (localMs - this.lastMs) * SLEW_SHARE;
    this.offsetMs += missing > JUMP_MS ? missing : Math.min(Math.max(missing, -most), most);
    this.lastMs = localMs;
    return Math.floor(localMs + this.offsetMs);
  }
}
