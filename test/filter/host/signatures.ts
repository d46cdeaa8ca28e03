/**
 * Functions of Envoy's Wasm host for ABI 0.2.1, with their types: i for i32, I for i64, then a colon and the result. A module that
 * imports anything else, or one of these with another type, is not loaded.
 */
export const HOST_FUNCTIONS: Readonly<Record<string, string>> = {
  'env.proxy_log': 'iii:i',
  'env.proxy_get_log_level': 'i:i',
  'env.proxy_get_status': 'iii:i',
  'env.proxy_set_property': 'iiii:i',
  'env.proxy_get_property': 'iiii:i',
  'env.proxy_send_local_response': 'iiiiiiii:i',
  'env.proxy_get_shared_data': 'iiiii:i',
  'env.proxy_set_shared_data': 'iiiii:i',
  'env.proxy_register_shared_queue': 'iii:i',
  'env.proxy_resolve_shared_queue': 'iiiii:i',
  'env.proxy_dequeue_shared_queue': 'iii:i',
  'env.proxy_enqueue_shared_queue': 'iii:i',
  'env.proxy_get_header_map_value': 'iiiii:i',
  'env.proxy_add_header_map_value': 'iiiii:i',
  'env.proxy_replace_header_map_value': 'iiiii:i',
  'env.proxy_remove_header_map_value': 'iii:i',
  'env.proxy_get_header_map_pairs': 'iii:i',
  'env.proxy_set_header_map_pairs': 'iii:i',
  'env.proxy_get_header_map_size': 'ii:i',
  'env.proxy_get_buffer_status': 'iii:i',
  'env.proxy_get_buffer_bytes': 'iiiii:i',
  'env.proxy_set_buffer_bytes': 'iiiii:i',
  'env.proxy_http_call': 'iiiiiiiiii:i',
  'env.proxy_grpc_call': 'iiiiiiiiiiii:i',
  'env.proxy_grpc_stream': 'iiiiiiiii:i',
  'env.proxy_grpc_close': 'i:i',
  'env.proxy_grpc_cancel': 'i:i',
  'env.proxy_grpc_send': 'iiii:i',
  'env.proxy_set_tick_period_milliseconds': 'i:i',
  'env.proxy_get_current_time_nanoseconds': 'i:i',
  'env.proxy_define_metric': 'iiii:i',
  'env.proxy_increment_metric': 'iI:i',
  'env.proxy_record_metric': 'iI:i',
  'env.proxy_get_metric': 'ii:i',
  'env.proxy_set_effective_context': 'i:i',
  'env.proxy_done': ':i',
  'env.proxy_call_foreign_function': 'iiiiii:i',
  'env.proxy_continue_stream': 'i:i',
  'env.proxy_close_stream': 'i:i',
  'wasi_snapshot_preview1.clock_time_get': 'iIi:i',
  'wasi_snapshot_preview1.random_get': 'ii:i',
  'wasi_snapshot_preview1.fd_write': 'iiii:i',
  'wasi_snapshot_preview1.environ_get': 'ii:i',
  'wasi_snapshot_preview1.environ_sizes_get': 'ii:i',
  'wasi_snapshot_preview1.args_get': 'ii:i',
  'wasi_snapshot_preview1.args_sizes_get': 'ii:i',
  'wasi_snapshot_preview1.proc_exit': 'i:',
  'wasi_unstable.clock_time_get': 'iIi:i',
  'wasi_unstable.random_get': 'ii:i',
};

/** Callbacks that the host looks for in the module; each may be missing, but one of another type fails the load. */
export const CALLBACKS: Readonly<Record<string, string>> = {
  _initialize: ':',
  _start: ':',
  malloc: 'i:i',
  proxy_on_memory_allocate: 'i:i',
  proxy_on_context_create: 'ii:',
  proxy_on_vm_start: 'ii:i',
  proxy_on_configure: 'ii:i',
  proxy_on_tick: 'i:',
  proxy_on_request_headers: 'iii:i',
  proxy_on_request_body: 'iii:i',
  proxy_on_request_trailers: 'ii:i',
  proxy_on_response_headers: 'iii:i',
  proxy_on_response_body: 'iii:i',
  proxy_on_response_trailers: 'ii:i',
  proxy_on_http_call_response: 'iiiii:',
  proxy_on_queue_ready: 'ii:',
  proxy_on_foreign_function: 'iii:',
  proxy_on_done: 'i:i',
  proxy_on_log: 'i:',
  proxy_on_delete: 'i:',
};

/** A function export of this name, of whatever type, tells the ABI. */
export const ABI_EXPORT = 'proxy_abi_version_0_2_1';

/** Host functions that answer while the module initialises; any other traps. */
export const ALLOWED_AT_START: ReadonlySet<string> = new Set([
  'env.proxy_log',
  'wasi_snapshot_preview1.clock_time_get',
  'wasi_snapshot_preview1.random_get',
  'wasi_snapshot_preview1.fd_write',
  'wasi_snapshot_preview1.environ_get',
  'wasi_snapshot_preview1.environ_sizes_get',
  'wasi_snapshot_preview1.args_get',
  'wasi_snapshot_preview1.args_sizes_get',
  'wasi_unstable.clock_time_get',
  'wasi_unstable.random_get',
]);

/** Host functions that answer while the host asks the module for memory; any other traps. */
export const ALLOWED_IN_ALLOCATE: ReadonlySet<string> = new Set([
  'env.proxy_log',
  'wasi_snapshot_preview1.clock_time_get',
  'wasi_snapshot_preview1.fd_write',
  'wasi_unstable.clock_time_get',
]);
