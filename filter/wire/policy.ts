import {
  BreakerPolicy,
  FailurePolicy,
  FeaturePolicy,
  Jitter,
  Mode,
  PathKind,
  Policy,
  ProbePolicy,
  Protocol,
  RoutePolicy,
  RungKind,
  RungPolicy,
  StatusRange,
} from "../domain/policy";
import { Key, Place, Reason } from "./contract.gen";
import { nameText, say } from "./names";
import { Problem, Problems } from "./problem";
import { Reader } from "./reader";

/** The policy as the filter works with it, from one that its schema has accepted. What this filter does not know is left out. */
export function readPolicy(reader: Reader): Policy {
  const policy = new Policy();
  const governance = reader.object(Key.Governance);
  const recovery = reader.object(Key.Recovery);
  policy.service = reader.text(Key.Service);
  policy.staleAfterMs = governance.integer(Key.StaleAfterMs);
  policy.reportMs = governance.integer(Key.ReportMs);
  policy.quietReportMs = governance.integer(Key.QuietReportMs);
  policy.fleetScope = recovery.choice(Key.Scope) == 0;
  policy.probesInFlight = <i32>recovery.integer(Key.ProbesInFlight);
  const mode = <Mode>reader.choice(Key.Mode);
  const features = reader.list(Key.Features);
  for (let item = features.first(); item >= 0; item = features.next(item)) policy.features.push(readFeature(features.object(item), mode));
  return policy;
}

/** Rungs and probes may name only clusters that the plugin configuration allows for them. */
export function checkClusters(policy: Policy, forFallback: string[], forProbes: string[]): Problem[] {
  const problems = new Problems();
  for (let i = 0; i < policy.features.length; i++) {
    const probe = policy.features[i].probe;
    if (probe !== null && !forProbes.includes(probe.cluster)) {
      problems.add(say(Place.ProbeCluster, i.toString(), "", ""), say(Reason.OneOf, nameText(Key.ProbeClusters), probe.cluster, ""));
    }
    const fallback = policy.features[i].fallback;
    for (let j = 0; j < fallback.length; j++) {
      const rung = fallback[j];
      if (rung.kind != RungKind.Cluster || forFallback.includes(rung.cluster)) continue;
      problems.add(say(Place.Cluster, i.toString(), j.toString(), ""), say(Reason.OneOf, nameText(Key.FallbackClusters), rung.cluster, ""));
    }
  }
  return problems.list;
}

function readFeature(reader: Reader, policyMode: Mode): FeaturePolicy {
  const feature = new FeaturePolicy();
  const sticky = reader.object(Key.StickyKey);
  const ownMode = <Mode>reader.choice(Key.Mode);
  feature.name = reader.text(Key.Name);
  feature.mode = ownMode > policyMode ? ownMode : policyMode;
  feature.stickyHeader = reader.has(Key.StickyKey) ? sticky.text(Key.Header) : "";
  feature.stickyCookie = reader.has(Key.StickyKey) ? sticky.text(Key.Cookie) : "";
  feature.protocol = <Protocol>reader.choice(Key.Protocol);
  feature.failure = readFailure(reader.object(Key.Failure), feature.protocol);
  feature.breaker = readBreaker(reader.object(Key.Breaker));
  const routes = reader.list(Key.Routes);
  for (let item = routes.first(); item >= 0; item = routes.next(item)) readRoute(routes.object(item), feature.routes);
  const rungs = reader.list(Key.Fallback);
  for (let item = rungs.first(); item >= 0; item = rungs.next(item)) readRung(rungs.object(item), feature.fallback);
  feature.fallbackTimeoutMs = <i32>reader.integer(Key.FallbackTimeoutMs);
  const probe = reader.object(Key.Probe);
  if (probe.has(Key.Request)) feature.probe = readProbe(probe.object(Key.Request));
  return feature;
}

function readRoute(reader: Reader, routes: RoutePolicy[]): void {
  const path = reader.object(Key.Path);
  const route = new RoutePolicy();
  let key = Key.Exact;
  if (path.has(Key.Prefix)) {
    key = Key.Prefix;
    route.kind = PathKind.Prefix;
  } else if (path.has(Key.Template)) {
    key = Key.Template;
    route.kind = PathKind.Template;
  } else if (!path.has(Key.Exact)) {
    return;
  }
  route.path = path.text(key);
  route.host = reader.text(Key.Host);
  route.methods = reader.list(Key.Methods).texts();
  routes.push(route);
}

