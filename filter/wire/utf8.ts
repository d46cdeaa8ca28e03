/**
 * Length of the well-formed UTF-8 sequence at `at`, for a first byte ≥ 0x80: 2 to 4, or 0 if it is none (overlong forms, surrogates
 * and values above U+10FFFF are none).
 */
export function sequenceLength(bytes: Uint8Array, at: i32): i32 {
  const first = bytes[at];
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (at + length > bytes.length) return 0;
  const second = bytes[at + 1];
  if (first == 0xe0 && second < 0xa0) return 0;
  if (first == 0xed && second > 0x9f) return 0;
  if (first == 0xf0 && second < 0x90) return 0;
  if (first == 0xf4 && second > 0x8f) return 0;
  for (let i = 1; i < length; i++) if ((bytes[at + i] & 0xc0) != 0x80) return 0;
  return length;
}

/** Code points in a range of well-formed UTF-8. */
export function codePoints(bytes: Uint8Array, start: i32, end: i32): i32 {
  let count = 0;
  for (let i = start; i < end; i++) if ((bytes[i] & 0xc0) != 0x80) count++;
  return count;
}

/** Writes one code point and gives the offset after it. There must be room for 4 bytes. */
export function writeCodePoint(bytes: Uint8Array, at: i32, code: u32): i32 {
  if (code < 0x80) {
    bytes[at] = <u8>code;
    return at + 1;
  }
  let tail = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  const lead: u32 = tail == 1 ? 0xc0 : tail == 2 ? 0xe0 : 0xf0;
  bytes[at] = <u8>(lead | (code >> (6 * tail)));
  while (--tail >= 0) bytes[++at] = <u8>(0x80 | ((code >> (6 * tail)) & 0x3f));
  return at + 1;
}
