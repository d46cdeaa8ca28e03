import { readBuffer } from "../abi/body";
import { hex } from "../domain/hex";
import { httpCall, NO_CALL } from "../abi/calls";
import { BufferKind, HeaderMap } from "../abi/enums";
import { allHeaders, rangeText, readProperty, utf8 } from "../abi/headers";
import { statusOf } from "../abi/pairs";
import { Count, COUNTER_WORDS } from "../proxy/counters";
import { Feature } from "../proxy/feature";
import { identity } from "../proxy/identity";
import { Service } from "../proxy/service";
import { ControlPlaneSettings } from "../settings";
import { VERSION } from "../wire/contract.gen";
import { encodeReport, FeatureReport, parseReportReply, Permit, Report, ToldHealth } from "../wire/report";
import { controlPlaneHeaders, retryAfterMs } from "../proxy/endpoint";
import { Reconnect } from "./reconnect";
import { Watch } from "./watch";

const TIMEOUT_MS: i32 = 5000;
/** News go out at once, but no closer together than this. */
const NEWS_GAP_MS: i64 = 100;
/** While quiet, how often the leader looks for traffic. */
const LOOK_EVERY_MS: i64 = 200;
/** Every so many reports all features are told, changed or not: whoever answers may be new. */
const FULL_EVERY: i64 = 10;
const MAX_REPLY: i32 = 512 * 1024;
const NODE_ID = utf8("xds\0node\0id");

/** Tells the control plane what this proxy saw; only the proxy's leader runs it. The answer carries the lease and permits. */
export class ReportSender {
  private token: i64 = NO_CALL;
  private deadlineMs: i64 = 0;
  private nextAtMs: i64 = 0;
  private sentAtMs: i64 = 0;
  private readonly reconnect: Reconnect = new Reconnect();
  private node: string = "";
  private sent: i64 = 0;
  /** Whether the report at hand says anything new, and whether the last one did not. */
  private changed: bool = false;
  private wasQuiet: bool = false;
  private lookedAtMs: i64 = 0;
  /** By feature: digest of what was last told and answered, and of what is on its way. */
  private answeredDigests: i64[] = [];
  private sentDigests: i64[] = [];
  /** Name hashes of the features that the digests belong to. */
  private digestsOf: i64[] = [];

  constructor(
    private readonly service: Service,
    private readonly watch: Watch,
  ) {}

  answered(): bool {
    return this.reconnect.failures == 0;
  }

  tick(to: ControlPlaneSettings, nowMs: i64): void {
    if (this.token != NO_CALL) {
      if (nowMs < this.deadlineMs) return;
      this.token = NO_CALL;
      this.nextAtMs = this.reconnect.failed(nowMs, 0);
    }
    if (nowMs >= this.nextAtMs || (this.reconnect.failures == 0 && this.hasNews(nowMs))) this.send(to, nowMs);
  }

  /** A change of phase is told at once; traffic after a quiet report need not wait for the quiet interval's end. */
  private hasNews(nowMs: i64): bool {
    const service = this.service;
    if (service.news) return nowMs >= this.sentAtMs + NEWS_GAP_MS;
    if (!this.wasQuiet || nowMs < max(this.sentAtMs + service.reportMs, this.lookedAtMs + LOOK_EVERY_MS)) return false;
    this.lookedAtMs = nowMs;
    service.slots.sum(service.features, nowMs);
    for (let i = 0; i < min(service.features.length, this.answeredDigests.length); i++) {
      if (digestOf(service.features[i]) != this.answeredDigests[i]) return true;
    }
    return false;
  }

  /** Calls of a root that went away never come back. */
  restart(nowMs: i64): void {
    this.token = NO_CALL;
    this.nextAtMs = min(this.nextAtMs, nowMs);
  }

  private send(to: ControlPlaneSettings, nowMs: i64): void {
    const service = this.service;
    service.news = false;
    service.slots.sum(service.features, nowMs);
    const report = this.compose(nowMs);
    this.wasQuiet = !this.changed;
    report.intervalMs = this.wasQuiet ? service.quietReportMs : service.reportMs;
    const path = "/v1/services/" + service.name + "/reports";
    const headers = controlPlaneHeaders(to, "POST", path).add("content-type", "application/json");
    this.token = httpCall(to.cluster, headers, encodeReport(report), TIMEOUT_MS);
    this.deadlineMs = nowMs + TIMEOUT_MS * 2;
    this.sentAtMs = nowMs;
    this.nextAtMs = this.token == NO_CALL ? this.reconnect.failed(nowMs, 0) : nowMs + report.intervalMs;
  }

