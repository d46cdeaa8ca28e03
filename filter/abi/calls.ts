import { LogLevel, Status, StreamKind } from "./enums";
import {
  proxy_continue_stream, proxy_http_call, proxy_log, proxy_send_local_response, proxy_set_effective_context, proxy_set_tick_period_milliseconds,
} from "./imports";
import { outExtra, returnedExtra } from "./memory";
import { encodePairs, HeaderPairs } from "./pairs";

/** No token: the call failed at once and no callback comes. */
export const NO_CALL: i64 = -1;

/** Said outright: from a 503 Envoy would take it by itself, a local reply mapping may change that. */
const GRPC_UNAVAILABLE: i32 = 14;

const EMPTY = new Uint8Array(0);
const NO_TRAILERS = new Uint8Array(4);

/** Starts a call-out. `timeoutMs` must be positive: 0 would mean none. Returns its token or NO_CALL. */
export function httpCall(cluster: string, headers: HeaderPairs, body: Uint8Array | null, timeoutMs: i32): i64 {
  const name = String.UTF8.encode(cluster);
  const pairs = encodePairs(headers);
  if (pairs === null) return NO_CALL;
  const bytes = body === null ? EMPTY : body;
  const status = proxy_http_call(
    changetype<usize>(name), name.byteLength, pairs.dataStart, pairs.length, bytes.dataStart, bytes.length, NO_TRAILERS.dataStart, 4,
    max(timeoutMs, 1), outExtra(),
  );
  return status == Status.Ok ? <i64>returnedExtra() : NO_CALL;
}

/**
 * Answers the stream at hand. It takes effect when the callback returns; the caller returns Action.Stop and neither continues the
 * stream nor answers again. `pairs`: headers as `encodePairs` gives them.
 */
export function sendLocalResponse(status: i32, details: string, body: Uint8Array, pairs: Uint8Array): bool {
  // Of gRPC requests alone; others get none.
  const grpcStatus = status == 503 ? GRPC_UNAVAILABLE : -1;
  const text = String.UTF8.encode(details);
  return proxy_send_local_response(
    status, changetype<usize>(text), text.byteLength, body.dataStart, body.length, pairs.dataStart, pairs.length, grpcStatus,
  ) == Status.Ok;
}

/** Makes a stream's context the one that host calls work on. False: the stream is gone. */
export function enterStream(id: i32): bool {
  return proxy_set_effective_context(id) == Status.Ok;
}

/** Lets a paused response go on as it came. */
export function continueResponse(): void {
  proxy_continue_stream(StreamKind.Response);
}

/** Lets a paused request go on to the router. */
export function continueRequest(): void {
  proxy_continue_stream(StreamKind.Request);
}

export function setTickPeriod(ms: u32): void {
  proxy_set_tick_period_milliseconds(ms);
}

export function log(level: LogLevel, message: string): void {
  const bytes = String.UTF8.encode(message);
  proxy_log(level, changetype<usize>(bytes), bytes.byteLength);
}
