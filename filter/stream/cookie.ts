import { hash64 } from "../domain/sip-hash";

const SEMICOLON: u8 = 0x3b;
const EQUALS: u8 = 0x3d;
const SPACE: u8 = 0x20;

/** Hash of the value of a cookie in a `cookie` header (RFC 6265 section 4.2.1), never 0; 0 when it is absent or empty. */
export function cookieHash(bytes: StaticArray<u8>, start: i32, end: i32, name: string, k0: u64, k1: u64): u64 {
  let at = start;
  while (at < end) {
    while (at < end && bytes[at] == SPACE) at++;
    let stop = at;
    while (stop < end && bytes[stop] != SEMICOLON) stop++;
    const value = at + name.length + 1;
    if (value < stop && bytes[value - 1] == EQUALS && isName(bytes, at, name)) return hash64(bytes, value, stop, k0, k1) | 1;
    at = stop + 1;
  }
  return 0;
}

function isName(bytes: StaticArray<u8>, at: i32, name: string): bool {
  for (let i = 0; i < name.length; i++) if (bytes[at + i] != <u8>name.charCodeAt(i)) return false;
  return true;
}
