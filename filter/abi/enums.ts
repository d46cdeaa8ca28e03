/** Numbers of the proxy-wasm ABI 0.2.1. Only those that the filter uses. */

export enum Status {
  Ok = 0,
  NotFound = 1,
  InvalidMemoryAccess = 6,
  CasMismatch = 8,
}

export enum HeaderMap {
  Request = 0,
  Response = 2,
  ResponseTrailers = 3,
  CallOutResponse = 6,
}

export enum BufferKind {
  ResponseBody = 1,
  CallOutBody = 4,
  PluginConfiguration = 7,
}

export enum MetricKind {
  Counter = 0,
  Gauge = 1,
  Histogram = 2,
}

/** What a header or body callback answers. Envoy turns Stop from a header callback into "stop all and watermark". */
export enum Action {
  Continue = 0,
  Stop = 1,
}

export enum StreamKind {
  Request = 0,
  Response = 1,
}

export enum LogLevel {
  Info = 2,
  Warn = 3,
  Error = 4,
}

/** `cas` that creates a missing key and mismatches on any that is there. */
export const CAS_CREATE: u32 = 0xffffffff;
