/** Numbers of the proxy-wasm ABI 0.2.1, from the host's side. */

export const Result = {
  Ok: 0,
  NotFound: 1,
  BadArgument: 2,
  SerializationFailure: 3,
  ParseFailure: 4,
  InvalidMemoryAccess: 6,
  CasMismatch: 8,
  InternalFailure: 10,
  BrokenConnection: 11,
  Unimplemented: 12,
} as const;

export const HeaderMapType = {
  RequestHeaders: 0,
  RequestTrailers: 1,
  ResponseHeaders: 2,
  ResponseTrailers: 3,
  CallOutHeaders: 6,
  CallOutTrailers: 7,
} as const;
/** Highest map type that the host knows. */
export const MAX_HEADER_MAP_TYPE = 7;

export const BufferType = {
  RequestBody: 0,
  ResponseBody: 1,
  CallOutBody: 4,
  VmConfiguration: 6,
  PluginConfiguration: 7,
} as const;
/** Highest buffer type that the host knows. */
export const MAX_BUFFER_TYPE = 8;

export const MetricType = { Counter: 0, Gauge: 1, Histogram: 2 } as const;

/** What a header callback answers. */
export const HeadersAction = {
  Continue: 0,
  StopIteration: 1,
  ContinueAndEndStream: 2,
  StopAllAndBuffer: 3,
  StopAllAndWatermark: 4,
} as const;

/** What a body callback answers. */
export const DataAction = { Continue: 0, StopAndBuffer: 1, StopAndWatermark: 2, StopNoBuffer: 3 } as const;

export const StreamType = { Request: 0, Response: 1 } as const;

export const LogLevel = { Trace: 0, Debug: 1, Info: 2, Warn: 3, Error: 4, Critical: 5 } as const;

/** WASI errno values that Envoy's host answers. */
export const Wasi = { Success: 0, Fault: 21, Invalid: 28, NotSupported: 58 } as const;
