import { beforeAll, describe, expect, test } from 'vitest';
import { get, MatcherModule, type Request, type Route } from './matcher-module.ts';

let matcher: MatcherModule;

beforeAll(async () => {
  matcher = await MatcherModule.load();
});

describe('cost', () => {
  const shapes: { name: string; route: (i: number) => Route; request: (i: number) => Request }[] = [
    { name: 'exact', route: (i) => ({ kind: 'exact', path: `/api/v1/feature-${i}` }), request: (i) => get(`/api/v1/feature-${i}`) },
    { name: 'prefix', route: (i) => ({ kind: 'prefix', path: `/api/feature-${i}` }), request: (i) => get(`/api/feature-${i}/a?b=c`) },
    { name: 'template', route: (i) => ({ kind: 'template', path: `/api/feature-${i}/{id}` }), request: (i) => get(`/api/feature-${i}/42`) },
    {
      name: 'host',
      route: (i) => ({ kind: 'prefix', path: '/', host: `feature-${i}.example.org` }),
      request: (i) => get('/a/b', `feature-${i}.example.org`),
    },
    {
      name: 'method',
      route: (i) => ({ kind: 'prefix', path: `/feature-${i}`, methods: ['GET', 'POST'] }),
      request: (i) => get(`/feature-${i}/a`),
    },
  ];

  /** Nanoseconds of one match, the best of several rounds, which takes other people's load out. */
  function nanoseconds(sizes: number[], shape: (typeof shapes)[number]): number[] {
    const times = 20_000;
    const best = sizes.map(() => Number.POSITIVE_INFINITY);
    for (let round = 0; round < 7; round++) {
      for (const [at, size] of sizes.entries()) {
        matcher.build(Array.from({ length: size }, (_, i) => [shape.route(i + 100)]));
        matcher.ask(shape.request(99 + size));
        matcher.exports.matchTimes(times);
        const start = process.hrtime.bigint();
        matcher.exports.matchTimes(times);
        best[at] = Math.min(best[at]!, Number(process.hrtime.bigint() - start) / times);
      }
    }
    return best;
  }

  test.for(shapes)('512 features cost hardly more than one: $name', (shape) => {
    const [one, many] = nanoseconds([1, 512], shape) as [number, number];
    console.log(
      `matcher ${shape.name}: ${one.toFixed(0)} ns with 1 feature, ${many.toFixed(0)} ns with 512, ratio ${(many / one).toFixed(2)}`,
    );
    // The bar is 1.3; the room above it is for a busy machine.
    expect(many / one).toBeLessThan(2);
  });

  test('a match allocates nothing', async () => {
    const stub = await MatcherModule.load('stub');
    stub.build([[{ kind: 'template', path: '/api/{id}/x', host: '*.example.org', methods: ['GET'] }], [{ kind: 'prefix', path: '/' }]]);
    expect(stub.ask(get('/api/42/x?y'))).toBe(0);
    const apart = stub.exports.mark() - stub.exports.mark();
    const before = stub.exports.mark();
    stub.exports.matchTimes(1_000_000);
    expect(before - stub.exports.mark()).toBe(apart);
  });
});
