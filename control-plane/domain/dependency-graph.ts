import type { Feature, Policy } from '../contract/policy.ts';

/** What the graph needs of a feature. */
export type GraphFeature = Pick<Feature, 'name' | 'priority' | 'dependsOn'>;

export interface Edge {
  readonly feature: string;
  readonly hard: boolean;
}

/**
 * Who depends on whom within one policy. Unknown dependencies are left out and cycles are tolerated: both are refused when a policy is
 * written, and nothing here may loop if one slips through.
 */
export class DependencyGraph {
  private readonly featuresByName: ReadonlyMap<string, GraphFeature>;
  private readonly edgesUp: ReadonlyMap<string, readonly Edge[]>;
  private readonly edgesDown: ReadonlyMap<string, readonly Edge[]>;
  private ordered: readonly string[] | null = null;

  constructor(features: readonly GraphFeature[]) {
    this.featuresByName = new Map(features.map((feature) => [feature.name, feature]));
    this.edgesUp = new Map(
      features.map((feature) => [feature.name, feature.dependsOn.filter((edge) => this.featuresByName.has(edge.feature))]),
    );
    this.edgesDown = turned(this.edgesUp);
  }

  /** Features that this one depends on directly. */
  dependencies(name: string): readonly Edge[] {
    return this.edgesUp.get(name) ?? [];
  }

  /** Features that depend on this one directly. */
  dependants(name: string): readonly Edge[] {
    return this.edgesDown.get(name) ?? [];
  }

  /** All that this feature depends on, directly or not. */
  ancestors(name: string): ReadonlySet<string> {
    return reach(name, this.edgesUp);
  }

  /** All that depends on this feature, directly or not. */
  descendants(name: string): ReadonlySet<string> {
    return reach(name, this.edgesDown);
  }

  /** Every feature, each after all that it depends on; ties by priority, then by name. */
  order(): readonly string[] {
    this.ordered ??= this.waves(this.featuresByName.keys()).flat();
    return this.ordered;
  }

  /**
   * The given features in the order in which they start: each wave holds features of one priority that do not depend on each other, and
   * comes after the dependencies of its features among the given ones (R13).
   */
  waves(names: Iterable<string>): readonly (readonly string[])[] {
    const members = new Set([...names].filter((name) => this.featuresByName.has(name)));
    const awaited = new Map([...members].map((name) => [name, countIn(this.ancestors(name), members, name)]));
    const waves: string[][] = [];
    while (awaited.size > 0) {
      const wave = this.nextWave(awaited);
      for (const name of wave) awaited.delete(name);
      for (const name of wave) {
        for (const later of this.descendants(name)) {
          const count = awaited.get(later);
          if (count !== undefined) awaited.set(later, count - 1);
        }
      }
      waves.push(wave);
    }
    return waves;
  }

  /** Of those that wait for nobody, the ones of the first priority. */
  private nextWave(awaited: ReadonlyMap<string, number>): string[] {
    const free = [...awaited.keys()].filter((name) => awaited.get(name)! <= 0);
    const candidates = free.length > 0 ? free : [...awaited.keys()]; // only a cycle leaves nobody free
    const first = Math.min(...candidates.map((name) => this.priority(name)));
    return candidates.filter((name) => this.priority(name) === first).sort();
  }

  private priority(name: string): number {
    return this.featuresByName.get(name)!.priority;
  }

  /** Depth first with an own stack: a chain of 512 features must not exhaust the call stack of a busy process. */
}

const graphs = new WeakMap<Policy, DependencyGraph>();

/** The graph of a policy; policies never change in place, so it is built once for each. */
export function graphOf(policy: Policy): DependencyGraph {
  let graph = graphs.get(policy);
  if (!graph) {
    graph = new DependencyGraph(policy.features);
    graphs.set(policy, graph);
  }
  return graph;
}

function turned(edges: ReadonlyMap<string, readonly Edge[]>): ReadonlyMap<string, readonly Edge[]> {
  const down = new Map<string, Edge[]>();
  for (const [from, targets] of edges) {
    for (const { feature, hard } of targets) {
      const list = down.get(feature) ?? [];
      list.push({ feature: from, hard });
      down.set(feature, list);
    }
  }
  return down;
}

function countIn(names: ReadonlySet<string>, members: ReadonlySet<string>, self: string): number {
  let count = 0;
  for (const name of names) if (name !== self && members.has(name)) count++;
  return count;
}

function reach(start: string, edges: ReadonlyMap<string, readonly Edge[]>): ReadonlySet<string> {
  const seen = new Set<string>();
  const pending = [start];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    for (const { feature } of edges.get(name) ?? []) {
      if (!seen.has(feature)) {
        seen.add(feature);
        pending.push(feature);
      }
    }
  }
  return seen;
}
