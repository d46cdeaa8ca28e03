import type { Feature, Policy } from './policy.ts';

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
    ...policy.features.flatMap((feature, index) => featureProblems(feature).map(under(`features[${index}].`))),
    ...unreachableRoutes(policy.features),
  ];
  return problems.slice(0, MAX_PROBLEMS);
}

const under =
  (prefix: string) =>
  ({ path, reason }: PolicyProblem): PolicyProblem => ({ path: prefix + path, reason });

function governanceProblems(governance: Policy['governance']): PolicyProblem[] {
  const { staleAfterMs } = governance;
  return (['reportMs', 'quietReportMs'] as const)
    .filter((interval) => governance[interval] * 3 > staleAfterMs)
    .map((interval) => ({
      path: `governance.${interval}`,
      reason: `must be at most a third of staleAfterMs (${staleAfterMs}), got ${governance[interval]}`,
    }));
}

function dependencyProblems(features: readonly Feature[]): PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const indexes = new Map<string, number>();
  for (const [index, { name }] of features.entries()) {
    const first = indexes.get(name);
    if (first === undefined) indexes.set(name, index);
    else problems.push({ path: `features[${index}].name`, reason: `is the name of features[${first}] too: ${name}` });
  }
  const targets = features.map((feature, index) =>
    feature.dependsOn.map((dependency, position) => {
      const target = indexes.get(dependency.feature);
      const path = `features[${index}].dependsOn[${position}].feature`;
      const isRepeated = feature.dependsOn.findIndex((other) => other.feature === dependency.feature) < position;
      if (target === undefined) problems.push({ path, reason: `names no feature of this policy: ${dependency.feature}` });
      else if (feature.name === dependency.feature) problems.push({ path, reason: 'names the feature itself' });
      else if (isRepeated) problems.push({ path, reason: `is there twice: ${dependency.feature}` });
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
        problems.push({ path: `features[${index}].dependsOn[${position}].feature`, reason: `closes a cycle: ${cycle.join(' -> ')}` });
      }
    }
    trail.pop();
    finished.add(index);
  };
  for (const index of features.keys()) if (!finished.has(index)) visit(index);
  return problems;
}

function featureProblems(feature: Feature): PolicyProblem[] {
  const { breaker, health, failure, fallback, recovery, routes } = feature;
  return [
    ...routes.flatMap(({ path }, index) => templateProblems(path.template).map(under(`routes[${index}].path.`))),
    ...failure.statuses.flatMap(({ from, to }, index) => atLeast('to', to, 'from', from).map(under(`failure.statuses[${index}].`))),
    ...atLeast('breaker.openCapMs', breaker.openCapMs, 'openMs', breaker.openMs),
    ...atLeast('health.unhealthyPercent', health.unhealthyPercent, 'degradedPercent + 1', health.degradedPercent + 1),
    ...rampProblems(recovery.rampPercent).map(under('recovery.')),
    ...atLeast('recovery.backoff.capMs', recovery.backoff.capMs, 'baseMs', recovery.backoff.baseMs),
    ...fallback.flatMap((rung, index) => staticProblems(rung.static).map(under(`fallback[${index}].static.`))),
  ];
}

function atLeast(path: string, value: number, other: string, least: number): PolicyProblem[] {
  return value >= least ? [] : [{ path, reason: `must be at least ${other} (${least}), got ${value}` }];
}

function templateProblems(template: string | undefined): PolicyProblem[] {
  const reason = 'must have each {name}, of letters, digits, _ and -, fill a whole segment, and no name twice';
  return isSound(template) ? [] : [{ path: 'template', reason }];
}

function isSound(template: string | undefined): boolean {
  const parameters = template?.split('/').filter((segment) => /[{}]/.test(segment)) ?? [];
  return new Set(parameters).size === parameters.length && parameters.every((segment) => /^\{[A-Za-z0-9_-]+\}$/.test(segment));
}

function rampProblems(ramp: readonly number[]): PolicyProblem[] {
  return ramp.flatMap((percent, index) => {
    const path = `rampPercent[${index}]`;
    const before = ramp[index - 1] ?? 0;
    if (percent <= before) return [{ path, reason: `must be more than the step before (${before}), got ${percent}` }];
    return index === ramp.length - 1 && percent !== 100 ? [{ path, reason: `must be 100 as the last step, got ${percent}` }] : [];
  });
}

/** Header fields that the filter, or Envoy, writes itself. */
const RESERVED_HEADERS = ['connection', 'content-length', 'content-type', 'transfer-encoding'];

function staticProblems(reply: NonNullable<Feature['fallback'][number]['static']> | undefined): PolicyProblem[] {
  if (reply === undefined) return [];
  const reserved = Object.keys(reply.headers).filter((name) => RESERVED_HEADERS.includes(name));
  const problems = reserved.map((name) => ({ path: `headers.${name}`, reason: 'is written by the filter itself' }));
  if (![204, 205, 304].includes(reply.status) || reply.body === '') return problems;
  return [...problems, { path: 'body', reason: `must be empty with status ${reply.status}` }];
}

/** Routes of which identical ones before take every request: the first match wins. */
function unreachableRoutes(features: readonly Feature[]): PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const takers = new Map<string, string>();
  for (const [index, feature] of features.entries()) {
    for (const [position, { host, methods, path }] of feature.routes.entries()) {
      if (!isSound(path.template)) continue;
      const at = `features[${index}].routes[${position}]`;
      const template = path.template?.replace(/\/\{[^/]*/g, '/{');
      const match = `${host ?? ''} ${path.exact ?? ''} ${path.prefix ?? ''} ${template ?? ''} `;
      const requests = methods?.map((method) => match + method) ?? [match];
      const earlier = requests.map((request) => takers.get(match) ?? takers.get(request));
      if (!earlier.includes(undefined)) problems.push({ path: at, reason: `is never reached: ${earlier[0]} takes its requests` });
      for (const request of requests) if (!takers.has(request)) takers.set(request, at);
    }
  }
  return problems;
}
