/**
 * A stored response as one value: lengths, key, serialised headers, body. Read with every length checked: shared data can hold
 * anything.
 */
export class CacheBlob {
  /** [key size, pairs size] little endian, then key, pairs, body. */
  static readonly HEAD: i32 = 8;

  constructor(readonly bytes: Uint8Array) {}

  private word(at: i32): i32 {
    const b = this.bytes;
    return <i32>b[at] | (<i32>b[at + 1] << 8) | (<i32>b[at + 2] << 16) | (<i32>b[at + 3] << 24);
  }

  /** Whether the lengths are possible and the key is this one. */
  belongsTo(key: StaticArray<u8>, keyLength: i32): bool {
    const size = this.bytes.length;
    if (size < CacheBlob.HEAD) return false;
    const pairsSize = this.word(4);
    if (this.word(0) != keyLength || pairsSize < 0 || pairsSize > size || keyLength > size - CacheBlob.HEAD - pairsSize) return false;
    for (let i = 0; i < keyLength; i++) if (this.bytes[CacheBlob.HEAD + i] != key[i]) return false;
    return true;
  }

  /** Only after `belongsTo`. */
  pairs(): Uint8Array {
    const start = CacheBlob.HEAD + this.word(0);
    return this.bytes.subarray(start, start + this.word(4));
  }

  /** Only after `belongsTo`. */
  body(): Uint8Array {
    return this.bytes.subarray(CacheBlob.HEAD + this.word(0) + this.word(4));
  }
}

export function encodeBlob(key: StaticArray<u8>, keyLength: i32, pairs: Uint8Array, body: Uint8Array, bodyLength: i32): Uint8Array {
  const bytes = new Uint8Array(CacheBlob.HEAD + keyLength + pairs.length + bodyLength);
  putWord(bytes, 0, keyLength);
  putWord(bytes, 4, pairs.length);
  for (let i = 0; i < keyLength; i++) bytes[CacheBlob.HEAD + i] = key[i];
  bytes.set(pairs, CacheBlob.HEAD + keyLength);
  bytes.set(body.subarray(0, bodyLength), CacheBlob.HEAD + keyLength + pairs.length);
  return bytes;
}

function putWord(bytes: Uint8Array, at: i32, value: i32): void {
  bytes[at] = <u8>value;
  bytes[at + 1] = <u8>(value >> 8);
  bytes[at + 2] = <u8>(value >> 16);
  bytes[at + 3] = <u8>(value >> 24);
}
