/** The host calls of the module, one declaration each; the capability list in `envoy/` is made from them. */

@external("env", "proxy_log")
export declare function proxy_log(level: i32, message: usize, size: i32): i32;
@external("env", "proxy_set_tick_period_milliseconds")
export declare function proxy_set_tick_period_milliseconds(period: u32): i32;
@external("env", "proxy_get_buffer_bytes")
export declare function proxy_get_buffer_bytes(kind: i32, start: i32, max: i32, data: usize, size: usize): i32;
@external("env", "proxy_set_buffer_bytes")
export declare function proxy_set_buffer_bytes(kind: i32, start: i32, length: i32, data: usize, size: i32): i32;
@external("env", "proxy_get_header_map_value")
export declare function proxy_get_header_map_value(map: i32, key: usize, keySize: i32, value: usize, size: usize): i32;
@external("env", "proxy_add_header_map_value")
export declare function proxy_add_header_map_value(map: i32, key: usize, keySize: i32, value: usize, size: i32): i32;
@external("env", "proxy_replace_header_map_value")
export declare function proxy_replace_header_map_value(map: i32, key: usize, keySize: i32, value: usize, size: i32): i32;
@external("env", "proxy_remove_header_map_value")
export declare function proxy_remove_header_map_value(map: i32, key: usize, keySize: i32): i32;
@external("env", "proxy_get_header_map_pairs")
export declare function proxy_get_header_map_pairs(map: i32, data: usize, size: usize): i32;
@external("env", "proxy_set_header_map_pairs")
export declare function proxy_set_header_map_pairs(map: i32, data: usize, size: i32): i32;
@external("env", "proxy_send_local_response")
export declare function proxy_send_local_response(
  status: i32, details: usize, detailsSize: i32, body: usize, bodySize: i32, headers: usize, headersSize: i32, grpcStatus: i32,
): i32;
@external("env", "proxy_http_call")
export declare function proxy_http_call(
  cluster: usize, clusterSize: i32, headers: usize, headersSize: i32, body: usize, bodySize: i32, trailers: usize, trailersSize: i32,
  timeoutMs: i32, token: usize,
): i32;
@external("env", "proxy_set_effective_context")
export declare function proxy_set_effective_context(context: i32): i32;
@external("env", "proxy_continue_stream")
export declare function proxy_continue_stream(kind: i32): i32;
@external("env", "proxy_get_shared_data")
export declare function proxy_get_shared_data(key: usize, keySize: i32, value: usize, size: usize, cas: usize): i32;
@external("env", "proxy_set_shared_data")
export declare function proxy_set_shared_data(key: usize, keySize: i32, value: usize, size: i32, cas: u32): i32;
@external("env", "proxy_define_metric")
export declare function proxy_define_metric(kind: i32, name: usize, nameSize: i32, id: usize): i32;
@external("env", "proxy_increment_metric")
export declare function proxy_increment_metric(id: i32, offset: i64): i32;
@external("env", "proxy_record_metric")
export declare function proxy_record_metric(id: i32, value: u64): i32;
@external("env", "proxy_get_property")
export declare function proxy_get_property(path: usize, pathSize: i32, value: usize, size: usize): i32;
@external("wasi_snapshot_preview1", "clock_time_get")
export declare function clock_time_get(clock: i32, precision: i64, time: usize): i32;
@external("wasi_snapshot_preview1", "random_get")
export declare function random_get(data: usize, size: i32): i32;
