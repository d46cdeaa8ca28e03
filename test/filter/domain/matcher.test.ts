import { beforeAll, describe, expect, test } from 'vitest';
import { get, MatcherModule, type Request, type Route } from './matcher-module.ts';

let matcher: MatcherModule;

beforeAll(async () => {
  matcher = await MatcherModule.load();
});

describe('one route', () => {
  const rows: { name: string; route: Route; path: string; matches: boolean }[] = [
    { name: 'exact takes the same path', route: { kind: 'exact', path: '/items' }, path: '/items', matches: true },
    { name: 'exact leaves the query out', route: { kind: 'exact', path: '/items' }, path: '/items?page=/2', matches: true },
    { name: 'exact leaves the fragment out', route: { kind: 'exact', path: '/items' }, path: '/items#a/b', matches: true },
    { name: 'exact tells a trailing slash apart', route: { kind: 'exact', path: '/items' }, path: '/items/', matches: false },
    { name: 'exact with a trailing slash', route: { kind: 'exact', path: '/items/' }, path: '/items/', matches: true },
    { name: 'exact takes nothing below', route: { kind: 'exact', path: '/items' }, path: '/items/1', matches: false },
    { name: 'exact takes braces literally', route: { kind: 'exact', path: '/items/{id}' }, path: '/items/1', matches: false },
    { name: 'exact root', route: { kind: 'exact', path: '/' }, path: '/', matches: true },
    { name: 'exact root with a query', route: { kind: 'exact', path: '/' }, path: '/?a', matches: true },
    { name: 'exact root is not all', route: { kind: 'exact', path: '/' }, path: '/a', matches: false },
    { name: 'paths are case-sensitive', route: { kind: 'exact', path: '/items' }, path: '/Items', matches: false },
    { name: 'prefix takes itself', route: { kind: 'prefix', path: '/items' }, path: '/items', matches: true },
    { name: 'prefix takes a trailing slash', route: { kind: 'prefix', path: '/items' }, path: '/items/', matches: true },
    { name: 'prefix takes what is below', route: { kind: 'prefix', path: '/items' }, path: '/items/1/x', matches: true },
    { name: 'prefix takes whole segments only', route: { kind: 'prefix', path: '/items' }, path: '/itemsale', matches: false },
    { name: 'prefix is not shorter than itself', route: { kind: 'prefix', path: '/items/1' }, path: '/items', matches: false },
    { name: 'prefix with a trailing slash is the same', route: { kind: 'prefix', path: '/items/' }, path: '/items', matches: true },
    { name: 'prefix / takes all', route: { kind: 'prefix', path: '/' }, path: '/a/b', matches: true },
    { name: 'prefix / takes *', route: { kind: 'prefix', path: '/' }, path: '*', matches: true },
    { name: 'prefix / takes no path at all', route: { kind: 'prefix', path: '/' }, path: '', matches: true },
    { name: 'prefix /a does not take *', route: { kind: 'prefix', path: '/a' }, path: '*', matches: false },
    { name: 'template takes one segment', route: { kind: 'template', path: '/items/{id}' }, path: '/items/42', matches: true },
    { name: 'template takes no empty segment', route: { kind: 'template', path: '/items/{id}' }, path: '/items/', matches: false },
    { name: 'template takes no two segments', route: { kind: 'template', path: '/items/{id}' }, path: '/items/1/2', matches: false },
    { name: 'template goes on', route: { kind: 'template', path: '/items/{id}/price' }, path: '/items/1/price', matches: true },
    { name: 'template with a trailing slash', route: { kind: 'template', path: '/items/{id}/' }, path: '/items/1', matches: false },
    { name: 'template leaves braces in a segment', route: { kind: 'template', path: '/items/v{id}' }, path: '/items/v1', matches: false },
    { name: 'a query ends the path', route: { kind: 'template', path: '/{a}' }, path: '/?x', matches: false },
  ];
  test.for(rows)('$name', ({ route, path, matches }) => {
    matcher.build([[route]]);
    expect(matcher.ask(get(path))).toBe(matches ? 0 : -1);
  });

  test.for(['/checkout/../cart', '//checkout', '/%63heckout', '/./checkout', '/checkout%2f', '/CHECKOUT', '/checkout;a=b'])(
    '%s is another path than /checkout',
    (path) => {
      matcher.build([[{ kind: 'exact', path: '/checkout' }], [{ kind: 'prefix', path: '/' }]]);
      expect(matcher.ask(get(path))).toBe(1);
    },
  );
});

