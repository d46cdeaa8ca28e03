import { HeaderMap, Status } from "./enums";
import {
  proxy_add_header_map_value, proxy_get_header_map_pairs, proxy_get_header_map_value, proxy_get_property, proxy_remove_header_map_value,
  proxy_replace_header_map_value,
  proxy_set_header_map_pairs,
} from "./imports";
import { allocate, arena, arenaUsed, outPointer, outSize, releaseArena, returnedOffset, returnedSize, takeBuffer, wantBuffer } from "./memory";
import { decodePairs, HeaderPairs } from "./pairs";
import { decodeText } from "./text";

/** Bytes of the arena that the last reading call returned: `arena[start..end)`. Void after the callback. */
export class ArenaRange {
  start: i32 = 0;
  end: i32 = 0;
}
export const range: ArenaRange = new ArenaRange();

function returned(status: i32): bool {
  if (status != Status.Ok) return false;
  const size = returnedSize();
  if (size == 0) {
    range.start = 0;
    range.end = 0;
    return true;
  }
  const offset = returnedOffset();
  if (offset < 0) return false;
  range.start = offset;
  range.end = offset + size;
  return true;
}

/** UTF-8 form of a name, made once and kept by the caller. */
export function utf8(text: string): ArrayBuffer {
  return String.UTF8.encode(text);
}

/** Reads the first value of a header into the arena (`range`), without allocation. False: absent, or too large for the arena. */
export function readHeader(map: HeaderMap, name: ArrayBuffer): bool {
  return returned(proxy_get_header_map_value(map, changetype<usize>(name), name.byteLength, outPointer(), outSize()));
}

/** Whether a header is there, though it be too large to be read. */
export function hasHeader(map: HeaderMap, name: ArrayBuffer): bool {
  const before = arenaUsed();
  const status = proxy_get_header_map_value(map, changetype<usize>(name), name.byteLength, outPointer(), outSize());
  releaseArena(before);
  return status == Status.Ok || status == Status.InvalidMemoryAccess;
}

/** Removes a header. Any mutation of a request makes Envoy match its route anew. */
export function removeHeader(map: HeaderMap, name: ArrayBuffer): void {
  proxy_remove_header_map_value(map, changetype<usize>(name), name.byteLength);
}

/** Puts a text into the arena (`range`), beside what the host returned. False: no room. */
export function putText(text: string): bool {
  const size = String.UTF8.byteLength(text);
  const pointer = allocate(size);
  if (pointer == 0) return false;
  String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, pointer);
  range.start = <i32>(pointer - changetype<usize>(arena));
  range.end = range.start + size;
  return true;
}

/** Reads a property into the arena; path parts are separated by NUL. */
export function readProperty(path: ArrayBuffer): bool {
  return returned(proxy_get_property(changetype<usize>(path), path.byteLength, outPointer(), outSize()));
}

/** Bytes [start, end) as a string. */
export function textOf(bytes: StaticArray<u8>, start: i32, end: i32): string {
  if (start < 0 || end <= start || end > bytes.length) return "";
  return decodeText(changetype<usize>(bytes) + <usize>start, <usize>(end - start));
}

/** Copies bytes [start, end) of the arena to `to` at `at`; nothing when they do not fit. */
export function copyFromArena(to: StaticArray<u8>, at: i32, start: i32, end: i32): void {
  if (start < 0 || end < start || end > arena.length || at < 0 || at + end - start > to.length) return;
  memory.copy(changetype<usize>(to) + <usize>at, changetype<usize>(arena) + <usize>start, <usize>(end - start));
}

/** The bytes of `range` as a string. */
export function rangeText(): string {
  return textOf(arena, range.start, range.end);
}

/** The bytes of `range` as a little-endian integer of 8 bytes; -1 when they are not. */
export function rangeI64(): i64 {
  if (range.end - range.start != 8) return -1;
  return load<i64>(changetype<usize>(arena) + <usize>range.start);
}

/** The bytes of `range` as decimal digits; -1 when they are not, or more than nine. */
export function rangeDecimal(): i32 {
  const size = range.end - range.start;
  if (size < 1 || size > 9) return -1;
  let value = 0;
  for (let i = range.start; i < range.end; i++) {
    const digit = <i32>arena[i] - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** All headers; null when the host refuses or returns what is not a header map. */
export function allHeaders(map: HeaderMap): HeaderPairs | null {
  wantBuffer(1024 * 1024);
  const status = proxy_get_header_map_pairs(map, outPointer(), outSize());
  const bytes = takeBuffer();
  if (status != Status.Ok) return null;
  return bytes === null ? new HeaderPairs() : decodePairs(bytes);
}

/** Replaces the whole map by headers as `encodePairs` gives them. */
export function setHeaders(map: HeaderMap, bytes: Uint8Array): bool {
  return proxy_set_header_map_pairs(map, bytes.dataStart, bytes.length) == Status.Ok;
}

export function addHeader(map: HeaderMap, name: string, value: string): void {
  const n = utf8(name);
  const v = utf8(value);
  proxy_add_header_map_value(map, changetype<usize>(n), n.byteLength, changetype<usize>(v), v.byteLength);
}

export function replaceHeader(map: HeaderMap, name: string, value: string): void {
  const n = utf8(name);
  const v = utf8(value);
  proxy_replace_header_map_value(map, changetype<usize>(n), n.byteLength, changetype<usize>(v), v.byteLength);
}
