/** 64-bit mix of a value's bytes, eight at a time (multiply and rotate as in wyhash), to tell a torn or foreign value from a whole one. */
export function contentHash(bytes: Uint8Array): i64 {
  const size = <usize>bytes.length;
  let at = bytes.dataStart;
  const end = at + size;
  let hash: u64 = 0x9e3779b97f4a7c15 ^ <u64>size;
  for (; at + 8 <= end; at += 8) hash = rotl(hash ^ load<u64>(at), 29) * 0xa0761d6478bd642f;
  for (; at < end; at++) hash = rotl(hash ^ <u64>load<u8>(at), 29) * 0xe7037ed1a0b428db;
  return <i64>(hash ^ (hash >> 32));
}
