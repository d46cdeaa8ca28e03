/** The wire code for tests: bytes go in, JSON or lines of text come out. */
import { FailurePolicy, FeaturePolicy, Policy, ProbePolicy, RungPolicy } from "../../../filter/domain/policy";
import { parseSettings, problemLine, ServiceSettings } from "../../../filter/settings";
import { FEATURE_HEALTHS, LIMITS, Pattern, Reason } from "../../../filter/wire/contract.gen";
import { encodeFlags, parseDirective, parsePolicy } from "../../../filter/wire/directive";
import { JsonDocument, NodeKind } from "../../../filter/wire/document";
import { exactInteger } from "../../../filter/wire/integer";
import { parseJson } from "../../../filter/wire/json";
import { isName, nameText } from "../../../filter/wire/names";
import { matches } from "../../../filter/wire/patterns";
import { checkClusters } from "../../../filter/wire/policy";
import { Problem, Problems } from "../../../filter/wire/problem";
import { encodeReport, FeatureReport, parseReportReply, Report } from "../../../filter/wire/report";

export const BYTES_ID: u32 = idof<Uint8Array>();
export const COUNTS_ID: u32 = idof<Int64Array>();

// Problems, as lines of path, tab, reason.

function lines(problems: Problem[]): string {
  let text = "";
  for (let i = 0; i < problems.length; i++) text += problems[i].path + "\t" + problems[i].reason + "\n";
  return text;
}

export function jsonProblems(bytes: Uint8Array, maxBytes: i32, maxDepth: i32): string {
  const problems = new Problems();
  parseJson(bytes, maxBytes, maxDepth, problems);
  return lines(problems.list);
}

export function policyProblems(bytes: Uint8Array): string {
  return lines(parsePolicy(bytes).problems);
}

export function directiveProblems(bytes: Uint8Array): string {
  return lines(parseDirective(bytes).problems);
}

export function settingsProblems(bytes: Uint8Array): string {
  return lines(parseSettings(bytes).problems);
}

export function replyProblems(bytes: Uint8Array): string {
  return lines(parseReportReply(bytes).problems);
}

export function settingsLine(bytes: Uint8Array): string {
  return problemLine(parseSettings(bytes).problems);
}

/** Problems of the clusters that a policy names; `allowed`, for rungs and probes alike, are names joined by commas. */
export function clusterProblems(bytes: Uint8Array, allowed: string): string {
  const policy = parsePolicy(bytes).policy;
  return policy === null ? "no policy" : lines(checkClusters(policy, allowed.split(","), allowed.split(",")));
}

// Single functions.

export function patternMatches(pattern: i32, bytes: Uint8Array): bool {
  return matches(<Pattern>pattern, bytes, 0, bytes.length);
}

export function patternCount(): i32 {
  return <i32>Pattern.Path;
}

export function integerValue(bytes: Uint8Array): i64 {
  return exactInteger(bytes, 0, bytes.length);
}

export function nameCount(): i32 {
  return Reason.ExpectedValue; // texts come after the names
}

export function nameAt(name: i32): string {
  return nameText(name);
}

export function nameIs(name: i32, bytes: Uint8Array): bool {
  return isName(name, bytes, 0, bytes.length);
}

// What was understood, as JSON. Numbers of a plain document come as strings, as they were written.

export function documentJson(bytes: Uint8Array): string {
  const document = parseJson(bytes, LIMITS.documentBytes, LIMITS.jsonDepth, new Problems());
  return document === null ? "" : nodeJson(document, 0);
}

function nodeJson(document: JsonDocument, node: i32): string {
  const kind = document.kind(node);
  if (kind == NodeKind.Null) return "null";
  if (kind == NodeKind.True) return "true";
  if (kind == NodeKind.False) return "false";
  if (kind == NodeKind.Number || kind == NodeKind.Text) return quoted(document.string(node));
  const parts: string[] = [];
  for (let item = document.first(node); item >= 0; item = document.next(item)) {
    if (kind == NodeKind.List) parts.push(nodeJson(document, item));
    else parts.push(quoted(document.string(item)) + ":" + nodeJson(document, item + 1));
  }
  return kind == NodeKind.List ? "[" + parts.join(",") + "]" : "{" + parts.join(",") + "}";
}

function quoted(text: string): string {
  let result = '"';
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit == 0x22 || unit == 0x5c || unit == 0x7f) result += "\\u" + unit.toString(16).padStart(4, "0");
    else result += text.charAt(i);
  }
  return result + '"';
}

