import { noteGarbage } from "./garbage";

/**
 * Where the host puts the data that it returns. Small values go to a static arena that each callback resets, so the happy path
 * allocates nothing. A wrapper that wants a large value (body, configuration, shared document) asks for a buffer of its own first.
 */

/** Envoy's default limit of a request's headers is 60 KiB. */
const ARENA_BYTES: i32 = 64 * 1024;

export const arena: StaticArray<u8> = new StaticArray<u8>(ARENA_BYTES);
let used: i32 = 0;

let wantedMax: i32 = -1;
let handed: ArrayBuffer | null = null;

/** Takes large values that are used up before the callback ends; as large as the largest of them so far. */
let scratch: ArrayBuffer = new ArrayBuffer(0);
let wantsScratch: bool = false;

/** Out-parameters of host calls: [pointer, size, cas | id | token]. */
const out: StaticArray<u32> = new StaticArray<u32>(4);
const outTime: StaticArray<u64> = new StaticArray<u64>(1);

// @ts-ignore: decorator
@inline export function outPointer(): usize { return changetype<usize>(out); }
// @ts-ignore: decorator
@inline export function outSize(): usize { return changetype<usize>(out) + 4; }
// @ts-ignore: decorator
@inline export function outExtra(): usize { return changetype<usize>(out) + 8; }
// @ts-ignore: decorator
@inline export function returnedSize(): i32 { return out[1]; }
// @ts-ignore: decorator
@inline export function returnedExtra(): u32 { return out[2]; }
// @ts-ignore: decorator
@inline export function timePointer(): usize { return changetype<usize>(outTime); }
// @ts-ignore: decorator
@inline export function returnedTime(): u64 { return outTime[0]; }

/** Start of a callback: all that the host returned earlier is void. */
export function resetArena(): void {
  used = 0;
}

/** How much of the arena is taken, for `releaseArena`. */
export function arenaUsed(): i32 {
  return used;
}

/** Gives back what the host put into the arena since: for values that are copied at once, of which a tick reads many. */
export function releaseArena(to: i32): void {
  used = to;
}

/** Offset of the last returned value in the arena; -1: it lies elsewhere or nowhere. */
export function returnedOffset(): i32 {
  const base = changetype<usize>(arena);
  const pointer = <usize>out[0];
  if (pointer < base || pointer + <usize>out[1] > base + <usize>ARENA_BYTES) return -1;
  return <i32>(pointer - base);
}

/**
 * The next value that the host returns goes to a buffer of its own, unless it is larger than `maxBytes`; `passing`: to one that the next
 * such value overwrites.
 */
export function wantBuffer(maxBytes: i32, passing: bool = false): void {
  wantedMax = maxBytes;
  wantsScratch = passing;
  handed = null;
}

/** The buffer asked for; null when the host returned nothing, or more than was wanted. */
export function takeBuffer(): Uint8Array | null {
  const buffer = handed;
  handed = null;
  wantedMax = -1;
  if (buffer === null || changetype<usize>(buffer) != <usize>out[0]) return null;
  return Uint8Array.wrap(buffer, 0, min(<i32>out[1], buffer.byteLength));
}

/** The host's allocator. 0 refuses: the host call then answers 6 (InvalidMemoryAccess) and nothing traps. */
export function allocate(size: i32): usize {
  if (size < 0) return 0;
  if (wantedMax >= 0) {
    if (size > wantedMax) return 0;
    let buffer = scratch;
    if (!wantsScratch || size > buffer.byteLength) {
      noteGarbage(size);
      buffer = new ArrayBuffer(size);
      if (wantsScratch) scratch = buffer;
    }
    handed = buffer;
    return changetype<usize>(buffer);
  }
  if (size > ARENA_BYTES - used) return 0;
  const pointer = changetype<usize>(arena) + <usize>used;
  used += (size + 7) & ~7;
  if (used > ARENA_BYTES) used = ARENA_BYTES;
  return pointer;
}

/** Copies the first `length` bytes; no more than either holds. */
export function copyBytes(to: StaticArray<u8>, from: StaticArray<u8>, length: i32): void {
  const size = min(max(length, 0), min(to.length, from.length));
  memory.copy(changetype<usize>(to), changetype<usize>(from), <usize>size);
}
