/** The 64-bit little-endian word at a place of the bytes; 0 when they do not hold it. */
export function wordAt(bytes: Uint8Array, at: i32): i64 {
  return at < 0 || at > bytes.length - 8 ? 0 : load<i64>(bytes.dataStart + <usize>at);
}

/** Writes a word; nothing when the bytes have no room for it. */
export function putWordAt(bytes: Uint8Array, at: i32, word: i64): void {
  if (at >= 0 && at <= bytes.length - 8) store<i64>(bytes.dataStart + <usize>at, word);
}
