import { Pattern, PATTERN_BYTES, PATTERN_LENGTHS } from "./contract.gen";

const SLASH: u8 = 0x2f;
const STAR: u8 = 0x2a;
const DOT: u8 = 0x2e;

/**
 * Whether bytes [start, end) match a pattern of contract/names.ts as a whole. The generated tables say which bytes may
 * stand inside and how many; here is what each pattern asks of the first and last byte.
 */
export function matches(pattern: Pattern, bytes: Uint8Array, start: i32, end: i32): bool {
  if (pattern == Pattern.Any) return true;
  if (pattern == Pattern.HeaderValue && start == end) return true;
  if (pattern == Pattern.Host && end - start > 2 && bytes[start] == STAR && bytes[start + 1] == DOT) start += 2;
  if (start >= end || end - start > <i32>PATTERN_LENGTHS[pattern]) return false;
  for (let i = start; i < end; i++) if (bytes[i] > 0x7f || !((<i32>PATTERN_BYTES[bytes[i]] >> (<i32>pattern - 1)) & 1)) return false;
  switch (pattern) {
    case Pattern.Host:
      return isAlphanumeric(bytes[start]) && isAlphanumeric(bytes[end - 1]);
    case Pattern.Name:
    case Pattern.Cluster:
      return isAlphanumeric(bytes[start]);
    case Pattern.Path:
      return bytes[start] == SLASH;
    default:
      return true;
  }
}

function isAlphanumeric(byte: u8): bool {
  const letter = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (letter >= 0x61 && letter <= 0x7a);
}
