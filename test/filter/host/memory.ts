import type { Guest } from './guest.ts';

/** Linear memory of one VM as the host sees it: each access is checked against the memory's present size. */
export class GuestMemory {
  readonly #guest: Guest;
  #view: DataView;

  constructor(guest: Guest) {
    this.#guest = guest;
    this.#view = new DataView(guest.memory.buffer);
  }

  get byteLength(): number {
    return this.#guest.memory.buffer.byteLength;
  }

  /** The bytes themselves, not a copy; null when they do not lie in memory. */
  bytes(pointer: number, length: number): Uint8Array | null {
    const at = pointer >>> 0;
    const size = length >>> 0;
    if (at + size > this.byteLength) return null;
    return new Uint8Array(this.#guest.memory.buffer, at, size);
  }

  /** Header-like string, one character per byte. */
  text(pointer: number, length: number): string | null {
    const at = pointer >>> 0;
    const size = length >>> 0;
    if (at + size > this.byteLength) return null;
    return Buffer.from(this.#guest.memory.buffer, at, size).toString('latin1');
  }

  writeU32(pointer: number, value: number): boolean {
    const at = pointer >>> 0;
    if (at + 4 > this.byteLength) return false;
    this.#current().setUint32(at, value, true);
    return true;
  }

  writeU64(pointer: number, value: bigint): boolean {
    const at = pointer >>> 0;
    if (at + 8 > this.byteLength) return false;
    this.#current().setBigUint64(at, value, true);
    return true;
  }

  write(pointer: number, bytes: Uint8Array): boolean {
    const target = this.bytes(pointer, bytes.length);
    if (target === null) return false;
    target.set(bytes);
    return true;
  }

  /** Growth detaches the old buffer. */
  #current(): DataView {
    if (this.#view.buffer !== this.#guest.memory.buffer) this.#view = new DataView(this.#guest.memory.buffer);
    return this.#view;
  }
}
