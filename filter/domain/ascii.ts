/** `byte` in lower case, when it is a capital ASCII letter. */
@inline
export function lower(byte: u8): u8 {
  return byte - 0x41 < 26 ? byte | 0x20 : byte;
}

/** Whether bytes [start, end) are exactly the ASCII `text`. */
export function rangeIs(bytes: StaticArray<u8>, start: i32, end: i32, text: string): bool {
  if (end - start != text.length) return false;
  for (let i = 0; i < text.length; i++) {
    if (bytes[start + i] != text.charCodeAt(i)) return false;
  }
  return true;
}

/** The bytes of an ASCII text. */
export function bytesOf(text: string): StaticArray<u8> {
  const bytes = new StaticArray<u8>(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = <u8>text.charCodeAt(i);
  return bytes;
}
