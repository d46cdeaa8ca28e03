/** Failures that Envoy itself answers: bits of `response.flags`, `response.code_details` and body as seen on Envoy 1.40. */
export interface EnvoyFailure {
  readonly status: number;
  readonly flags: number;
  readonly details: string;
  readonly body: string;
}

export const Flag = {
  NoHealthyUpstream: 1 << 1,
  UpstreamTimeout: 1 << 2,
  ConnectFailure: 1 << 5,
  ConnectionTermination: 1 << 6,
  Overflow: 1 << 7,
  NoRoute: 1 << 8,
  FaultInjected: 1 << 10,
  DownstreamTermination: 1 << 14,
  UpstreamProtocolError: 1 << 23,
} as const;

const DISCONNECT = 'upstream connect error or disconnect/reset before headers. reset reason: ';

export const ENVOY_FAILURES = {
  connect: {
    status: 503,
    flags: Flag.ConnectFailure,
    details: 'upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}',
    body: `${DISCONNECT}remote connection failure`,
  },
  reset: {
    status: 503,
    flags: Flag.ConnectionTermination,
    details: 'upstream_reset_before_response_started{connection_termination}',
    body: `${DISCONNECT}connection termination`,
  },
  timeout: { status: 504, flags: Flag.UpstreamTimeout, details: 'response_timeout', body: 'upstream request timeout' },
  'no-host': { status: 503, flags: Flag.NoHealthyUpstream, details: 'no_healthy_upstream', body: 'no healthy upstream' },
  overflow: {
    status: 503,
    flags: Flag.Overflow,
    details: 'upstream_reset_before_response_started{overflow}',
    body: `${DISCONNECT}overflow`,
  },
  fault: { status: 503, flags: Flag.FaultInjected, details: 'fault_filter_abort', body: 'fault filter abort' },
  'no-route': { status: 404, flags: Flag.NoRoute, details: 'route_not_found', body: '' },
} as const satisfies Record<string, EnvoyFailure>;

export type FailureKind = keyof typeof ENVOY_FAILURES;
