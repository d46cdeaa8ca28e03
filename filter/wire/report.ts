import { BREAKER_PHASES, Key, LATENCY_BUCKETS_MS, LIMITS, REPORT_REPLY_SCHEMA } from "./contract.gen";
import { JsonWriter } from "./json-writer";
import { readMessage } from "./message";
import { Problem, Problems } from "./problem";

/** Counters of one feature, summed over the workers of a proxy, cumulative within `step` (R9). */
export class FeatureReport {
  feature: string = "";
  step: i64 = 0;
  /** Index into BREAKER_PHASES, a `BreakerPhase` of contract.gen.ts. */
  phase: i32 = 0;
  admitted: i64 = 0;
  succeeded: i64 = 0;
  failed: i64 = 0;
  ignored: i64 = 0;
  slow: i64 = 0;
  refused: i64 = 0;
  degradedStale: i64 = 0;
  degradedCluster: i64 = 0;
  degradedStatic: i64 = 0;
  /** Count per bucket of LATENCY_BUCKETS_MS, and one for the rest. */
  latency: StaticArray<i64> = new StaticArray<i64>(LATENCY_BUCKETS_MS.length + 1);
}

export class Report {
  node: string = "";
  /** `[a-z0-9-]{1,64}` */
  instance: string = "";
  /** From 1. */
  sequence: i64 = 1;
  uptimeMs: i64 = 0;
  intervalMs: i64 = 0;
  version: string = "";
  /** Empty: no directive yet; then `revision` is left out as well. */
  lineage: string = "";
  revision: i64 = 0;
  governed: bool = false;
  /** 0: the three are left out. */
  rejectedCount: i64 = 0;
  rejectedRevision: i64 = 0;
  rejectedReason: string = "";
  features: FeatureReport[] = [];
}

/** Right to let `count` live requests of a DISABLED feature through (R8). Set, never added to what is left. */
export class Permit {
  feature: string = "";
  step: i64 = 0;
  count: i32 = 0;
  ttlMs: i64 = 0;
}

/** What the control plane judges of a feature. */
export class ToldHealth {
  constructor(
    public feature: string,
    /** Index into FEATURE_HEALTHS. */
    public health: i32,
  ) {}
}

export class ReportReply {
  lineage: string = "";
  revision: i64 = 0;
  /** How long ago the answering replica last saw the leader's tick move (R2). */
  governorAgeMs: i64 = 0;
  permits: Permit[] = [];
  healths: ToldHealth[] = [];
}

export class ReportReplyResult {
  constructor(
    public reply: ReportReply | null,
    public problems: Problem[],
  ) {}
}

/** The report as JSON, always valid under the contract: strings are cut, numbers held to their range. */
export function encodeReport(report: Report): Uint8Array {
  const writer = new JsonWriter();
  writer.openObject();
  writer.textOf(Key.Node, report.node.length > 0 ? cut(report.node, 253) : "unknown");
  writer.textOf(Key.Instance, report.instance);
  writeCount(writer, Key.Sequence, max<i64>(report.sequence, 1));
  writeCount(writer, Key.UptimeMs, report.uptimeMs);
  writeCount(writer, Key.IntervalMs, min<i64>(report.intervalMs, LIMITS.durationMs));
  writer.textOf(Key.Version, report.version.length > 0 ? cut(report.version, 64) : "unknown");
  if (report.lineage.length > 0) {
    writer.textOf(Key.Lineage, report.lineage);
    writeCount(writer, Key.Revision, report.revision);
  }
  writer.name(Key.Governed);
  writer.flag(report.governed);
  if (report.rejectedCount > 0) writeRejected(writer, report);
  writer.name(Key.Features);
  writer.openList();
  const features = report.features;
  for (let i = 0; i < features.length && i < LIMITS.features; i++) writeFeature(writer, features[i]);
  writer.closeList();
  writer.closeObject();
  return writer.finish();
}

/** Reads the reply to a report. Members that this filter does not know are passed over: the control plane may be newer. */
export function parseReportReply(bytes: Uint8Array): ReportReplyResult {
  const problems = new Problems();
  const reader = readMessage(bytes, REPORT_REPLY_SCHEMA, false, problems);
  if (!reader) return new ReportReplyResult(null, problems.list);
  const reply = new ReportReply();
  reply.lineage = reader.text(Key.Lineage);
  reply.revision = reader.integer(Key.Revision);
  reply.governorAgeMs = reader.integer(Key.GovernorAgeMs);
  const permits = reader.list(Key.Permits);
  for (let item = permits.first(); item >= 0; item = permits.next(item)) {
    const permit = new Permit();
    const source = permits.object(item);
    permit.feature = source.text(Key.Feature);
    permit.step = source.integer(Key.Step);
    permit.count = <i32>source.integer(Key.Count);
    permit.ttlMs = source.integer(Key.TtlMs);
    reply.permits.push(permit);
  }
  const healths = reader.list(Key.Health);
  for (let item = healths.first(); item >= 0; item = healths.next(item)) {
    const source = healths.object(item);
    reply.healths.push(new ToldHealth(source.text(Key.Feature), source.choice(Key.Health)));
  }
  return new ReportReplyResult(reply, problems.list);
}

function writeRejected(writer: JsonWriter, report: Report): void {
  writer.name(Key.Rejected);
  writer.openObject();
  writeCount(writer, Key.Count, report.rejectedCount);
  writeCount(writer, Key.Revision, report.rejectedRevision);
  writer.textOf(Key.Reason, cut(report.rejectedReason, 512));
  writer.closeObject();
}

function writeFeature(writer: JsonWriter, feature: FeatureReport): void {
  writer.openObject();
  writer.textOf(Key.Feature, feature.feature);
  writeCount(writer, Key.Step, feature.step);
  writer.textOf(Key.Phase, BREAKER_PHASES[min<u32>(feature.phase, BREAKER_PHASES.length - 1)]);
  writeCount(writer, Key.Admitted, feature.admitted);
  writeCount(writer, Key.Succeeded, feature.succeeded);
  writeCount(writer, Key.Failed, feature.failed);
  writeCount(writer, Key.Ignored, feature.ignored);
  writeCount(writer, Key.Slow, feature.slow);
  writeCount(writer, Key.Refused, feature.refused);
  writer.name(Key.Degraded);
  writer.openObject();
  writeCount(writer, Key.Stale, feature.degradedStale);
  writeCount(writer, Key.Cluster, feature.degradedCluster);
  writeCount(writer, Key.Static, feature.degradedStatic);
  writer.closeObject();
  writer.name(Key.Latency);
  writer.openList();
  for (let i = 0; i < feature.latency.length; i++) writer.integer(count(feature.latency[i]));
  writer.closeList();
  writer.closeObject();
}

function writeCount(writer: JsonWriter, key: Key, value: i64): void {
  writer.integerOf(key, count(value));
}

/** A count as JSON carries it. */
function count(value: i64): i64 {
  return value < 0 ? 0 : value > LIMITS.safeInteger ? LIMITS.safeInteger : value;
}

/** At most `limit` UTF-16 units, so at most as many characters; a pair that is cut apart is written as U+FFFD. */
function cut(text: string, limit: i32): string {
  return text.length <= limit ? text : text.substring(0, limit);
}
