/** A policy as the filter works with it. Durations in ms, rates in percent, shares in basis points. `wire/policy.ts` fills it in. */

export enum Mode {
  Enforce = 0,
  Shadow = 1,
  Off = 2,
}

export enum Protocol {
  Http = 0,
  Grpc = 1,
  GrpcWeb = 2,
}

export enum Jitter {
  Full = 0,
  Equal = 1,
  Decorrelated = 2,
  None = 3,
}

export enum PathKind {
  Exact = 0,
  Prefix = 1,
  Template = 2,
}

export class RoutePolicy {
  /** Lower case; empty: any host. `*.suffix` takes any subdomain. */
  host: string = "";
  /** Empty: any method. */
  methods: string[] = [];
  kind: PathKind = PathKind.Exact;
  path: string = "";
}

export class StatusRange {
  constructor(
    public from: i32,
    public to: i32,
  ) {}
}

export class FailurePolicy {
  statuses: StatusRange[] = [];
  /** Bit n: gRPC status n counts. */
  grpcStatuses: u32 = 0;
  connectFailures: bool = true;
  resets: bool = true;
  timeouts: bool = true;
  /** 0: nothing counts as slow. */
  slowMs: i64 = 0;
  /** Whether upgraded requests count as slow too. */
  slowStreams: bool = false;
}

export class BreakerPolicy {
  windowMs: i64 = 0;
  buckets: i32 = 0;
  minimumRequests: i32 = 0;
  failureRatePercent: i32 = 0;
  slowRatePercent: i32 = 0;
  consecutiveFailures: i32 = 0;
  openMs: i64 = 0;
  openFactor: i32 = 0;
  openCapMs: i64 = 0;
  jitter: Jitter = Jitter.Equal;
  probes: i32 = 0;
  probeSuccessPercent: i32 = 0;
  probeTimeoutMs: i64 = 0;
  rampMs: i64 = 0;
  retryGuardPercent: i32 = 0;
  resetAfterMs: i64 = 0;
}

export enum RungKind {
  Stale = 0,
  Cluster = 1,
  Static = 2,
}

/** One step of a fallback chain; only the members of its kind are set. */
export class RungPolicy {
  constructor(public kind: RungKind) {}
  /** Bits of the reasons (places among DEGRADED_REASONS) that it answers. */
  reasons: u32 = 0xffffffff;
  maxStaleMs: i64 = 0;
  refreshMs: i64 = 0;
  queryParameters: string[] = [];
  varyHeaders: string[] = [];
  cluster: string = "";
  timeoutMs: i32 = 0;
  status: i32 = 0;
  headerNames: string[] = [];
  headerValues: string[] = [];
  /** Representations of a static reply, the default first: their types, their bodies. */
  contentTypes: string[] = [];
  bodies: string[] = [];

  answers(reason: i32): bool {
    return ((this.reasons >> reason) & 1) != 0;
  }
}

/** A GET that the proxy sends by itself with a permit that nobody uses. */
export class ProbePolicy {
  cluster: string = "";
  path: string = "";
  /** Empty: the service. */
  authority: string = "";
  timeoutMs: i32 = 0;
}

export class FeaturePolicy {
  name: string = "";
  /** The stricter of the policy's mode and the feature's own. */
  mode: Mode = Mode.Enforce;
  routes: RoutePolicy[] = [];
  protocol: Protocol = Protocol.Http;
  /** Request header or cookie that keeps a user on one side of the admit share; both empty: random per request. */
  stickyHeader: string = "";
  stickyCookie: string = "";
  failure: FailurePolicy = new FailurePolicy();
  breaker: BreakerPolicy = new BreakerPolicy();
  fallback: RungPolicy[] = [];
  /** How long a request may wait for its chain. */
  fallbackTimeoutMs: i32 = 0;
  /** null: requests alone are probes. */
  probe: ProbePolicy | null = null;
}

export class Policy {
  service: string = "";
  staleAfterMs: i64 = 0;
  reportMs: i64 = 0;
  quietReportMs: i64 = 0;
  /** recovery.scope: the fleet governs only when true. */
  fleetScope: bool = true;
  /** Probe budget of the fleet, for the stretch of autonomous probing (R8). */
  probesInFlight: i32 = 0;
  features: FeaturePolicy[] = [];
}
