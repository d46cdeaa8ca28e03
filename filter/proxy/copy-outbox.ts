const ROOM: i32 = 64;

/** A copy in a slot of this proxy that the others of its service should have, too. */
export class OutgoingCopy {
  constructor(
    readonly service: string,
    /** On the wire. */
    readonly key: string,
    readonly slot: i32,
    /** Hash of the slot's content: it may hold something else by then. */
    readonly content: i64,
    /** The policy's time beyond freshness, when the answer does not say. */
    readonly maxStaleMs: i64,
  ) {}
}

/** Copies that this VM has renewed and not yet shared; when there are too many, the oldest are dropped. */
class CopyOutbox {
  private readonly copies: OutgoingCopy[] = [];

  put(copy: OutgoingCopy): void {
    if (this.copies.length >= ROOM) this.copies.shift();
    this.copies.push(copy);
  }

  /** The oldest of this service; null: none. */
  take(service: string): OutgoingCopy | null {
    for (let i = 0; i < this.copies.length; i++) {
      if (this.copies[i].service == service) return this.copies.splice(i, 1)[0];
    }
    return null;
  }
}

export const copyOutbox: CopyOutbox = new CopyOutbox();
