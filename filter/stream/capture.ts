import { Storability } from "../domain/storability";
import { encodeBlob } from "../proxy/cache-blob";
import { AgedCopy } from "../proxy/shared-copy";

/** A response being copied while it passes, to be stored when it is complete. */
export class Capture {
  private body: Uint8Array = new Uint8Array(4096);
  length: i32 = 0;

  constructor(
    /** Of the renewal, to give it back. */
    readonly renewal: u64,
    readonly status: i32,
    /** Serialised headers to keep. */
    readonly pairs: Uint8Array,
    readonly verdict: Storability,
    /** When the headers came. */
    private readonly fromMs: i64,
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

  /** The whole answer as a copy of this key. */
  copy(key: StaticArray<u8>, keyLength: i32, nowMs: i64): AgedCopy {
    const copy = new AgedCopy(encodeBlob(key, keyLength, this.pairs, this.body, this.length));
    copy.ageMs = this.verdict.ageMs + max<i64>(nowMs - this.fromMs, 0);
    copy.freshForMs = this.verdict.freshForMs;
    copy.staleIfErrorMs = this.verdict.staleIfErrorMs;
    copy.status = this.status;
    copy.mayServeStale = this.verdict.mayServeStale;
    return copy;
  }
}
