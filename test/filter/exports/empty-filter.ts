/** The least that Envoy takes for a filter: callbacks on headers that do nothing. What any Wasm filter costs. */

const scratch = memory.data(64 * 1024);

export function proxy_abi_version_0_2_1(): void {}
export function proxy_on_memory_allocate(size: usize): usize {
  return size <= 64 * 1024 ? scratch : 0;
}
export function proxy_on_context_create(id: u32, parent: u32): void {}
export function proxy_on_configure(id: u32, size: u32): u32 {
  return 1;
}
export function proxy_on_request_headers(id: u32, count: u32, endOfStream: u32): u32 {
  return 0;
}
export function proxy_on_response_headers(id: u32, count: u32, endOfStream: u32): u32 {
  return 0;
}
