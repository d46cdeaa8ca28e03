import { Key, Place, Reason } from "./contract.gen";
import { dependencyProblems, nameProblems } from "./dependency-rules";
import { chainProblems } from "./fallback-rules";
import { nameText, say } from "./names";
import { Problems } from "./problem";
import { Items, Reader } from "./reader";
import { routeProblems } from "./route-rules";

/**
 * What a schema cannot say of a policy that it accepts. The control plane holds policies to the same rules
 * (control-plane/contract/policy-rules.ts); vectors in test/contract bind the two. Paths start with `prefix`. Not strict, it passes over
 * what does not matter to this filter, and what members of a newer control plane may have given another sense.
 */
export function policyProblems(policy: Reader, prefix: string, isStrict: bool, problems: Problems): void {
  governanceProblems(policy.object(Key.Governance), prefix, problems);
  const features = policy.list(Key.Features);
  const indexes = nameProblems(features, prefix, problems);
  if (isStrict) dependencyProblems(features, indexes, prefix, problems);
  const rules = new FeatureRules(prefix, problems);
  for (let item = features.first(); item >= 0; item = features.next(item)) rules.hold(features.object(item));
  routeProblems(features, prefix, isStrict, problems);
}

function governanceProblems(governance: Reader, prefix: string, problems: Problems): void {
  const staleAfterMs = governance.integer(Key.StaleAfterMs);
  for (let key = Key.ReportMs; key <= Key.QuietReportMs; key++) {
    const intervalMs = governance.integer(key);
    if (intervalMs * 3 <= staleAfterMs) continue;
    const path = prefix + say(Place.Governance, nameText(key), "", "");
    problems.add(path, say(Reason.Third, staleAfterMs.toString(), intervalMs.toString(), ""));
  }
}

/** Rules within one feature. */
class FeatureRules {
  private index: i32 = -1;

  constructor(
    private prefix: string,
    private problems: Problems,
  ) {}

  /** Holds the next feature to the rules. */
  hold(feature: Reader): void {
    this.index++;
    this.statuses(feature.object(Key.Failure).list(Key.Statuses));
    const breaker = feature.object(Key.Breaker);
    this.atLeast(Place.OpenCap, 0, breaker.integer(Key.OpenCapMs), Key.OpenMs, breaker.integer(Key.OpenMs));
    const health = feature.object(Key.Health);
    const aboveDegraded = health.integer(Key.DegradedPercent) + 1;
    this.atLeast(Place.Unhealthy, 0, health.integer(Key.UnhealthyPercent), Key.DegradedPercent, aboveDegraded);
    const recovery = feature.object(Key.Recovery);
    const backoff = recovery.object(Key.Backoff);
    this.atLeast(Place.BackoffCap, 0, backoff.integer(Key.CapMs), Key.BaseMs, backoff.integer(Key.BaseMs));
    this.ramp(recovery.list(Key.RampPercent));
    chainProblems(feature, this.index, this.prefix, this.problems);
  }

  private statuses(statuses: Items): void {
    let position = 0;
    for (let item = statuses.first(); item >= 0; item = statuses.next(item)) {
      const range = statuses.object(item);
      this.atLeast(Place.Status, position++, range.integer(Key.To), Key.From, range.integer(Key.From));
    }
  }

  private ramp(ramp: Items): void {
    let before: i64 = 0;
    let position = 0;
    for (let item = ramp.first(); item >= 0; item = ramp.next(item)) {
      const percent = ramp.integer(item);
      if (percent <= before) this.add(Place.Ramp, position, "", say(Reason.Rising, before.toString(), percent.toString(), ""));
      else if (ramp.next(item) < 0 && percent != 100) this.add(Place.Ramp, position, "", say(Reason.LastStep, percent.toString(), "", ""));
      before = percent;
      position++;
    }
  }

  private atLeast(place: Place, position: i32, value: i64, other: Key, least: i64): void {
    if (value < least) this.add(place, position, "", say(Reason.AtLeast, least.toString(), nameText(other), value.toString()));
  }

  private add(place: Place, position: i32, name: string, reason: string): void {
    this.problems.add(this.prefix + say(place, this.index.toString(), position.toString(), name), reason);
  }
}
