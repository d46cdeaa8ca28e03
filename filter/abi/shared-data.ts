import { CAS_CREATE, Status } from "./enums";
import { proxy_get_shared_data, proxy_set_shared_data } from "./imports";
import {
  arena, arenaUsed, outExtra, outPointer, outSize, releaseArena, returnedExtra, returnedOffset, returnedSize, takeBuffer, wantBuffer,
} from "./memory";

/** `cas` of a key that is missing. Envoy's counter never gives 0. */
export const MISSING: u32 = 0;
/** `cas` of a value that the host would not hand out (too large for the arena): it can only be written over. */
export const UNKNOWN: u32 = 0xfffffffe;

/** Change mark of a key's value; MISSING when the key is. The value itself should be tiny: it is copied into the arena. */
export function sharedVersion(key: ArrayBuffer): u32 {
  const before = arenaUsed();
  const status = proxy_get_shared_data(changetype<usize>(key), key.byteLength, outPointer(), outSize(), outExtra());
  releaseArena(before);
  return status == Status.Ok ? returnedExtra() : MISSING;
}

/** How many words a value had at the last `readWords`; -1: it was not whole words, or more than fit. */
let wordCount: i32 = -1;

export function readWordCount(): i32 {
  return wordCount;
}

/** Reads a value of 64-bit words into `words`. Returns its cas, MISSING when there is none; see `readWordCount`. */
export function readWords(key: ArrayBuffer, words: StaticArray<i64>): u32 {
  wordCount = -1;
  const before = arenaUsed();
  const status = proxy_get_shared_data(changetype<usize>(key), key.byteLength, outPointer(), outSize(), outExtra());
  releaseArena(before);
  if (status == Status.NotFound) return MISSING;
  if (status != Status.Ok) return UNKNOWN;
  const size = returnedSize();
  const offset = returnedOffset();
  if ((size & 7) != 0 || size > words.length * 8 || (size > 0 && offset < 0)) return returnedExtra();
  memory.copy(changetype<usize>(words), changetype<usize>(arena) + <usize>max(offset, 0), <usize>size);
  wordCount = size >> 3;
  return returnedExtra();
}

/** Like `readWords`, for values that do not fit the arena: returns the words themselves, null when missing or malformed. */
export function readLargeWords(key: ArrayBuffer, maxBytes: i32): StaticArray<i64> | null {
  const bytes = readShared(key, maxBytes);
  if (bytes === null || (bytes.length & 7) != 0) return null;
  const words = new StaticArray<i64>(bytes.length >> 3);
  memory.copy(changetype<usize>(words), bytes.dataStart, <usize>bytes.length);
  return words;
}

/** Writes the first `count` words. `cas` MISSING writes whatever is there; CAS_CREATE only creates. True when written. */
export function writeWords(key: ArrayBuffer, words: StaticArray<i64>, count: i32, cas: u32): bool {
  const expected = cas == UNKNOWN ? 0 : cas;
  return proxy_set_shared_data(changetype<usize>(key), key.byteLength, changetype<usize>(words), count << 3, expected) == Status.Ok;
}

/** Creates the key with these words unless it is there. */
export function createWords(key: ArrayBuffer, words: StaticArray<i64>, count: i32): bool {
  return writeWords(key, words, count, CAS_CREATE);
}

/** Change mark of the value that the last call returned. */
export function readVersion(): u32 {
  return returnedExtra();
}

/** A value as a copy; null when missing, larger than `maxBytes` or refused. `passing`: the next such copy overwrites it. */
export function readShared(key: ArrayBuffer, maxBytes: i32, passing: bool = false): Uint8Array | null {
  wantBuffer(maxBytes, passing);
  const status = proxy_get_shared_data(changetype<usize>(key), key.byteLength, outPointer(), outSize(), outExtra());
  const bytes = takeBuffer();
  return status == Status.Ok ? bytes : null;
}

/** Writes a value whatever is there. */
export function writeShared(key: ArrayBuffer, bytes: Uint8Array): bool {
  return proxy_set_shared_data(changetype<usize>(key), key.byteLength, bytes.dataStart, bytes.length, 0) == Status.Ok;
}
