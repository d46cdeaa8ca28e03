import Type from 'typebox';
import { LIMITS } from './limits.ts';
import { JITTERS } from './names.ts';
import { closed, count, defaulted, duration, percent } from './schema-kinds.ts';

export const StatusRange = Type.Object(
  {
    from: Type.Integer({ minimum: 100, maximum: 599, description: 'First status of the range' }),
    to: Type.Integer({ minimum: 100, maximum: 599, description: 'Last status of the range' }),
  },
  { ...closed, description: 'Inclusive range of response statuses' },
);

export const Failure = Type.Object(
  {
    statuses: Type.Array(StatusRange, {
      minItems: 0,
      maxItems: 16,
      default: [{ from: 500, to: 599 }],
      description: 'Statuses that count as failures',
    }),
    grpcStatuses: Type.Array(Type.Integer({ minimum: 1, maximum: 16 }), {
      minItems: 0,
      maxItems: 16,
      default: [2, 4, 13, 14, 15],
      description:
        "gRPC statuses that count as failures; by default those that are the server's fault: UNKNOWN, DEADLINE_EXCEEDED, INTERNAL, UNAVAILABLE, DATA_LOSS",
    }),
    connectFailures: Type.Boolean({ default: true, description: 'Whether failed connections, and having no healthy host, count' }),
    resets: Type.Boolean({ default: true, description: 'Whether streams that the upstream or its connection broke off count' }),
    timeouts: Type.Boolean({ default: true, description: "Whether Envoy's timeouts count" }),
    slowMs: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: LIMITS.durationMs,
        description: 'Slower than this, from the last byte of the request to the response headers, counts as slow',
      }),
    ),
    slowStreams: Type.Boolean({
      default: false,
      description: 'Whether `slowMs` holds for gRPC and upgraded requests too (an upgraded one is timed from its headers)',
    }),
  },
  {
    ...defaulted,
    description: "What counts as a failure. Cancelled requests, overload of Envoy's own caps and injected faults never count",
  },
);

export const HalfOpen = Type.Object(
  {
    probes: count(5, 1, 1000, 'Probes that a proxy sends while HALF_OPEN, over all its workers'),
    successPercent: percent(80, 1, 'Share of these that must succeed to close'),
    timeoutMs: duration(10_000, 100, 'Probes without an outcome for this long are given out anew'),
  },
  { ...defaulted, description: 'How a proxy that is on its own tests the upstream' },
);

export const Breaker = Type.Object(
  {
    windowMs: duration(10_000, 1000, 'Length of the sliding window'),
    buckets: count(10, 2, 60, 'Buckets of the window'),
    minimumRequests: count(20, 1, 1_000_000, 'Below this many outcomes in the window no rate is judged'),
    failureRatePercent: percent(50, 1, 'Failure rate that trips'),
    slowRatePercent: percent(50, 1, 'Rate of slow requests that trips; only with `failure.slowMs`'),
    consecutiveFailures: count(10, 0, 10_000, 'Failures in a row that trip, on one worker; 0 turns this off'),
    openMs: duration(5000, 100, 'First time that the breaker stays OPEN'),
    openFactor: count(2, 1, 10, 'Growth of the open time with each trip in a row'),
    openCapMs: duration(30_000, 100, 'Longest open time before jitter'),
    jitter: Type.Enum([...JITTERS], {
      default: 'equal',
      description: 'equal: half fixed, half random; full: all random; decorrelated: between openMs and three times the last wait',
    }),
    halfOpen: HalfOpen,
    rampMs: duration(10_000, 0, 'After closing, traffic comes back linearly over this time'),
    retryGuardPercent: percent(
      50,
      1,
      "From this part of the way to a trip on (in percent of its thresholds), admitted requests go out without the router's retries; 100: never",
    ),
    resetAfterMs: duration(60_000, 1000, 'CLOSED for this long, the open time starts from openMs again'),
  },
  { ...defaulted, description: "Health-based breaker of each proxy (Envoy's own `circuit_breakers` are concurrency caps)" },
);
