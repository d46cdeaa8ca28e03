import { BufferKind, Status } from "./enums";
import { proxy_get_buffer_bytes, proxy_set_buffer_bytes } from "./imports";
import { outPointer, outSize, takeBuffer, wantBuffer } from "./memory";

/** Up to `maxBytes` of a buffer as a copy; null when the host has none or refuses. */
export function readBuffer(kind: BufferKind, maxBytes: i32): Uint8Array | null {
  if (maxBytes <= 0) return new Uint8Array(0);
  wantBuffer(maxBytes);
  const status = proxy_get_buffer_bytes(kind, 0, maxBytes, outPointer(), outSize());
  const bytes = takeBuffer();
  if (status != Status.Ok) return null;
  return bytes === null ? new Uint8Array(0) : bytes;
}

/** Replaces the `length` bytes that the buffer holds now. */
export function replaceBuffer(kind: BufferKind, length: i32, bytes: Uint8Array): void {
  proxy_set_buffer_bytes(kind, 0, length, bytes.dataStart, bytes.length);
}
