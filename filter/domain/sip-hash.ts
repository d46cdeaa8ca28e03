// State of the hash that is being taken; globals, so that the rounds need no object.
let v0: u64 = 0;
let v1: u64 = 0;
let v2: u64 = 0;
let v3: u64 = 0;

/**
 * SipHash-2-4 of bytes [start, end) under the 128-bit key (k0, k1), after Aumasson and Bernstein, "SipHash: a fast short-
 * input PRF" (2012). Keyed, so that a client who does not know the key cannot aim for collisions. A range that leaves the
 * bytes is cut at their ends.
 */
export function hash64(bytes: StaticArray<u8>, start: i32, end: i32, k0: u64, k1: u64): u64 {
  v0 = k0 ^ 0x736f6d6570736575;
  v1 = k1 ^ 0x646f72616e646f6d;
  v2 = k0 ^ 0x6c7967656e657261;
  v3 = k1 ^ 0x7465646279746573;
  start = max(0, start);
  end = min(end, bytes.length);
  const length = max(0, end - start);
  let at = start;
  for (const last = start + (length & ~7); at < last; at += 8) absorb(littleEndian(bytes, at, 8));
  absorb((<u64>length << 56) | littleEndian(bytes, at, length & 7));
  v2 ^= 0xff;
  round();
  round();
  round();
  round();
  return v0 ^ v1 ^ v2 ^ v3;
}

function absorb(word: u64): void {
  v3 ^= word;
  round();
  round();
  v0 ^= word;
}

function round(): void {
  v0 += v1;
  v1 = rotl<u64>(v1, 13) ^ v0;
  v0 = rotl<u64>(v0, 32);
  v2 += v3;
  v3 = rotl<u64>(v3, 16) ^ v2;
  v0 += v3;
  v3 = rotl<u64>(v3, 21) ^ v0;
  v2 += v1;
  v1 = rotl<u64>(v1, 17) ^ v2;
  v2 = rotl<u64>(v2, 32);
}

/** `unchecked`: hash64() has cut the range. */
function littleEndian(bytes: StaticArray<u8>, at: i32, count: i32): u64 {
  let word: u64 = 0;
  for (let i = count - 1; i >= 0; i--) word = (word << 8) | unchecked(bytes[at + i]);
  return word;
}
