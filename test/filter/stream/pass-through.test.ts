import { afterEach, describe, expect, test } from 'vitest';
import { degraded, expectClean, feature, QUICK, scene } from './scene.ts';

afterEach(expectClean);

describe('a request that passes', () => {
  test('reaches the upstream as it came, and its answer the client', () => {
    const { proxy } = scene();
    const headers = { 'x-custom': ['a', 'b'], cookie: 'k=v', 'content-type': 'text/plain' };
    const stream = proxy.request({ method: 'POST', path: '/catalog/items?page=2', headers, body: 'hello' });
    stream.upstream!.answer({ status: 201, headers: { etag: '"1"' }, body: ['one', 'two'], trailers: { sum: '3' } });
    expect(stream.request.mutations, 'a mutation would re-evaluate the route').toBe(0);
    expect(stream.upstream!.headers.pairs).toEqual(stream.request.pairs);
    expect(stream.upstream).toMatchObject({ body: 'hello', path: '/catalog/items?page=2' });
    expect(stream.client.headers!.pairs).toEqual([
      [':status', '201'],
      ['etag', '"1"'],
    ]);
    expect(stream.client).toMatchObject({ body: 'onetwo', ended: true });
    expect(stream.client.trailers!.get('sum')).toBe('3');
  });

  test('a failure without a fallback passes untouched', () => {
    const stream = scene().bad('/catalog');
    expect(stream.client).toMatchObject({ status: 500, body: 'broken' });
    expect(degraded(stream)).toBeNull();
  });

  test('what no feature matches is left alone and counted', () => {
    const it = scene();
    for (let i = 0; i < 8; i++) expect(it.bad('/other').client).toMatchObject({ status: 500, body: 'broken' });
    it.advance(100);
    expect(it.metric('unmatched_total')).toBe(8);
    expect(it.proxy.metrics.names.filter((name) => name.includes('requests_total'))).toEqual([]);
  });
});

describe('which feature a request belongs to', () => {
  const features = [
    feature('item', { routes: [{ path: { template: '/items/{id}' } }] }),
    feature('orders', { routes: [{ methods: ['POST', 'PUT'], path: { prefix: '/orders' } }] }),
    feature('exact', { routes: [{ path: { exact: '/exact' } }] }),
    feature('shop-host', { routes: [{ host: 'shop.example', path: { prefix: '/h' } }] }),
    feature('sub-host', { routes: [{ host: '*.example', path: { prefix: '/h' } }] }),
    feature('early', { routes: [{ path: { exact: '/twice' } }] }),
    feature('late', { routes: [{ path: { prefix: '/' } }] }),
  ];
  const rows = [
    { request: { path: '/items/42' }, name: 'item' },
    { request: { path: '/items/42?x=1' }, name: 'item' },
    { request: { path: '/items/42/more' }, name: 'late' },
    { request: { path: '/items/' }, name: 'late' },
    { request: { path: '/orders/1', method: 'POST' }, name: 'orders' },
    { request: { path: '/orders', method: 'GET' }, name: 'late' },
    { request: { path: '/exact' }, name: 'exact' },
    { request: { path: '/exact?a=b' }, name: 'exact' },
    { request: { path: '/exactly' }, name: 'late' },
    { request: { path: '/h', authority: 'shop.example:8080' }, name: 'shop-host' },
    { request: { path: '/h', authority: 'SHOP.example' }, name: 'shop-host' },
    { request: { path: '/h', authority: 'a.b.example' }, name: 'sub-host' },
    { request: { path: '/h', authority: 'example' }, name: 'late' },
    { request: { path: '/twice' }, name: 'early' },
    { request: { path: '/' }, name: 'late' },
  ];
  test.for(rows)('$request is $name', ({ request, name }) => {
    const it = scene({ features });
    it.send(request, { status: 200 });
    it.advance(100);
    expect(it.metric('requests_total', { feature: name, outcome: 'success' })).toBe(1);
    expect(it.metric('requests_total')).toBe(1);
  });
});

describe('which service a request belongs to', () => {
  const entry = (service: string, more: object) => ({
    service,
    ...more,
    policy: { service, features: [feature('all', { routes: [{ path: { prefix: '/' } }], breaker: QUICK })] },
  });
  const rows = [
    {
      name: 'by host',
      services: [entry('a', { hosts: ['a.example'] }), entry('b', { hosts: ['*.b.example'] })],
      request: { authority: 'x.b.example' },
      service: 'b',
    },
    {
      name: 'by cluster',
      services: [entry('a', { clusters: ['other'] }), entry('b', { clusters: ['upstream'] })],
      request: {},
      service: 'b',
    },
    {
      name: 'the one without either takes the rest',
      services: [entry('a', { hosts: ['a.example'] }), entry('b', {})],
      request: { authority: 'c.example' },
      service: 'b',
    },
  ];
  test.for(rows)('$name', ({ services, request, service }) => {
    const it = scene({ configuration: { services } });
    it.send({ path: '/', ...request }, { status: 200 });
    it.advance(100);
    expect(it.metric('requests_total', { service, outcome: 'success' })).toBe(1);
    expect(it.metric('requests_total')).toBe(1);
  });

  test('none: left alone and counted', () => {
    const it = scene({ configuration: { services: [entry('a', { hosts: ['a.example'] })] } });
    it.send({ path: '/', authority: 'c.example' }, { status: 200 });
    it.advance(100);
    expect([it.metric('requests_total'), it.metric('unmatched_total')]).toEqual([0, 1]);
  });
});