function strings(texts: string[]): string {
  const parts: string[] = [];
  for (let i = 0; i < texts.length; i++) parts.push(quoted(texts[i]));
  return "[" + parts.join(",") + "]";
}

export function policyJson(bytes: Uint8Array): string {
  return policyText(parsePolicy(bytes).policy);
}

function policyText(policy: Policy | null): string {
  if (policy === null) return "null";
  const features: string[] = [];
  for (let i = 0; i < policy.features.length; i++) features.push(featureText(policy.features[i]));
  const head = `{"service":${quoted(policy.service)},"staleAfterMs":${policy.staleAfterMs},"reportMs":${policy.reportMs},"quietReportMs":${policy.quietReportMs}`;
  return head + `,"fleetScope":${policy.fleetScope},"probesInFlight":${policy.probesInFlight},"features":[${features.join(",")}]}`;
}

function featureText(feature: FeaturePolicy): string {
  const routes: string[] = [];
  for (let i = 0; i < feature.routes.length; i++) {
    const route = feature.routes[i];
    routes.push(`{"host":${quoted(route.host)},"methods":${strings(route.methods)},"kind":${<i32>route.kind},"path":${quoted(route.path)}}`);
  }
  const rungs: string[] = [];
  for (let i = 0; i < feature.fallback.length; i++) rungs.push(rungText(feature.fallback[i]));
  return (
    `{"name":${quoted(feature.name)},"mode":${<i32>feature.mode},"stickyHeader":${quoted(feature.stickyHeader)}` +
    `,"stickyCookie":${quoted(feature.stickyCookie)},"protocol":${<i32>feature.protocol},"failure":${failureText(feature.failure)}` +
    `,"routes":[${routes.join(",")}],"breaker":${breakerText(feature)},"fallback":[${rungs.join(",")}],"fallbackTimeoutMs":${feature.fallbackTimeoutMs}` +
    `,"probe":${probeText(feature.probe)}}`
  );
}

function probeText(probe: ProbePolicy | null): string {
  if (probe === null) return "null";
  return (
    `{"cluster":${quoted(probe.cluster)},"path":${quoted(probe.path)},"authority":${quoted(probe.authority)}` +
    `,"timeoutMs":${probe.timeoutMs}}`
  );
}

function failureText(f: FailurePolicy): string {
  const statuses: string[] = [];
  for (let i = 0; i < f.statuses.length; i++) statuses.push(`{"from":${f.statuses[i].from},"to":${f.statuses[i].to}}`);
  return (
    `{"statuses":[${statuses.join(",")}],"grpcStatuses":${f.grpcStatuses},"connectFailures":${f.connectFailures},"resets":${f.resets}` +
    `,"timeouts":${f.timeouts},"slowMs":${f.slowMs},"slowStreams":${f.slowStreams}}`
  );
}

function breakerText(feature: FeaturePolicy): string {
  const b = feature.breaker;
  return (
    `{"windowMs":${b.windowMs},"buckets":${b.buckets},"minimumRequests":${b.minimumRequests},"failureRatePercent":${b.failureRatePercent}` +
    `,"slowRatePercent":${b.slowRatePercent},"consecutiveFailures":${b.consecutiveFailures},"openMs":${b.openMs},"openFactor":${b.openFactor}` +
    `,"openCapMs":${b.openCapMs},"jitter":${<i32>b.jitter},"probes":${b.probes},"probeSuccessPercent":${b.probeSuccessPercent}` +
    `,"probeTimeoutMs":${b.probeTimeoutMs},"retryGuardPercent":${b.retryGuardPercent},"rampMs":${b.rampMs},"resetAfterMs":${b.resetAfterMs}}`
  );
}

function rungText(rung: RungPolicy): string {
  return (
    `{"kind":${<i32>rung.kind},"maxStaleMs":${rung.maxStaleMs},"refreshMs":${rung.refreshMs}` +
    `,"queryParameters":${strings(rung.queryParameters)},"varyHeaders":${strings(rung.varyHeaders)},"cluster":${quoted(rung.cluster)}` +
    `,"timeoutMs":${rung.timeoutMs},"status":${rung.status},"contentTypes":${strings(rung.contentTypes)},"reasons":${rung.reasons}` +
    `,"headerNames":${strings(rung.headerNames)},"headerValues":${strings(rung.headerValues)},"bodies":${strings(rung.bodies)}}`
  );
}

