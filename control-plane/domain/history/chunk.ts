import { VALUES } from './window.ts';

/** Windows of one chunk; the oldest chunk is forgotten as a whole. */
const WINDOWS = 60;
const FIRST_BYTES = 128;
/** What a chunk takes beside its bytes, roughly. */
const OVERHEAD_BYTES = 160;

/**
 * Up to a minute's worth of windows, packed: per window the slots since the one before, a mask of the values that are not zero, and these
 * values, each as a variable-length integer. A window of a busy feature takes some 15 bytes.
 */
export class Chunk {
  readonly firstSlot: number;
  lastSlot: number;
  private windows = 0;
  private bytes = new Uint8Array(FIRST_BYTES);
  private used = 0;

  constructor(firstSlot: number) {
    this.firstSlot = firstSlot;
    this.lastSlot = firstSlot;
  }

  get isFull(): boolean {
    return this.windows >= WINDOWS;
  }

  get size(): number {
    return this.bytes.length + OVERHEAD_BYTES;
  }

  /** `slot` must not be before `lastSlot`. */
  add(slot: number, values: readonly number[]): void {
    let mask = 0;
    for (let index = 0; index < VALUES; index++) if (values[index] !== 0) mask |= 1 << index;
    this.put(slot - this.lastSlot);
    this.put(mask);
    for (let index = 0; index < VALUES; index++) if (values[index] !== 0) this.put(values[index]!);
    this.lastSlot = slot;
    this.windows++;
  }

  read(each: (slot: number, values: number[]) => void): void {
    const reader = { bytes: this.bytes, at: 0 };
    let slot = this.firstSlot;
    for (let window = 0; window < this.windows; window++) {
      slot += next(reader);
      const mask = next(reader);
      const values = Array.from({ length: VALUES }, (_, index) => (mask & (1 << index) ? next(reader) : 0));
      each(slot, values);
    }
  }

  private put(value: number): void {
    if (this.used + 8 > this.bytes.length) {
      const larger = new Uint8Array(2 * this.bytes.length);
      larger.set(this.bytes);
      this.bytes = larger;
    }
    let rest = value;
    while (rest >= 128) {
      this.bytes[this.used++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.bytes[this.used++] = rest;
  }
}

function next(reader: { readonly bytes: Uint8Array; at: number }): number {
  let value = 0;
  let factor = 1;
  for (;;) {
    const byte = reader.bytes[reader.at++] ?? 0;
    value += (byte % 128) * factor;
    if (byte < 128) return value;
    factor *= 128;
  }
}