describe('host', () => {
  const rows: { name: string; rule: string; host: string; matches: boolean }[] = [
    { name: 'same', rule: 'shop.example.org', host: 'shop.example.org', matches: true },
    { name: 'with port', rule: 'shop.example.org', host: 'shop.example.org:8443', matches: true },
    { name: 'in another case', rule: 'shop.example.org', host: 'Shop.EXAMPLE.org', matches: true },
    { name: 'longer', rule: 'shop.example.org', host: 'shop.example.org.evil.net', matches: false },
    { name: 'subdomain of a full name', rule: 'example.org', host: 'shop.example.org', matches: false },
    { name: 'subdomain of a suffix', rule: '*.example.org', host: 'shop.example.org:80', matches: true },
    { name: 'subdomain of a subdomain', rule: '*.example.org', host: 'a.shop.example.org', matches: true },
    { name: 'the suffix itself', rule: '*.example.org', host: 'example.org', matches: false },
    { name: 'the suffix with its dot', rule: '*.example.org', host: '.example.org', matches: false },
    { name: 'no whole label', rule: '*.example.org', host: 'badexample.org', matches: false },
    { name: 'none', rule: 'example.org', host: '', matches: false },
    { name: 'only a port', rule: 'example.org', host: ':80', matches: false },
    { name: 'an address', rule: 'example.org', host: '[::1]:80', matches: false },
  ];
  test.for(rows)('$name', ({ rule, host, matches }) => {
    matcher.build([[{ host: rule, kind: 'prefix', path: '/' }]]);
    expect(matcher.ask(get('/a', host))).toBe(matches ? 0 : -1);
  });
});

describe('order', () => {
  const items: Route = { kind: 'prefix', path: '/items' };
  const rows: { name: string; features: Route[][]; request: Request; feature: number }[] = [
    {
      name: 'a wide rule before a narrow one wins',
      features: [[items], [{ kind: 'exact', path: '/items/1' }]],
      request: get('/items/1'),
      feature: 0,
    },
    {
      name: 'a narrow rule before a wide one wins',
      features: [[{ kind: 'exact', path: '/items/1' }], [items]],
      request: get('/items/1'),
      feature: 0,
    },
    {
      name: 'a template before an exact path wins',
      features: [[{ kind: 'template', path: '/{a}/1' }], [{ kind: 'exact', path: '/items/1' }]],
      request: get('/items/1'),
      feature: 0,
    },
    {
      name: 'a literal that leads nowhere does not hide a template',
      features: [[{ kind: 'template', path: '/items/{id}/price' }], [{ kind: 'template', path: '/{kind}/{id}/stock' }]],
      request: get('/items/1/stock'),
      feature: 1,
    },
    {
      name: 'a rule that fails on its method leaves it to a later one',
      features: [[{ ...items, methods: ['POST', 'PUT'] }], [{ ...items, methods: ['GET'] }], [items]],
      request: get('/items'),
      feature: 1,
    },
    {
      name: 'a rule that fails on its host leaves it to a later one',
      features: [[{ ...items, host: 'other.org' }], [{ ...items, host: '*.example.org' }], [items]],
      request: get('/items'),
      feature: 1,
    },
    {
      name: 'a rule for any host before one for this host wins',
      features: [[items], [{ ...items, host: 'shop.example.org' }]],
      request: get('/items'),
      feature: 0,
    },
    { name: 'a method is taken in its own case', features: [[{ ...items, methods: ['get'] }]], request: get('/items'), feature: -1 },
    {
      name: 'GET does not stand for HEAD',
      features: [[{ ...items, methods: ['GET'] }]],
      request: { ...get('/items'), method: 'HEAD' },
      feature: -1,
    },
    {
      name: 'the second route of a feature counts',
      features: [
        [items],
        [
          { kind: 'exact', path: '/a' },
          { kind: 'exact', path: '/b' },
        ],
      ],
      request: get('/b'),
      feature: 1,
    },
    { name: 'no features', features: [], request: get('/'), feature: -1 },
  ];
  test.for(rows)('$name', ({ features, request, feature }) => {
    matcher.build(features);
    expect(matcher.ask(request)).toBe(feature);
  });

  test('asks for method and host only when a rule needs them', () => {
    matcher.build([[items]]);
    expect([matcher.exports.needsMethod(), matcher.exports.needsHost()]).toEqual([0, 0]);
    matcher.build([[items, { ...items, methods: ['GET'] }]]);
    expect([matcher.exports.needsMethod(), matcher.exports.needsHost()]).toEqual([1, 0]);
    matcher.build([[{ ...items, host: 'a.org' }]]);
    expect([matcher.exports.needsMethod(), matcher.exports.needsHost()]).toEqual([0, 1]);
  });
});
