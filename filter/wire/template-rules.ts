import { HASH_START, HashTable, hashOn } from "./hash-table";

const SLASH: u8 = 0x2f;
const OPENING: u8 = 0x7b;
const CLOSING: u8 = 0x7d;

/** Whether each `{name}` of a template, of letters, digits, _ and -, fills a whole segment, and no name is there twice. */
export function isTemplate(bytes: Uint8Array, start: i32, end: i32): bool {
  const names = new HashTable((end - start) / 4);
  let at = start;
  while (at < end) {
    const from = ++at; // after the slash
    let hash = HASH_START;
    let braces = 0;
    for (; at < end && bytes[at] != SLASH; at++) {
      if (bytes[at] == OPENING || bytes[at] == CLOSING) braces++;
      else if (bytes[from] == OPENING && !isNameByte(bytes[at])) return false;
      hash = hashOn(hash, bytes[at]);
    }
    if (braces == 0) continue;
    if (braces != 2 || at - from < 3 || bytes[from] != OPENING || bytes[at - 1] != CLOSING || names.note(hash, 0) >= 0) return false;
  }
  return true;
}

/** Hash of a template without its names: `/items/{id}` and `/items/{item}` match the same paths. */
export function templateHash(bytes: Uint8Array, start: i32, end: i32, hash: u64): u64 {
  let isInName = false;
  for (let i = start; i < end; i++) {
    if (bytes[i] == SLASH) isInName = false;
    if (!isInName) hash = hashOn(hash, bytes[i]);
    if (bytes[i] == OPENING && bytes[i - 1] == SLASH) isInName = true;
  }
  return hash;
}

function isNameByte(byte: u8): bool {
  const letter = byte | 0x20;
  return (letter >= 0x61 && letter <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte == 0x5f || byte == 0x2d;
}