  private compose(nowMs: i64): Report {
    const service = this.service;
    const report = new Report();
    report.node = this.nodeId();
    report.instance = hex(identity.instance);
    report.sequence = service.governance.nextSequence();
    report.uptimeMs = max<i64>(nowMs - identity.startedAtMs, 0);
    report.version = VERSION;
    report.lineage = service.lineage;
    report.revision = service.revision;
    report.governed = service.governance.governed(nowMs);
    report.rejectedCount = service.rejectedCount;
    report.rejectedRevision = service.rejectedRevision;
    report.rejectedReason = service.rejectedReason;
    this.changed = false;
    const known = this.digestsMatch();
    const full = this.sent++ % FULL_EVERY == 0 || !known;
    for (let i = 0; i < service.features.length; i++) {
      const feature = service.features[i];
      const digest = digestOf(feature);
      if (digest != this.answeredDigests[i]) this.changed = true;
      if (full || digest != this.answeredDigests[i]) report.features.push(told(feature));
      this.sentDigests[i] = digest;
    }
    return report;
  }

  /** Whether the digests belong to today's features; makes them so. */
  private digestsMatch(): bool {
    const features = this.service.features;
    let match = this.digestsOf.length == features.length;
    for (let i = 0; match && i < features.length; i++) match = this.digestsOf[i] == features[i].hash;
    if (match) return true;
    this.digestsOf = [];
    this.answeredDigests = [];
    this.sentDigests = [];
    for (let i = 0; i < features.length; i++) {
      this.digestsOf.push(features[i].hash);
      this.answeredDigests.push(0);
      this.sentDigests.push(0);
    }
    return false;
  }

  private nodeId(): string {
    if (this.node.length == 0) {
      const id = readProperty(NODE_ID) ? rangeText() : "";
      this.node = id.length > 0 ? id : "envoy-" + hex(identity.instance);
    }
    return this.node;
  }

  /** True when the answer was to this sender's report. */
  onAnswer(token: i64, headerCount: i32, nowMs: i64): bool {
    if (this.token == NO_CALL || token != this.token) return false;
    this.token = NO_CALL;
    const headers = headerCount > 0 ? allHeaders(HeaderMap.CallOutResponse) : null;
    if (statusOf(headers) == 200 && this.onReply(nowMs)) this.reconnect.succeeded();
    else this.nextAtMs = this.reconnect.failed(nowMs, retryAfterMs(headers));
    return true;
  }

  private onReply(nowMs: i64): bool {
    const bytes = readBuffer(BufferKind.CallOutBody, MAX_REPLY);
    if (bytes === null) return false;
    const reply = parseReportReply(bytes).reply;
    if (reply === null) return false;
    const service = this.service;
    if (this.digestsOf.length == service.features.length) {
      for (let i = 0; i < this.sentDigests.length; i++) this.answeredDigests[i] = this.sentDigests[i];
    }
    const wasGoverned = service.governance.governed(nowMs);
    service.governance.renew(this.sentAtMs, nowMs, service.staleAfterMs, reply.governorAgeMs);
    const permitted = this.take(reply.permits, nowMs);
    this.hear(reply.healths);
    if (wasGoverned != service.governance.governed(nowMs) || permitted) service.changed();
    const differs = reply.lineage != service.lineage || reply.revision != service.revision;
    if (differs && !this.watch.refused) this.watch.restart(nowMs);
    return true;
  }

  /** True when it changed what may pass. */
  private take(permits: Permit[], nowMs: i64): bool {
    let changed = false;
    for (let i = 0; i < permits.length; i++) {
      const permit = permits[i];
      const feature = this.featureOf(permit.feature);
      if (feature === null) continue;
      if (feature.breaker.setPermits(permit.step, permit.count, nowMs + permit.ttlMs)) changed = true;
    }
    return changed;
  }

  private hear(healths: ToldHealth[]): void {
    for (let i = 0; i < healths.length; i++) {
      const feature = this.featureOf(healths[i].feature);
      if (feature !== null) feature.health = healths[i].health;
    }
  }

  private featureOf(name: string): Feature | null {
    const features = this.service.features;
    for (let i = 0; i < features.length; i++) if (features[i].policy.name == name) return features[i];
    return null;
  }
}

/** What a report says of a feature, in one number. */
function digestOf(feature: Feature): i64 {
  let digest: i64 = feature.counters.step * 31 + feature.breaker.toldPhase();
  for (let i = 0; i < COUNTER_WORDS; i++) digest = digest * 1_000_003 + feature.total.words[i];
  return digest;
}

function told(feature: Feature): FeatureReport {
  const report = new FeatureReport();
  const total = feature.total;
  report.feature = feature.policy.name;
  report.step = feature.counters.step;
  report.phase = feature.breaker.toldPhase();
  report.admitted = total.get(Count.Admitted);
  report.succeeded = total.get(Count.Succeeded);
  report.failed = total.get(Count.Failed);
  report.ignored = total.get(Count.Ignored);
  report.slow = total.get(Count.Slow);
  report.refused = total.get(Count.Refused);
  report.degradedStale = total.get(Count.DegradedStale);
  report.degradedCluster = total.get(Count.DegradedCluster);
  report.degradedStatic = total.get(Count.DegradedStatic);
  for (let i = 0; i < report.latency.length; i++) report.latency[i] = total.words[<i32>Count.Latency + i];
  return report;
}
