import { Storability } from "../domain/storability";

/** A response being copied while it passes, to be stored when it is complete. */
export class Capture {
  private body: Uint8Array = new Uint8Array(4096);
  length: i32 = 0;

  constructor(
    readonly hash: u64,
    readonly status: i32,
    /** Serialised headers to keep. */
    readonly pairs: Uint8Array,
    readonly verdict: Storability,
    private readonly maxBytes: i32,
  ) {}

  /** False: larger than what may be stored. */
  append(bytes: Uint8Array): bool {
    const length = this.length + bytes.length;
    if (length > this.maxBytes) return false;
    if (length > this.body.length) {
      const grown = new Uint8Array(min(max(length, this.body.length * 2), this.maxBytes));
      grown.set(this.body.subarray(0, this.length), 0);
      this.body = grown;
    }
    this.body.set(bytes, this.length);
    this.length = length;
    return true;
  }

  bytes(): Uint8Array {
    return this.body;
  }
}
