import { lower } from "./ascii";

const COLON: u8 = 0x3a;
const STAR: i32 = 0x2a;

/** Whether a host, with or without port, in any case, is `pattern` (lower case): a name, or `*.suffix` for any subdomain. */
export function hostMatches(bytes: StaticArray<u8>, start: i32, end: i32, pattern: string): bool {
  let stop = start;
  while (stop < end && bytes[stop] != COLON) stop++;
  const wild = pattern.length > 1 && pattern.charCodeAt(0) == STAR;
  const from = wild ? 1 : 0;
  const size = pattern.length - from;
  if (wild ? stop - start <= size : stop - start != size) return false;
  for (let i = 0; i < size; i++) {
    if (lower(bytes[stop - size + i]) != <u8>pattern.charCodeAt(from + i)) return false;
  }
  return true;
}
