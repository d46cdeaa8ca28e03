/** An entry of a wheel. */
export interface Timed<T> {
  /** Slot that holds it; null: due or cancelled. */
  slot: Set<T> | null;
}

/** The wheel may be turned this much late before an alarm could come early. */
const LATE_MS = 30_000;

/**
 * Many one-shot timers for the price of one: an entry costs a member of a set. Entries become due up to one slot late, never early.
 * Whoever owns the wheel turns it.
 */
export class TimerWheel<T extends Timed<T>> {
  private readonly slots: readonly Set<T>[];
  private readonly spanMs: number;
  private readonly slotMs: number;
  private readonly onDue: (entry: T) => void;
  private current = 0;
  private held = 0;

  /** `spanMs`: the longest wait; a longer one counts as this. */
  constructor(spanMs: number, slotMs: number, onDue: (entry: T) => void) {
    this.spanMs = spanMs;
    this.slotMs = slotMs;
    this.onDue = onDue;
    this.slots = Array.from({ length: Math.ceil((spanMs + LATE_MS) / slotMs) }, () => new Set<T>());
  }

  get size(): number {
    return this.held;
  }

  set(entry: T, nowMs: number, afterMs: number): void {
    if (this.held === 0) this.current = Math.floor(nowMs / this.slotMs); // nobody turns an empty wheel
    const due = Math.ceil((nowMs + Math.min(afterMs, this.spanMs)) / this.slotMs);
    entry.slot = this.slotAt(Math.max(due, this.current + 1));
    entry.slot.add(entry);
    this.held++;
  }

  cancel(entry: T): void {
    if (!entry.slot) return;
    entry.slot.delete(entry);
    entry.slot = null;
    this.held--;
  }

  /** Names all that is due, in order of their slots. */
  advance(nowMs: number): void {
    const target = Math.floor(nowMs / this.slotMs);
    const first = Math.max(this.current + 1, target - this.slots.length + 1);
    for (let tick = first; tick <= target; tick++) this.empty(this.slotAt(tick));
    this.current = Math.max(this.current, target);
  }

  private empty(slot: Set<T>): void {
    for (const entry of [...slot]) {
      if (entry.slot !== slot) continue; // cancelled by one that was due before it
      this.cancel(entry);
      this.onDue(entry);
    }
  }

  private slotAt(tick: number): Set<T> {
    return this.slots[tick % this.slots.length]!;
  }
}
