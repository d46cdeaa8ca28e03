import type { Pair } from './header-map.ts';
import { headerBytes, headerText } from './text.ts';

/** Larger maps are read as empty, without a word. */
export const MAX_PAIRS_BYTES = 1024 * 1024;
export const MAX_PAIRS_COUNT = 1024;

/** Header map as the ABI serialises it: count, sizes, then each name and value followed by NUL. */
export function encodePairs(pairs: readonly Pair[]): Uint8Array {
  const parts = pairs.map(([name, value]) => [headerBytes(name), headerBytes(value)] as const);
  const size = parts.reduce((sum, [name, value]) => sum + 10 + name.length + value.length, 4);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, parts.length, true);
  let at = 4 + parts.length * 8;
  for (const [i, [name, value]] of parts.entries()) {
    view.setUint32(4 + i * 8, name.length, true);
    view.setUint32(8 + i * 8, value.length, true);
    bytes.set(name, at);
    at += name.length + 1;
    bytes.set(value, at);
    at += value.length + 1;
  }
  return bytes;
}

/** Pairs of a serialised map; empty for whatever is malformed or too large, as Envoy's host reads it. */
export function decodePairs(bytes: Uint8Array): Pair[] {
  if (bytes.length < 4 || bytes.length > MAX_PAIRS_BYTES) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint32(0, true);
  if (count > MAX_PAIRS_COUNT || 4 + count * 8 > bytes.length) return [];
  const pairs: Pair[] = [];
  let at = 4 + count * 8;
  const take = (size: number): string | null => {
    if (at + size + 1 > bytes.length || bytes[at + size] !== 0) return null;
    const text = headerText(bytes.subarray(at, at + size));
    at += size + 1;
    return text;
  };
  for (let i = 0; i < count; i++) {
    const name = take(view.getUint32(4 + i * 8, true));
    if (name === null) return [];
    const value = take(view.getUint32(8 + i * 8, true));
    if (value === null) return [];
    pairs.push([name, value]);
  }
  return at === bytes.length ? pairs : [];
}
