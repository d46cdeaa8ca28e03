import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { get, MatcherModule, type Request, type Route } from './matcher-module.ts';

let matcher: MatcherModule;

beforeAll(async () => {
  matcher = await MatcherModule.load();
});

/** The rule in plain words: the first route in declared order that takes the request. */
function scan(features: Route[][], request: Request): number {
  return features.findIndex((routes) => routes.some((route) => takes(route, request)));
}

function takes(route: Route, request: Request): boolean {
  return takesHost(route.host, request.host) && (route.methods?.includes(request.method) ?? true) && takesPath(route, request.path);
}

function takesHost(rule: string | undefined, authority: string): boolean {
  const host = authority.toLowerCase().replace(/:.*$/, '');
  if (rule === undefined) return true;
  return rule.startsWith('*') ? host.endsWith(rule.slice(1)) && host.length > rule.length - 1 : host === rule;
}

function takesPath(route: Route, target: string): boolean {
  const path = target.replace(/[?#].*$/, '');
  if (route.kind === 'exact') return path === route.path;
  if (route.kind === 'prefix') {
    const prefix = route.path.replace(/\/$/, '');
    return prefix === '' || path === prefix || path.startsWith(`${prefix}/`);
  }
  const wanted = route.path.split('/');
  const segments = path.split('/');
  return (
    wanted.length === segments.length &&
    wanted.every((segment, i) => (/^\{.*\}$/.test(segment) ? segments[i] !== '' : segment === segments[i]))
  );
}

describe('laws', () => {
  const segment = fc.constantFrom('a', 'b', 'ab', '', 'items', '{', '{}', '..', '%61');
  const parameter = fc.constantFrom('{id}', '{x}', 'a', 'b', 'items', '');
  const pathOf = (part: fc.Arbitrary<string>) => fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
  const host = fc.constantFrom('a.org', 'x.a.org', '*.a.org', '*.org', '*.x.a.org', 'b.net');
  const method = fc.constantFrom('GET', 'POST', 'HEAD');
  const route = fc.record<Route>(
    {
      kind: fc.constantFrom('exact', 'prefix', 'template'),
      path: fc.oneof(pathOf(segment), pathOf(parameter)),
      host,
      methods: fc.uniqueArray(method, { minLength: 1 }),
    },
    { requiredKeys: ['kind', 'path'] },
  ) as fc.Arbitrary<Route>;
  const features = fc.array(fc.array(route, { minLength: 1, maxLength: 4 }), { maxLength: 12 });
  const request = fc.record<Request>({
    method,
    host: fc.constantFrom('a.org', 'A.org:80', 'x.a.org', 'y.x.a.org', '.a.org', 'b.net', 'org', '', ':1', 'aa.org'),
    path: fc.oneof(
      {
        weight: 8,
        arbitrary: fc.tuple(pathOf(segment), fc.constantFrom('', '/', '?a=/b', '#a', '?#', '/?')).map(([path, rest]) => path + rest),
      },
      { weight: 1, arbitrary: fc.constantFrom('*', '', 'a', '?', 'http://a.org/a') },
    ),
  });

  test('the answer is that of a scan in declared order', () => {
    fc.assert(
      fc.property(features, fc.array(request, { minLength: 1, maxLength: 12 }), (policy, requests) => {
        matcher.build(policy);
        for (const one of requests) expect(matcher.ask(one)).toBe(scan(policy, one));
      }),
      { numRuns: 1500 },
    );
  });

  test('the same with hundreds of features', () => {
    const many = Array.from({ length: 512 }, (_, i): Route[] => [
      { kind: 'exact', path: `/shop/${i}` },
      { kind: 'template', path: `/shop/{id}/part-${i}` },
      { kind: 'prefix', path: `/team-${i % 97}/service-${i}`, host: i % 3 === 0 ? `h${i}.a.org` : '*.a.org' },
    ]);
    matcher.build(many);
    for (let i = 0; i < 520; i++) {
      const requests = [get(`/shop/${i}`), get(`/shop/x/part-${i}`), get(`/team-${i % 97}/service-${i}/x?y`, `h${i}.a.org`)];
      for (const one of requests) expect(matcher.ask(one)).toBe(scan(many, one));
    }
  });

  test('bytes outside of the policy alphabet neither match nor trap', () => {
    matcher.build([[{ kind: 'exact', path: '/a' }], [{ kind: 'template', path: '/{any}/b' }]]);
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 300 }),
        (path) => {
          const one = get(path);
          expect(matcher.ask(one)).toBe(scan([[{ kind: 'exact', path: '/a' }], [{ kind: 'template', path: '/{any}/b' }]], one));
        },
      ),
    );
  });

  test('a path of a thousand segments', () => {
    const long = '/a'.repeat(500);
    matcher.build([[{ kind: 'exact', path: long }], [{ kind: 'prefix', path: '/a/a' }]]);
    expect(matcher.ask(get(long))).toBe(0);
    expect(matcher.ask(get(`${long}/a`))).toBe(1);
  });
});
