import { chainProblems } from './fallback-rules.ts';
import type { Feature, Policy } from './policy.ts';
import { PLACES, REASONS, say } from './reasons.ts';

/** What is wrong with a document, and where: `features[2].breaker.openMs`. */
export interface PolicyProblem {
  readonly path: string;
  readonly reason: string;
}

/** Problems that are told at once. */
const MAX_PROBLEMS = 100;

/**
 * What a schema cannot say of a policy that it accepts, with defaults filled in: all problems at once. The filter holds policies to
 * the same rules (filter/wire/policy-rules.ts); vectors in test/contract bind the two.
 */
export function policyProblems(policy: Policy): PolicyProblem[] {
  const problems = [
    ...governanceProblems(policy.governance),
    ...dependencyProblems(policy.features),
    ...policy.features.flatMap(featureProblems),
    ...routeProblems(policy.features),
  ];
  return problems.slice(0, MAX_PROBLEMS);
}

function governanceProblems(governance: Policy['governance']): PolicyProblem[] {
  const { staleAfterMs } = governance;
  return (['reportMs', 'quietReportMs'] as const)
    .filter((interval) => governance[interval] * 3 > staleAfterMs)
    .map((interval) => ({ path: say(PLACES.governance, interval), reason: say(REASONS.third, staleAfterMs, governance[interval]) }));
}

function dependencyProblems(features: readonly Feature[]): PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const indexes = new Map<string, number>();
  for (const [index, { name }] of features.entries()) {
    const first = indexes.get(name);
    if (first === undefined) indexes.set(name, index);
    else problems.push({ path: say(PLACES.name, index), reason: say(REASONS.sameName, first, name) });
  }
  const targets = features.map((feature, index) =>
    feature.dependsOn.map(({ feature: name }, position) => {
      const target = indexes.get(name);
      const path = say(PLACES.dependency, index, position);
      const isRepeated = feature.dependsOn.findIndex((other) => other.feature === name) < position;
      if (target === undefined) problems.push({ path, reason: say(REASONS.noSuchFeature, name) });
      else if (feature.name === name) problems.push({ path, reason: REASONS.itself });
      else if (isRepeated) problems.push({ path, reason: say(REASONS.twice, name) });
      else return target;
      return -1;
    }),
  );
  return [...problems, ...cycleProblems(features, targets)];
}

/** One problem per dependency that closes a cycle, in a search from the first feature on; `targets` by feature and dependency, -1: none. */
function cycleProblems(features: readonly Feature[], targets: readonly (readonly number[])[]): PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const trail: number[] = [];
  const finished = new Set<number>();
  const visit = (index: number): void => {
    trail.push(index);
    for (const [position, target] of (targets[index] ?? []).entries()) {
      if (target < 0 || finished.has(target)) continue;
      if (!trail.includes(target)) {
        visit(target);
      } else if (problems.length < MAX_PROBLEMS) {
        const cycle = [...trail.slice(trail.indexOf(target)), target].map((member) => features[member]?.name);
        problems.push({ path: say(PLACES.dependency, index, position), reason: say(REASONS.cycle, cycle.join(' -> ')) });
      }
    }
    trail.pop();
    finished.add(index);
  };
  for (const index of features.keys()) if (!finished.has(index)) visit(index);
  return problems;
}

function featureProblems(feature: Feature, index: number): PolicyProblem[] {
  const { breaker, health, failure, recovery } = feature;
  const { baseMs, capMs } = recovery.backoff;
  return [
    ...failure.statuses.flatMap(({ from, to }, position) => atLeast(say(PLACES.status, index, position), to, 'from', from)),
    ...atLeast(say(PLACES.openCap, index), breaker.openCapMs, 'openMs', breaker.openMs),
    ...atLeast(say(PLACES.unhealthy, index), health.unhealthyPercent, 'degradedPercent', health.degradedPercent + 1),
    ...atLeast(say(PLACES.backoffCap, index), capMs, 'baseMs', baseMs),
    ...rampProblems(recovery.rampPercent, index),
    ...chainProblems(feature, index),
  ];
}

function atLeast(path: string, value: number, other: string, least: number): PolicyProblem[] {
  return value >= least ? [] : [{ path, reason: say(REASONS.atLeast, least, other, value) }];
}

function rampProblems(ramp: readonly number[], index: number): PolicyProblem[] {
  return ramp.flatMap((percent, position) => {
    const path = say(PLACES.ramp, index, position);
    const before = ramp[position - 1] ?? 0;
    if (percent <= before) return [{ path, reason: say(REASONS.rising, before, percent) }];
    return position === ramp.length - 1 && percent !== 100 ? [{ path, reason: say(REASONS.lastStep, percent) }] : [];
  });
}

/** Templates that are ill-formed, and routes of which identical ones before take every request: the first match wins. */
function routeProblems(features: readonly Feature[]): PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const takers = new Map<string, string>();
  for (const [index, feature] of features.entries()) {
    for (const [position, { host, methods, path }] of feature.routes.entries()) {
      if (!isTemplate(path.template ?? '')) {
        problems.push({ path: say(PLACES.template, index, position), reason: REASONS.template });
        continue;
      }
      const at = say(PLACES.route, index, position);
      const template = path.template?.replace(/\/\{[^/]*/g, '/{');
      const match = `${host ?? ''} ${path.exact ?? ''} ${path.prefix ?? ''} ${template ?? ''} `;
      const requests = methods?.map((method) => match + method) ?? [match];
      const earlier = requests.map((request) => takers.get(match) ?? takers.get(request));
      if (!earlier.includes(undefined)) problems.push({ path: at, reason: say(REASONS.unreachable, earlier[0] ?? '') });
      for (const request of requests) if (!takers.has(request)) takers.set(request, at);
    }
  }
  return problems;
}

function isTemplate(template: string): boolean {
  const parameters = template.split('/').filter((segment) => /[{}]/.test(segment));
  return new Set(parameters).size === parameters.length && parameters.every((segment) => /^\{[A-Za-z0-9_-]+\}$/.test(segment));
}
