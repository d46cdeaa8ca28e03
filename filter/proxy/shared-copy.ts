import { contentHash } from "../abi/content-hash";
import { decodePairs } from "../abi/pairs";
import { putWordAt, wordAt } from "../abi/words";
import { hex } from "../domain/hex";
import { hash64 } from "../domain/sip-hash";
import { isKept, isPassedOn } from "../domain/storability";
import { CacheBlob } from "./cache-blob";

/** First word after the hash: what follows is laid out as here. */
const LAYOUT: i64 = 0x726b636f70790001;
/** hash of the rest, layout, age, freshness, stale-if-error, status, then the blob. */
const HEAD: i32 = 48;
/** No age or lifetime is longer: 100 years. */
const LONGEST_MS: i64 = 3_155_760_000_000;

/** Fixed, since all proxies of a service must agree. */
const KEY_A0: u64 = 0x72656b696e646c65;
const KEY_A1: u64 = 0x636f70792d6b6579;
const KEY_B0: u64 = 0x9e3779b97f4a7c15;
const KEY_B1: u64 = 0xa0761d6478bd642f;

/** A copy with what is known of its age. */
export class AgedCopy {
  /** When it was so old. */
  ageMs: i64 = 0;
  freshForMs: i64 = 0;
  /** -1: not said. */
  staleIfErrorMs: i64 = 0;
  status: i32 = 0;
  mayServeStale: bool = false;

  constructor(readonly blob: Uint8Array) {}
}

/**
 * Name of a cache key on the wire: 32 hex digits, from which nothing of the request can be read. Whoever makes two keys of one name gets
 * a miss: the copy holds the key itself.
 */
export function wireKey(key: StaticArray<u8>, length: i32): string {
  return hex(<i64>hash64(key, 0, length, KEY_A0, KEY_A1)) + hex(<i64>hash64(key, 0, length, KEY_B0, KEY_B1));
}

/** A copy as it goes over the wire. Ages, never instants: clocks differ. */
export function encodeCopy(copy: AgedCopy): Uint8Array {
  const bytes = new Uint8Array(HEAD + copy.blob.length);
  putWordAt(bytes, 8, LAYOUT);
  putWordAt(bytes, 16, copy.ageMs);
  putWordAt(bytes, 24, copy.freshForMs);
  putWordAt(bytes, 32, copy.staleIfErrorMs);
  putWordAt(bytes, 40, (<i64>copy.status << 1) | (copy.mayServeStale ? 1 : 0));
  bytes.set(copy.blob, HEAD);
  putWordAt(bytes, 0, contentHash(bytes.subarray(8)));
  return bytes;
}

/** The copy of this key, checked as if a stranger had made it; null: it is not one that may be kept. */
export function decodeCopy(bytes: Uint8Array, key: StaticArray<u8>, keyLength: i32, maxBodyBytes: i32): AgedCopy | null {
  if (bytes.length < HEAD || wordAt(bytes, 0) != contentHash(bytes.subarray(8)) || wordAt(bytes, 8) != LAYOUT) return null;
  const copy = new AgedCopy(bytes.slice(HEAD));
  copy.ageMs = wordAt(bytes, 16);
  copy.freshForMs = wordAt(bytes, 24);
  copy.staleIfErrorMs = wordAt(bytes, 32);
  const told = wordAt(bytes, 40);
  copy.status = <i32>(told >> 1);
  copy.mayServeStale = (told & 1) != 0;
  if (told >> 1 != copy.status || !isKept(copy.status) || copy.staleIfErrorMs < -1) return null;
  if (!isSpan(copy.ageMs) || !isSpan(copy.freshForMs) || copy.staleIfErrorMs > LONGEST_MS) return null;
  const blob = new CacheBlob(copy.blob);
  if (!blob.belongsTo(key, keyLength) || blob.body().length > maxBodyBytes) return null;
  const headers = decodePairs(blob.pairs());
  if (headers === null) return null;
  for (let i = 0; i < headers.names.length; i++) if (!isPassedOn(headers.names[i], headers.values[i], "")) return null;
  return copy;
}

function isSpan(ms: i64): bool {
  return ms >= 0 && ms <= LONGEST_MS;
}
