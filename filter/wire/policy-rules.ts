import { Key } from "./contract.gen";
import { dependencyProblems, featurePath } from "./dependency-rules";
import { Problems } from "./problem";
import { Items, Reader } from "./reader";
import { routeProblems } from "./route-rules";

/**
 * What a schema cannot say of a policy that it accepts. The control plane holds policies to the same rules
 * (control-plane/contract/policy-rules.ts); vectors in test/contract bind the two. Paths start with `prefix`.
 */
export function policyProblems(policy: Reader, prefix: string, problems: Problems): void {
  governance(policy.object(Key.Governance), prefix + "governance.", problems);
  const features = policy.list(Key.Features);
  dependencyProblems(features, prefix, problems);
  let index = 0;
  for (let item = features.first(); item >= 0; item = features.next(item)) {
    featureProblems(features.object(item), featurePath(prefix, index++), problems);
  }
  routeProblems(features, prefix, problems);
}

function governance(reader: Reader, at: string, problems: Problems): void {
  const staleAfterMs = reader.integer(Key.StaleAfterMs);
  third(at + "reportMs", reader.integer(Key.ReportMs), staleAfterMs, problems);
  third(at + "quietReportMs", reader.integer(Key.QuietReportMs), staleAfterMs, problems);
}

function third(path: string, intervalMs: i64, staleAfterMs: i64, problems: Problems): void {
  if (intervalMs * 3 <= staleAfterMs) return;
  problems.add(path, "must be at most a third of staleAfterMs (" + staleAfterMs.toString() + "), got " + intervalMs.toString());
}

function featureProblems(feature: Reader, at: string, problems: Problems): void {
  const breaker = feature.object(Key.Breaker);
  const health = feature.object(Key.Health);
  const recovery = feature.object(Key.Recovery);
  const backoff = recovery.object(Key.Backoff);
  const degradedPercent = health.integer(Key.DegradedPercent);
  const statuses = feature.object(Key.Failure).list(Key.Statuses);
  let index = 0;
  for (let item = statuses.first(); item >= 0; item = statuses.next(item)) {
    const range = statuses.object(item);
    const path = "failure.statuses[" + (index++).toString() + "].to";
    atLeast(at, path, range.integer(Key.To), "from", range.integer(Key.From), problems);
  }
  atLeast(at, "breaker.openCapMs", breaker.integer(Key.OpenCapMs), "openMs", breaker.integer(Key.OpenMs), problems);
  atLeast(at, "health.unhealthyPercent", health.integer(Key.UnhealthyPercent), "degradedPercent + 1", degradedPercent + 1, problems);
  atLeast(at, "recovery.backoff.capMs", backoff.integer(Key.CapMs), "baseMs", backoff.integer(Key.BaseMs), problems);
  rampProblems(recovery.list(Key.RampPercent), at, problems);
  staticProblems(feature.list(Key.Fallback), at, problems);
}

function atLeast(at: string, path: string, value: i64, other: string, least: i64, problems: Problems): void {
  if (value < least) problems.add(at + path, "must be at least " + other + " (" + least.toString() + "), got " + value.toString());
}

function rampProblems(ramp: Items, at: string, problems: Problems): void {
  let before: i64 = 0;
  let index = 0;
  for (let item = ramp.first(); item >= 0; item = ramp.next(item)) {
    const percent = ramp.integer(item);
    let reason = "";
    if (percent <= before) reason = "must be more than the step before (" + before.toString() + "), got ";
    else if (ramp.next(item) < 0 && percent != 100) reason = "must be 100 as the last step, got ";
    if (reason.length > 0) problems.add(at + "recovery.rampPercent[" + index.toString() + "]", reason + percent.toString());
    before = percent;
    index++;
  }
}

function staticProblems(rungs: Items, at: string, problems: Problems): void {
  let index = 0;
  for (let item = rungs.first(); item >= 0; item = rungs.next(item)) {
    const rung = rungs.object(item);
    if (rung.has(Key.Static)) staticReply(rung.object(Key.Static), at + "fallback[" + index.toString() + "].static.", problems);
    index++;
  }
}

function staticReply(reply: Reader, path: string, problems: Problems): void {
  const headers = reply.object(Key.Headers);
  const document = headers.document;
  for (let key = document.first(headers.node); key >= 0; key = document.next(key)) {
    const name = document.string(key);
    if (isReserved(name)) problems.add(path + "headers." + name, "is written by the filter itself");
  }
  const status = reply.integer(Key.Status);
  const isBare = status == 204 || status == 205 || status == 304;
  if (isBare && reply.text(Key.Body).length > 0) problems.add(path + "body", "must be empty with status " + status.toString());
}

/** Header fields that the filter, or Envoy, writes itself. */
function isReserved(name: string): bool {
  return name == "connection" || name == "content-length" || name == "content-type" || name == "transfer-encoding";
}