export function settingsJson(bytes: Uint8Array): string {
  const settings = parseSettings(bytes).settings;
  if (settings === null) return "null";
  const services: string[] = [];
  for (let i = 0; i < settings.services.length; i++) services.push(serviceText(settings.services[i]));
  const plane = settings.controlPlane;
  const controlPlane =
    plane === null
      ? "null"
      : `{"cluster":${quoted(plane.cluster)},"authority":${quoted(plane.authority)},"token":${quoted(plane.token)},"waitMs":${plane.waitMs}}`;
  return (
    `{"mode":${<i32>settings.mode},"services":[${services.join(",")}],"controlPlane":${controlPlane},"cacheEntries":${settings.cacheEntries}` +
    `,"cacheMaxBodyBytes":${settings.cacheMaxBodyBytes},"cacheShared":${settings.cacheShared},"fallbackClusters":${strings(settings.fallbackClusters)}` +
    `,"probeClusters":${strings(settings.probeClusters)}}`
  );
}

function serviceText(service: ServiceSettings): string {
  return `{"service":${quoted(service.service)},"hosts":${strings(service.hosts)},"clusters":${strings(service.clusters)},"policy":${policyText(service.policy)}}`;
}

export function replyJson(bytes: Uint8Array): string {
  const reply = parseReportReply(bytes).reply;
  if (reply === null) return "null";
  const permits: string[] = [];
  for (let i = 0; i < reply.permits.length; i++) {
    const permit = reply.permits[i];
    permits.push(`{"feature":${quoted(permit.feature)},"step":${permit.step},"count":${permit.count},"ttlMs":${permit.ttlMs}}`);
  }
  const health: string[] = [];
  for (let i = 0; i < reply.healths.length; i++) {
    const told = reply.healths[i];
    health.push(`{"feature":${quoted(told.feature)},"health":${quoted(FEATURE_HEALTHS[told.health])}}`);
  }
  const head = `{"lineage":${quoted(reply.lineage)},"revision":${reply.revision},"governorAgeMs":${reply.governorAgeMs}`;
  return head + `,"permits":[${permits.join(",")}],"health":[${health.join(",")}]}`;
}

// What the filter writes.

/** The flags of a directive as the filter would store them; empty if it refuses the directive. */
export function flagsOf(bytes: Uint8Array): Uint8Array {
  const directive = parseDirective(bytes).directive;
  return directive === null ? new Uint8Array(0) : encodeFlags(directive);
}

/** The policy of a directive as the filter would store it; empty if there is none. */
export function policyBytesOf(bytes: Uint8Array): Uint8Array {
  const directive = parseDirective(bytes).directive;
  if (directive === null) return new Uint8Array(0);
  const policy = directive.policyBytes;
  return policy === null ? new Uint8Array(0) : policy;
}

/** The policy that came inside a directive. */
export function directivePolicyJson(bytes: Uint8Array): string {
  const directive = parseDirective(bytes).directive;
  return directive === null ? "null" : policyText(directive.policy);
}

let report: Report = new Report();

/** Starts a report; `counts`: sequence, uptimeMs, intervalMs, revision, governed, rejected count, rejected revision. */
export function startReport(node: string, instance: string, version: string, lineage: string, reason: string, counts: Int64Array): void {
  report = new Report();
  report.node = node;
  report.instance = instance;
  report.version = version;
  report.lineage = lineage;
  report.rejectedReason = reason;
  report.sequence = counts[0];
  report.uptimeMs = counts[1];
  report.intervalMs = counts[2];
  report.revision = counts[3];
  report.governed = counts[4] != 0;
  report.rejectedCount = counts[5];
  report.rejectedRevision = counts[6];
}

/** Adds a feature; `counts`: step, phase, admitted, succeeded, failed, ignored, slow, refused, three rungs, and the latency buckets. */
export function addFeature(name: string, counts: Int64Array): void {
  const feature = new FeatureReport();
  feature.feature = name;
  feature.step = counts[0];
  feature.phase = <i32>counts[1];
  feature.admitted = counts[2];
  feature.succeeded = counts[3];
  feature.failed = counts[4];
  feature.ignored = counts[5];
  feature.slow = counts[6];
  feature.refused = counts[7];
  feature.degradedStale = counts[8];
  feature.degradedCluster = counts[9];
  feature.degradedStatic = counts[10];
  for (let i = 0; i < feature.latency.length; i++) feature.latency[i] = counts[11 + i];
  report.features.push(feature);
}

export function reportBytes(): Uint8Array {
  return encodeReport(report);
}
