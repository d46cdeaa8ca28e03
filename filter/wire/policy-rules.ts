import { Key } from "./contract.gen";
import { dependencyProblems, featurePath } from "./dependency-rules";
import { Problems } from "./problem";
import { Reader } from "./reader";
import { routeProblems } from "./route-rules";

/**
 * What a schema cannot say of a policy that it accepts. The control plane holds policies to the same rules
 * (control-plane/contract/policy-rules.ts); vectors in test/contract bind the two. Paths start with `prefix`.
 */
export function policyProblems(policy: Reader, prefix: string, problems: Problems): void {
  const rules = new PolicyRules(problems);
  rules.at = prefix + "governance.";
  rules.governance(policy.object(Key.Governance));
  const features = policy.list(Key.Features);
  dependencyProblems(features, prefix, problems);
  let index = 0;
  for (let item = features.first(); item >= 0; item = features.next(item)) {
    rules.at = featurePath(prefix, index++);
    rules.feature(features.object(item));
  }
  routeProblems(features, prefix, problems);
}

class PolicyRules {
  /** Path of the object at hand, with a dot. */
  at: string = "";

  constructor(private problems: Problems) {}

  governance(governance: Reader): void {
    const staleAfterMs = governance.integer(Key.StaleAfterMs);
    this.third("reportMs", governance.integer(Key.ReportMs), staleAfterMs);
    this.third("quietReportMs", governance.integer(Key.QuietReportMs), staleAfterMs);
  }

  feature(feature: Reader): void {
    this.statuses(feature.object(Key.Failure));
    const breaker = feature.object(Key.Breaker);
    this.atLeast("breaker.openCapMs", breaker.integer(Key.OpenCapMs), "openMs", breaker.integer(Key.OpenMs));
    const health = feature.object(Key.Health);
    const degradedPercent = health.integer(Key.DegradedPercent);
    this.atLeast("health.unhealthyPercent", health.integer(Key.UnhealthyPercent), "degradedPercent + 1", degradedPercent + 1);
    const recovery = feature.object(Key.Recovery);
    this.ramp(recovery);
    const backoff = recovery.object(Key.Backoff);
    this.atLeast("recovery.backoff.capMs", backoff.integer(Key.CapMs), "baseMs", backoff.integer(Key.BaseMs));
    this.fallback(feature);
  }

  private statuses(failure: Reader): void {
    const statuses = failure.list(Key.Statuses);
    let index = 0;
    for (let item = statuses.first(); item >= 0; item = statuses.next(item)) {
      const range = statuses.object(item);
      this.atLeast("failure.statuses[" + (index++).toString() + "].to", range.integer(Key.To), "from", range.integer(Key.From));
    }
  }

  private ramp(recovery: Reader): void {
    const ramp = recovery.list(Key.RampPercent);
    let before: i64 = 0;
    let index = 0;
    for (let item = ramp.first(); item >= 0; item = ramp.next(item)) {
      const percent = ramp.integer(item);
      let reason = "";
      if (percent <= before) reason = "must be more than the step before (" + before.toString() + "), got ";
      else if (ramp.next(item) < 0 && percent != 100) reason = "must be 100 as the last step, got ";
      if (reason.length > 0) this.add("recovery.rampPercent[" + index.toString() + "]", reason + percent.toString());
      before = percent;
      index++;
    }
  }

  private fallback(feature: Reader): void {
    const rungs = feature.list(Key.Fallback);
    let index = 0;
    for (let item = rungs.first(); item >= 0; item = rungs.next(item)) {
      const rung = rungs.object(item);
      if (rung.has(Key.Static)) this.staticRung(rung.object(Key.Static), "fallback[" + index.toString() + "].static.");
      index++;
    }
  }

  private staticRung(reply: Reader, path: string): void {
    const headers = reply.object(Key.Headers);
    const document = headers.document;
    for (let key = document.first(headers.node); key >= 0; key = document.next(key)) {
      const name = document.string(key);
      if (isReserved(name)) this.add(path + "headers." + name, "is written by the filter itself");
    }
    const status = <i32>reply.integer(Key.Status);
    const isBare = status == 204 || status == 205 || status == 304;
    if (isBare && reply.text(Key.Body).length > 0) this.add(path + "body", "must be empty with status " + status.toString());
  }

  private third(name: string, intervalMs: i64, staleAfterMs: i64): void {
    if (intervalMs * 3 <= staleAfterMs) return;
    this.add(name, "must be at most a third of staleAfterMs (" + staleAfterMs.toString() + "), got " + intervalMs.toString());
  }

  private atLeast(path: string, value: i64, other: string, least: i64): void {
    if (value < least) this.add(path, "must be at least " + other + " (" + least.toString() + "), got " + value.toString());
  }

  private add(path: string, reason: string): void {
    this.problems.add(this.at + path, reason);
  }
}

/** Header fields that the filter, or Envoy, writes itself. */
function isReserved(name: string): bool {
  return name == "connection" || name == "content-length" || name == "content-type" || name == "transfer-encoding";
}
