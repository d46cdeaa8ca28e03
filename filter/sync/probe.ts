import { httpCall, log, NO_CALL } from "../abi/calls";
import { HeaderMap, LogLevel } from "../abi/enums";
import { allHeaders } from "../abi/headers";
import { HeaderPairs, statusOf } from "../abi/pairs";
import { Gate } from "../domain/admission";
import { Cause, judgeStatus, latencyBucket, MARKER, Outcome, outcomeOf } from "../domain/outcome";
import { FailurePolicy, Mode, ProbePolicy } from "../domain/policy";
import { Count } from "../proxy/counters";
import { Feature } from "../proxy/feature";
import { Pass } from "../proxy/feature-breaker";
import { Service } from "../proxy/service";
import { Settings } from "../settings";
import { sampleUpstreamMs } from "../telemetry/upstream-times";
import { LATENCY_BUCKETS_MS } from "../wire/contract.gen";

/** A call that Envoy did not end by then has lost its root context: no callback comes. */
const OVERDUE_MS: i64 = 100;

/** A probe request in flight. */
class ProbeCall {
  constructor(
    readonly token: i64,
    readonly feature: Feature,
    readonly step: i64,
    readonly sentAtMs: i64,
    readonly timeoutMs: i64,
  ) {}
}

/**
 * Sends `probe.request` of features whose permits lie idle (R7), from the tick of the proxy's leader, one at a time for each feature. What
 * comes of it is counted as a request's, so that the report tells it and the fleet's trial hears of it.
 */
export class ProbeSender {
  private readonly underWay: ProbeCall[] = [];

  constructor(private readonly service: Service) {}

  tick(settings: Settings, leads: bool, nowMs: i64): void {
    this.endOverdue(nowMs);
    if (!leads || settings.mode != Mode.Enforce) return;
    const features = this.service.features;
    for (let i = 0; i < features.length; i++) {
      const probe = features[i].policy.probe;
      if (probe !== null) this.probeWhenIdle(features[i], probe, settings, nowMs);
    }
  }

  private probeWhenIdle(feature: Feature, probe: ProbePolicy, settings: Settings, nowMs: i64): void {
    const breaker = feature.breaker;
    if (breaker.gate() != Gate.Permit || feature.policy.mode != Mode.Enforce) {
      feature.idlePermits.none();
      return;
    }
    // Other workers use permits without a word.
    breaker.load();
    if (!feature.idlePermits.look(breaker.record, nowMs) || this.isUnderWay(feature)) return;
    if (settings.probeClusters.includes(probe.cluster)) this.send(feature, probe, nowMs);
    else this.complain(feature, probe, "is not in probeClusters", nowMs);
  }

  private isUnderWay(feature: Feature): bool {
    for (let i = 0; i < this.underWay.length; i++) if (this.underWay[i].feature === feature) return true;
    return false;
  }

  private send(feature: Feature, probe: ProbePolicy, nowMs: i64): void {
    const breaker = feature.breaker;
    if (breaker.admit(0, nowMs) != Pass.Permit) return;
    const request = new HeaderPairs()
      .add(":method", "GET")
      .add(":path", probe.path)
      .add(":authority", probe.authority.length > 0 ? probe.authority : this.service.name)
      .add("user-agent", "rekindle-probe");
    const token = httpCall(probe.cluster, request, null, probe.timeoutMs);
    if (token == NO_CALL) {
      breaker.returnPermit(nowMs);
      this.complain(feature, probe, "cannot be called", nowMs);
      return;
    }
    feature.idlePermits.used(breaker.record);
    feature.counters.add(Count.Admitted);
    this.underWay.push(new ProbeCall(token, feature, feature.counters.step, nowMs, probe.timeoutMs));
  }

  /** Says once what a person must mend; the permits are left to requests for another half of their term. */
  private complain(feature: Feature, probe: ProbePolicy, why: string, nowMs: i64): void {
    feature.idlePermits.waitAgain(nowMs);
    if (feature.refusedProbe === probe) return;
    feature.refusedProbe = probe;
    log(LogLevel.Warn, this.service.name + "/" + feature.policy.name + ": no probe.request is sent, cluster " + probe.cluster + " " + why);
  }

  /** True when the answer was to a probe. */
  onAnswer(token: i64, headerCount: i32, nowMs: i64): bool {
    for (let i = 0; i < this.underWay.length; i++) {
      if (this.underWay[i].token != token) continue;
      const call = this.remove(i);
      judge(call, headerCount > 0 ? allHeaders(HeaderMap.CallOutResponse) : null, max<i64>(nowMs - call.sentAtMs, 0));
      return true;
    }
    return false;
  }

  /** Calls that are lost say nothing. */
  private endOverdue(nowMs: i64): void {
    for (let i = this.underWay.length - 1; i >= 0; i--) {
      const call = this.underWay[i];
      if (nowMs > call.sentAtMs + call.timeoutMs + OVERDUE_MS) count(this.remove(i), Outcome.Ignored);
    }
  }

  private remove(at: i32): ProbeCall {
    const call = this.underWay[at];
    const last = this.underWay.pop();
    if (at < this.underWay.length) this.underWay[at] = last;
    return call;
  }
}

function judge(call: ProbeCall, headers: HeaderPairs | null, tookMs: i64): void {
  const rules = call.feature.policy.failure;
  const isDegraded = headers !== null && headers.get(MARKER) !== null;
  const outcome = isDegraded ? Outcome.Ignored : outcomeOf(causeOfAnswer(statusOf(headers), rules), rules);
  if (!count(call, outcome) || outcome == Outcome.Ignored) return;
  const counters = call.feature.counters;
  if (rules.slowMs > 0 && tookMs > rules.slowMs) counters.add(Count.Slow);
  sampleUpstreamMs(call.feature.metrics, tookMs);
  if (headers !== null) counters.add(<Count>(Count.Latency + latencyBucket(tookMs, LATENCY_BUCKETS_MS)));
}

/** Where the upstream cannot be reached or does not answer in time, Envoy answers a call-out itself, by 503 or 504; there are no flags. */
function causeOfAnswer(status: i32, rules: FailurePolicy): Cause {
  if (status <= 0) return Cause.Reset;
  if (judgeStatus(status, rules)) return Cause.Status;
  return status == 503 ? Cause.Connect : status == 504 ? Cause.Timeout : Cause.None;
}

/** False: its step is over, so that nobody is told. */
function count(call: ProbeCall, outcome: Outcome): bool {
  const counters = call.feature.counters;
  if (counters.step != call.step) return false;
  counters.add(outcome == Outcome.Success ? Count.Succeeded : outcome == Outcome.Failure ? Count.Failed : Count.Ignored);
  return true;
}
