import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DependencyGraph, graphOf } from '../../../control-plane/domain/dependency-graph.ts';
import { policies } from './arbitraries.ts';
import { policyOf } from './fixtures.ts';

const diamond = graphOf(
  policyOf([
    { name: 'top', priority: 9 },
    { name: 'left', priority: 2, dependsOn: [['top', 'hard']] },
    { name: 'right', priority: 1, dependsOn: ['top'] },
    { name: 'bottom', priority: 1, dependsOn: ['left', 'right'] },
    { name: 'alone', priority: 5 },
  ]),
);

const ring = new DependencyGraph([
  { name: 'a', priority: 1, dependsOn: [{ feature: 'c', hard: false }] },
  { name: 'b', priority: 1, dependsOn: [{ feature: 'a', hard: false }] },
  { name: 'c', priority: 1, dependsOn: [{ feature: 'b', hard: false }] },
]);

describe('the dependency graph', () => {
  test('knows who depends on whom, and how', () => {
    expect(diamond.dependencies('left')).toEqual([{ feature: 'top', hard: true }]);
    expect(diamond.dependants('top')).toEqual([
      { feature: 'left', hard: true },
      { feature: 'right', hard: false },
    ]);
    expect([...diamond.ancestors('bottom')].sort()).toEqual(['left', 'right', 'top']);
    expect([...diamond.descendants('top')].sort()).toEqual(['bottom', 'left', 'right']);
  });

  test('orders each feature after all that it depends on, ties by priority and name', () => {
    expect(diamond.order()).toEqual(['alone', 'top', 'right', 'left', 'bottom']);
  });

  test('plans waves of one priority; a dependency outside the plan still puts its dependants after each other', () => {
    expect(diamond.waves(['top', 'left', 'right', 'bottom'])).toEqual([['top'], ['right'], ['left'], ['bottom']]);
    expect(diamond.waves(['bottom', 'alone', 'top'])).toEqual([['alone'], ['top'], ['bottom']]);
    expect(diamond.waves(['nobody'])).toEqual([]);
  });

  test('loops in no cycle', () => {
    expect([...ring.ancestors('a')].sort()).toEqual(['a', 'b', 'c']);
    expect(ring.waves(['a', 'b', 'c'])).toEqual([['a', 'b', 'c']]);
  });

  test('a chain of 512 features is ordered and searched without exhausting the stack', () => {
    const chain = new DependencyGraph(
      Array.from({ length: 512 }, (_, index) => ({
        name: `f${index}`,
        priority: 1,
        dependsOn: index === 0 ? [] : [{ feature: `f${index - 1}`, hard: true }],
      })),
    );
    expect(chain.order()[511]).toBe('f511');
  });

  test('law: the order holds every feature once, each after its dependencies', () => {
    fc.assert(
      fc.property(policies, (policy) => {
        const graph = graphOf(policy);
        const order = graph.order();
        expect([...order].sort()).toEqual(policy.features.map(({ name }) => name).sort());
        for (const name of order)
          for (const { feature } of graph.dependencies(name)) expect(order.indexOf(feature)).toBeLessThan(order.indexOf(name));
      }),
    );
  });
});
