import { closeRoot, onCallOut, openRoot, rootOf } from "../root";
import { onRequest, onRequestEnd } from "../stream/request";
import { onResponse, onResponseData, onResponseTrailers, onStreamLog } from "../stream/response";
import { streams } from "../stream/pool";
import { readBuffer } from "./body";
import { monotonicMs } from "./clock";
import { SlotTable } from "./contexts";
import { Action, BufferKind } from "./enums";
import { collectOnTick, collectWhenBusy } from "./garbage";
import { allocate, resetArena } from "./memory";

/** Root context of each stream context. */
const roots: SlotTable = new SlotTable(256);

const MAX_CONFIGURATION: i32 = 1024 * 1024;

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: i32): usize {
  return allocate(size);
}

export function proxy_on_context_create(id: u32, root: u32): void {
  resetArena();
  if (root == 0) openRoot(id);
  else roots.set(id, root);
}

export function proxy_on_configure(id: u32, size: i32): i32 {
  resetArena();
  const root = rootOf(id);
  if (root === null) return 0;
  // One byte more than the bound, so that a longer one is refused for its size and not cut.
  const bytes = readBuffer(BufferKind.PluginConfiguration, min(size, MAX_CONFIGURATION + 1));
  return root.configure(bytes === null ? new Uint8Array(0) : bytes, monotonicMs()) ? 1 : 0;
}

export function proxy_on_tick(id: u32): void {
  resetArena();
  const root = rootOf(id);
  if (root !== null) root.tick(monotonicMs());
  collectOnTick();
}

export function proxy_on_request_headers(id: u32, count: i32, endOfStream: i32): i32 {
  resetArena();
  const root = rootOf(roots.get(id));
  return root === null ? Action.Continue : onRequest(id, endOfStream != 0, root.settings, root.services);
}

export function proxy_on_request_body(id: u32, size: i32, endOfStream: i32): i32 {
  if (endOfStream != 0) onRequestEnd(id);
  return Action.Continue;
}

export function proxy_on_request_trailers(id: u32, count: i32): i32 {
  onRequestEnd(id);
  return Action.Continue;
}

export function proxy_on_response_headers(id: u32, count: i32, endOfStream: i32): i32 {
  resetArena();
  return onResponse(id, endOfStream != 0);
}

export function proxy_on_response_body(id: u32, size: i32, endOfStream: i32): i32 {
  resetArena();
  return onResponseData(id, size, endOfStream != 0);
}

export function proxy_on_response_trailers(id: u32, count: i32): i32 {
  resetArena();
  onResponseTrailers(id);
  return Action.Continue;
}

export function proxy_on_http_call_response(id: u32, token: u32, headers: i32, bodySize: i32, trailers: i32): void {
  resetArena();
  onCallOut(token, headers, bodySize, monotonicMs());
  collectWhenBusy();
}

export function proxy_on_log(id: u32): void {
  resetArena();
  onStreamLog(id);
  collectWhenBusy();
}

export function proxy_on_done(id: u32): i32 {
  resetArena();
  if (rootOf(id) !== null) closeRoot(id, monotonicMs());
  return 1;
}

export function proxy_on_delete(id: u32): void {
  roots.delete(id);
  streams.close(id);
}
