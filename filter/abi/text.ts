/**
 * Text of bytes from outside. AssemblyScript's own decoder takes two bytes that are no UTF-8 for one ASCII character, such as a line's
 * end, and lets others swallow what follows. Here all that is not ASCII is DEL then, which no header value may hold (`isFieldValue`).
 */
export function decodeText(from: usize, size: usize): string {
  const text = String.UTF8.decodeUnsafe(from, size);
  if (isAscii(from, size)) return text;
  const back = String.UTF8.encode(text);
  if (<usize>back.byteLength == size && memory.compare(changetype<usize>(back), from, size) == 0) return text;
  const marked = new ArrayBuffer(<i32>size);
  for (let at: usize = 0; at < size; at++) {
    const byte = load<u8>(from + at);
    store<u8>(changetype<usize>(marked) + at, byte < 0x80 ? byte : 0x7f);
  }
  return String.UTF8.decode(marked);
}

function isAscii(from: usize, size: usize): bool {
  for (let at: usize = 0; at < size; at++) if (load<u8>(from + at) >= 0x80) return false;
  return true;
}