function readFailure(reader: Reader, protocol: Protocol): FailurePolicy {
  const failure = new FailurePolicy();
  const statuses = reader.list(Key.Statuses);
  for (let item = statuses.first(); item >= 0; item = statuses.next(item)) {
    const range = statuses.object(item);
    failure.statuses.push(new StatusRange(<i32>range.integer(Key.From), <i32>range.integer(Key.To)));
  }
  const grpcStatuses = reader.list(Key.GrpcStatuses);
  for (let item = grpcStatuses.first(); item >= 0; item = grpcStatuses.next(item)) failure.grpcStatuses |= 1 << <u32>grpcStatuses.integer(item);
  failure.connectFailures = reader.flag(Key.ConnectFailures);
  failure.resets = reader.flag(Key.Resets);
  failure.timeouts = reader.flag(Key.Timeouts);
  failure.slowStreams = reader.flag(Key.SlowStreams);
  // The headers of a gRPC stream come with its first message, which may be a long time away.
  failure.slowMs = protocol == Protocol.Http || failure.slowStreams ? reader.integer(Key.SlowMs, 0) : 0;
  return failure;
}

function readBreaker(reader: Reader): BreakerPolicy {
  const breaker = new BreakerPolicy();
  const halfOpen = reader.object(Key.HalfOpen);
  breaker.windowMs = reader.integer(Key.WindowMs);
  breaker.buckets = <i32>reader.integer(Key.Buckets);
  breaker.minimumRequests = <i32>reader.integer(Key.MinimumRequests);
  breaker.failureRatePercent = <i32>reader.integer(Key.FailureRatePercent);
  breaker.slowRatePercent = <i32>reader.integer(Key.SlowRatePercent);
  breaker.consecutiveFailures = <i32>reader.integer(Key.ConsecutiveFailures);
  breaker.openMs = reader.integer(Key.OpenMs);
  breaker.openFactor = <i32>reader.integer(Key.OpenFactor);
  breaker.openCapMs = reader.integer(Key.OpenCapMs);
  breaker.jitter = <Jitter>reader.choice(Key.Jitter);
  breaker.probes = <i32>halfOpen.integer(Key.Probes);
  breaker.probeSuccessPercent = <i32>halfOpen.integer(Key.SuccessPercent);
  breaker.probeTimeoutMs = halfOpen.integer(Key.TimeoutMs);
  breaker.rampMs = reader.integer(Key.RampMs);
  breaker.retryGuardPercent = <i32>reader.integer(Key.RetryGuardPercent);
  breaker.resetAfterMs = reader.integer(Key.ResetAfterMs);
  return breaker;
}

function readProbe(reader: Reader): ProbePolicy {
  const probe = new ProbePolicy();
  probe.cluster = reader.text(Key.Cluster);
  probe.path = reader.text(Key.Path);
  probe.authority = reader.text(Key.Authority);
  probe.timeoutMs = <i32>reader.integer(Key.TimeoutMs);
  return probe;
}

function readRung(reader: Reader, rungs: RungPolicy[]): void {
  if (reader.has(Key.Stale)) rungs.push(readStale(reader.object(Key.Stale)));
  else if (reader.has(Key.Cluster)) rungs.push(readCluster(reader.object(Key.Cluster)));
  else if (reader.has(Key.Static)) rungs.push(readStatic(reader.object(Key.Static)));
}

function newRung(kind: RungKind, reader: Reader): RungPolicy {
  const rung = new RungPolicy(kind);
  const causes = reader.list(Key.Causes);
  if (causes.count > 0) rung.reasons = 0;
  for (let item = causes.first(); item >= 0; item = causes.next(item)) rung.reasons |= 1 << causes.choice(item);
  return rung;
}

function readStale(reader: Reader): RungPolicy {
  const rung = newRung(RungKind.Stale, reader);
  rung.maxStaleMs = reader.integer(Key.MaxStaleMs);
  rung.timeoutMs = <i32>reader.integer(Key.TimeoutMs);
  rung.refreshMs = reader.integer(Key.RefreshMs);
  rung.queryParameters = reader.list(Key.QueryParameters).texts();
  rung.varyHeaders = reader.list(Key.VaryHeaders).texts();
  return rung;
}

function readCluster(reader: Reader): RungPolicy {
  const rung = newRung(RungKind.Cluster, reader);
  rung.cluster = reader.text(Key.Name);
  rung.timeoutMs = <i32>reader.integer(Key.TimeoutMs);
  return rung;
}

function readStatic(reader: Reader): RungPolicy {
  const rung = newRung(RungKind.Static, reader);
  rung.status = <i32>reader.integer(Key.Status);
  const headers = reader.object(Key.Headers);
  const document = headers.document;
  for (let key = document.first(headers.node); key >= 0; key = document.next(key)) {
    rung.headerNames.push(document.string(key));
    rung.headerValues.push(document.string(key + 1));
  }
  const representations = reader.list(Key.Representations);
  for (let item = representations.first(); item >= 0; item = representations.next(item)) addBody(rung, representations.object(item));
  if (representations.count == 0) addBody(rung, reader);
  return rung;
}

function addBody(rung: RungPolicy, reader: Reader): void {
  rung.contentTypes.push(reader.text(Key.ContentType));
  rung.bodies.push(reader.text(Key.Body));
}
