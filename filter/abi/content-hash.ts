const SEED: u64 = 0x9e3779b97f4a7c15;
const MULTIPLIER: u64 = 0xa0761d6478bd642f;

/**
 * 64-bit mix of a value's bytes (multiply and rotate as in wyhash), to tell a torn or foreign value from a whole one. Four lanes of eight
 * bytes, since each step of one lane waits for its last: a body of 64 KiB is hashed each time that its copy is served.
 */
export function contentHash(bytes: Uint8Array): i64 {
  const size = <usize>bytes.length;
  let at = bytes.dataStart;
  const end = at + size;
  let a: u64 = SEED ^ <u64>size;
  let b: u64 = a + MULTIPLIER;
  let c: u64 = b + MULTIPLIER;
  let d: u64 = c + MULTIPLIER;
  for (; at + 32 <= end; at += 32) {
    a = mix(a ^ load<u64>(at));
    b = mix(b ^ load<u64>(at, 8));
    c = mix(c ^ load<u64>(at, 16));
    d = mix(d ^ load<u64>(at, 24));
  }
  a = mix(mix(mix(a ^ b) ^ c) ^ d);
  for (; at < end; at++) a = mix(a ^ <u64>load<u8>(at));
  return <i64>(a ^ (a >> 32));
}

// @ts-ignore: decorator
@inline function mix(lane: u64): u64 { return rotl(lane, 29) * MULTIPLIER; }
