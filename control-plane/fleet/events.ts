import type { AuditEntry } from '../store/store.ts';

/** One change of one service, as it went into the audit. */
export interface FleetEvent extends AuditEntry {
  readonly service: string;
}

export interface NumberedEvent {
  /** Grows by one per event of this process. */
  readonly number: number;
  readonly event: FleetEvent;
}

/** Whoever follows along. */
export type Listener = (entry: NumberedEvent) => void;

/** The latest changes of all services, for those who follow along and those who come back after a break. */
export class EventFeed {
  private readonly kept: NumberedEvent[] = [];
  private readonly listeners = new Set<Listener>();
  private readonly capacity: number;
  private count = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** Number of the latest event; 0: none yet. */
  get latest(): number {
    return this.count;
  }

  add(service: string, entries: readonly AuditEntry[]): void {
    for (const entry of entries) {
      const numbered = { number: ++this.count, event: { service, ...entry } };
      this.kept.push(numbered);
      if (this.kept.length > this.capacity) this.kept.shift();
      for (const listener of [...this.listeners]) listener(numbered);
    }
  }

  /** What came after `number`; null: some of that is no longer kept, or it never was of this process. */
  since(number: number): readonly NumberedEvent[] | null {
    const first = this.count - this.kept.length;
    return number < first || number > this.count ? null : this.kept.slice(number - first);
  }

  follow(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
