import { FailurePolicy } from "./policy";

/** Response header that marks an answer as degraded or refused by a Rekindle: an RFC 9651 item with parameters. */
export const MARKER = "rekindle";

/** What a finished request says about its upstream. */
export enum Outcome {
  Success = 0,
  Failure = 1,
  /** Says nothing: counts neither way. */
  Ignored = 2,
}

/** Why a request did not end well. From Status to Overload in the order of DEGRADED_REASONS. */
export enum Cause {
  None = 0,
  /** The upstream answered with a status that the policy calls a failure. */
  Status = 1,
  Timeout = 2,
  /** No connection, or no healthy host. */
  Connect = 3,
  /** The stream was broken off, before the answer's headers or after. */
  Reset = 4,
  /** A gRPC status that the policy calls a failure, or none at the end of a gRPC answer. */
  Grpc = 5,
  /** Envoy's own concurrency cap. */
  Overload = 6,
  /** Envoy's fault filter. */
  Injected = 7,
  /** The client went away. */
  Cancelled = 8,
}

// Bits of Envoy's response flags (CoreResponseFlag), by who is to blame.
const INJECTED: i64 = 1 << 10; // FI
const CANCELLED: i64 = (1 << 14) | (1 << 28); // DC, downstream remote reset
const OVERLOAD: i64 = 1 << 7; // UO
const TIMEOUT: i64 = 1 << 2; // UT
const CONNECT: i64 = (1 << 1) | (1 << 5); // UH, UF
const RESET: i64 = (1 << 3) | (1 << 4) | (1 << 6) | (1 << 23); // LR, UR, UC, UPE

/** gRPC status UNKNOWN, for which any number beyond the known ones stands. */
const GRPC_UNKNOWN: i32 = 2;
const GRPC_LAST: i32 = 16;

/** The one place that says which causes count against the upstream. */
export function outcomeOf(cause: Cause, rules: FailurePolicy): Outcome {
  switch (cause) {
    case Cause.None:
      return Outcome.Success;
    case Cause.Timeout:
      return rules.timeouts ? Outcome.Failure : Outcome.Ignored;
    case Cause.Connect:
      return rules.connectFailures ? Outcome.Failure : Outcome.Ignored;
    case Cause.Reset:
      return rules.resets ? Outcome.Failure : Outcome.Ignored;
    case Cause.Status:
    case Cause.Grpc:
      return Outcome.Failure;
    default: // Overload, Injected, Cancelled
      return Outcome.Ignored;
  }
}

/** Whether another answer may take the place of one with this cause: a failure, or what Envoy's own caps refused. */
export function isReplaceable(cause: Cause, rules: FailurePolicy): bool {
  return cause == Cause.Overload || outcomeOf(cause, rules) == Outcome.Failure;
}

/**
 * Cause that Envoy's response flags name. What must not count is looked for first: with the client gone, or a fault
 * injected, the other bits are consequences. Bits that blame nobody (such as 15, retries exhausted) are left to the status.
 */
export function judgeFlags(flags: i64): Cause {
  if (flags == 0) return Cause.None;
  if ((flags & INJECTED) != 0) return Cause.Injected;
  if ((flags & CANCELLED) != 0) return Cause.Cancelled;
  if ((flags & OVERLOAD) != 0) return Cause.Overload;
  if ((flags & TIMEOUT) != 0) return Cause.Timeout;
  if ((flags & CONNECT) != 0) return Cause.Connect;
  if ((flags & RESET) != 0) return Cause.Reset;
  return Cause.None;
}

/** Whether the policy calls this status a failure. */
export function judgeStatus(status: i32, rules: FailurePolicy): bool {
  const ranges = rules.statuses;
  for (let i = 0; i < ranges.length; i++) {
    if (status >= ranges[i].from && status <= ranges[i].to) return true;
  }
  return false;
}

/** Whether the policy calls this gRPC status a failure. */
export function judgeGrpcStatus(status: i32, rules: FailurePolicy): bool {
  const known = status < 0 || status > GRPC_LAST ? GRPC_UNKNOWN : status;
  return ((rules.grpcStatuses >> known) & 1) != 0;
}

/**
 * Whether the flags must be read to judge an answer with this status: Envoy's own failures are 5xx, an injected fault may be
 * any failure status.
 */
export function needsFlags(status: i32, rules: FailurePolicy): bool {
  return status >= 500 || judgeStatus(status, rules);
}

/**
 * Cause from the response headers. The flags (0 where they need not be read) weigh more than the statuses: they know who made
 * the answer. `grpcFailed`: its gRPC status is a failure, or is missing where there must be one.
 */
export function causeOf(status: i32, grpcFailed: bool, flags: i64, rules: FailurePolicy): Cause {
  const flagged = judgeFlags(flags);
  if (flagged != Cause.None) return flagged;
  if (judgeStatus(status, rules)) return Cause.Status;
  return grpcFailed ? Cause.Grpc : Cause.None;
}

/** Index of the latency bucket: the first bound (ms, rising) that is not below `ms`, else one past the last. */
export function latencyBucket(ms: i64, boundsMs: StaticArray<i32>): i32 {
  let bucket = 0;
  while (bucket < boundsMs.length && ms > boundsMs[bucket]) bucket++;
  return bucket;
}
