/** A pending call; `cancel` is idempotent. */
export interface Timer {
  cancel(): void;
}

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** Uptime and date that a fresh clock shows: neither is zero, so that code which takes 0 for "never" is found out. */
const STARTED_AT_MS = 3_600_000;
const WALL_START_MS = Date.UTC(2026, 0, 5, 12, 0, 0);

/** Clock of one machine, moved by hand. Timers fire in the order of their due times, then of their creation. */
export class ManualClock {
  #nowMs = 0;
  #wallShiftMs = 0;
  #order = 0;
  readonly #entries: Entry[] = [];

  /** Ms since this clock was made. */
  get nowMs(): number {
    return this.#nowMs;
  }

  get monotonicNs(): bigint {
    return BigInt(STARTED_AT_MS + this.#nowMs) * 1_000_000n;
  }

  get wallMs(): number {
    return WALL_START_MS + this.#wallShiftMs + this.#nowMs;
  }

  /** Moves the date, as NTP or a person would; the monotonic clock does not notice. */
  stepWall(ms: number): void {
    this.#wallShiftMs += ms;
  }

  after(delayMs: number, run: () => void): Timer {
    const entry: Entry = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run, cancelled: false };
    let at = this.#entries.length;
    while (at > 0 && this.#entries[at - 1]!.atMs > entry.atMs) at--;
    this.#entries.splice(at, 0, entry);
    return {
      cancel: () => {
        entry.cancelled = true;
      },
    };
  }

  /** Lets `ms` pass and runs what falls due meanwhile, each at its own moment. */
  advance(ms: number): void {
    const until = this.#nowMs + ms;
    for (let next = this.#entries[0]; next !== undefined && next.atMs <= until; next = this.#entries[0]) {
      this.#entries.shift();
      if (next.cancelled) continue;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
    this.#nowMs = until;
  }
}
