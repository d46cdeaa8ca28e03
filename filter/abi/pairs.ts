import { noteGarbage } from "./garbage";
import { decodeText } from "./text";

/**
 * Header maps as the ABI serialises them: count, then (name size, value size) per pair, all u32 little endian, then per pair
 * name, NUL, value, NUL.
 */
export class HeaderPairs {
  names: string[] = [];
  values: string[] = [];
  /** As `encodePairs` gave them; null: not asked for since the last change. */
  encoded: Uint8Array | null = null;

  add(name: string, value: string): HeaderPairs {
    this.encoded = null;
    this.names.push(name);
    this.values.push(value);
    return this;
  }

  /** First value of the name (lower case); null when absent. */
  get(name: string): string | null {
    const at = this.names.indexOf(name);
    return at < 0 ? null : this.values[at];
  }

  equals(other: HeaderPairs): bool {
    if (this.names.length != other.names.length) return false;
    for (let i = 0; i < this.names.length; i++) {
      if (this.names[i] != other.names[i] || this.values[i] != other.values[i]) return false;
    }
    return true;
  }

  /** All values of the name as one list (RFC 9110 section 5.3); null when absent. */
  joined(name: string): string | null {
    let list: string | null = null;
    for (let i = 0; i < this.names.length; i++) {
      if (this.names[i] == name) list = list === null ? this.values[i] : list + ", " + this.values[i];
    }
    return list;
  }
}

/** `:status` of a response; 0 when there is none. */
export function statusOf(headers: HeaderPairs | null): i32 {
  if (headers === null) return 0;
  const status = headers.get(":status");
  if (status === null || status.length != 3) return 0;
  let value = 0;
  for (let i = 0; i < 3; i++) {
    const digit = status.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return 0;
    value = value * 10 + digit;
  }
  return value;
}

/** Envoy reads a map of more bytes or pairs as empty, in silence. */
const MAX_BYTES: i32 = 1024 * 1024;
const MAX_PAIRS: i32 = 1024;

/** null: more than the host takes. */
export function encodePairs(pairs: HeaderPairs): Uint8Array | null {
  const known = pairs.encoded;
  if (known !== null) return known;
  const count = pairs.names.length;
  if (count > MAX_PAIRS) return null;
  let size = 4 + count * 8;
  for (let i = 0; i < count; i++) size += String.UTF8.byteLength(pairs.names[i]) + String.UTF8.byteLength(pairs.values[i]) + 2;
  if (size > MAX_BYTES) return null;
  const bytes = new Uint8Array(size);
  noteGarbage(size * 4);
  const base = bytes.dataStart;
  store<u32>(base, count);
  let at = 4 + count * 8;
  for (let i = 0; i < count; i++) {
    const name = pairs.names[i];
    const value = pairs.values[i];
    const nameSize = <i32>String.UTF8.encodeUnsafe(changetype<usize>(name), name.length, base + at);
    at += nameSize + 1;
    const valueSize = <i32>String.UTF8.encodeUnsafe(changetype<usize>(value), value.length, base + at);
    at += valueSize + 1;
    store<u32>(base + 4 + i * 8, nameSize);
    store<u32>(base + 8 + i * 8, valueSize);
  }
  pairs.encoded = bytes;
  return bytes;
}

/** A serialised map with more pairs at its end, without taking the old ones apart; null: more than the host takes, or not a map. */
export function extendPairs(bytes: Uint8Array, more: HeaderPairs): Uint8Array | null {
  const added = encodePairs(more);
  if (added === null || bytes.length < 4) return null;
  const count = <i32>load<u32>(bytes.dataStart);
  const addedCount = more.names.length;
  if (count < 0 || count + addedCount > MAX_PAIRS || 4 + count * 8 > bytes.length) return null;
  const size = bytes.length + added.length - 4;
  if (size > MAX_BYTES) return null;
  const result = new Uint8Array(size);
  noteGarbage(size);
  store<u32>(result.dataStart, count + addedCount);
  let at = result.dataStart + 4;
  memory.copy(at, bytes.dataStart + 4, count * 8);
  at += count * 8;
  memory.copy(at, added.dataStart + 4, addedCount * 8);
  at += addedCount * 8;
  const oldData = bytes.length - 4 - count * 8;
  memory.copy(at, bytes.dataStart + 4 + count * 8, oldData);
  memory.copy(at + oldData, added.dataStart + 4 + addedCount * 8, added.length - 4 - addedCount * 8);
  return result;
}

/** null: the bytes are not a header map. */
export function decodePairs(bytes: Uint8Array): HeaderPairs | null {
  const size = bytes.length;
  const base = bytes.dataStart;
  const pairs = new HeaderPairs();
  if (size == 0) return pairs;
  if (size < 4) return null;
  const count = load<u32>(base);
  if (count > <u32>MAX_PAIRS || 4 + <i32>count * 8 > size) return null;
  let at: u64 = 4 + count * 8;
  for (let i: u32 = 0; i < count; i++) {
    const nameSize = <u64>load<u32>(base + 4 + i * 8);
    const valueSize = <u64>load<u32>(base + 8 + i * 8);
    if (at + nameSize + valueSize + 2 > <u64>size) return null;
    const name = decodeText(base + <usize>at, <usize>nameSize);
    at += nameSize + 1;
    pairs.add(name, decodeText(base + <usize>at, <usize>valueSize));
    at += valueSize + 1;
  }
  return pairs;
}
