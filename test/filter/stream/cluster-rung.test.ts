import { afterEach, describe, expect, test } from 'vitest';
import type { PendingCall } from '../host/calls.ts';
import { ROUTES, SORRY, TO_SPARE, withCluster } from './cluster-scene.ts';
import { degraded, expectClean, feature, type Json, type Scene, scene } from './scene.ts';

afterEach(expectClean);

describe('a refused request', () => {
  test('goes on to the other cluster, marked for its route; its body streams, its answer is marked', () => {
    const it = withCluster();
    it.trip('/catalog');
    const stream = it.proxy.request({ path: '/catalog/1', method: 'POST', body: 'hello' });
    expect(stream.upstream).toMatchObject({ cluster: 'spare', body: 'hello' });
    stream.upstream!.answer({ status: 201, headers: { 'x-from': 'spare' }, body: 'other' });
    expect(stream.client).toMatchObject({ status: 201, body: 'other' });
    expect(stream.client.header('x-from')).toBe('spare');
    expect(degraded(stream)).toEqual({ feature: 'catalog', reason: 'open', rung: 'cluster' });
  });

  test('is no outcome for the breaker', () => {
    const it = withCluster();
    it.trip('/catalog');
    for (let i = 0; i < 5; i++) it.send({ path: '/catalog' }, { status: 200 });
    it.advance(100);
    expect(it.metric('requests_total', { outcome: 'success' })).toBe(0);
    expect(it.metric('degraded_total', { rung: 'cluster', reason: 'open' })).toBe(5);
  });

  test.for([
    { name: 'fails', answer: { status: 503, body: 'also broken' } },
    { name: 'fails without a body', answer: { status: 500 } },
  ])('gets the next rung when the other cluster $name', ({ answer }) => {
    const it = withCluster([TO_SPARE, SORRY]);
    it.trip('/catalog');
    const stream = it.send({ path: '/catalog' }, answer);
    expect(stream.client).toMatchObject({ status: 200, body: 'sorry' });
    expect(degraded(stream)?.rung).toBe('static');
  });

  test('gets the next rung when the other cluster cannot be reached', () => {
    const it = withCluster([TO_SPARE, SORRY]);
    it.trip('/catalog');
    const stream = it.send({ path: '/catalog' }, (upstream) => upstream.fail('connect'));
    expect(stream.client).toMatchObject({ status: 200, body: 'sorry' });
  });

  test('a header of that name from a client does not steer it', () => {
    const it = withCluster();
    expect(it.good('/catalog', { headers: { 'x-rekindle-fallback': 'spare' } }).upstream!.cluster).toBe('upstream');
  });
});

describe('a route that is missing', () => {
  const noRoute = (chain: readonly Json[]) => withCluster(chain, { routes: ROUTES.slice(1) });

  test('is found out, said once, and the request is told again by call-out', () => {
    const it = noRoute([TO_SPARE, SORRY]);
    it.trip('/catalog');
    it.good('/catalog');
    const arrived = it.proxy.arrivals.length;
    const stream = it.proxy.request({ path: '/catalog/1' });
    expect(stream.held).toBe('request');
    it.calls[0]!.respond({ status: 200, body: 'by call' });
    it.advance(1);
    expect(stream.client).toMatchObject({ status: 200, body: 'by call' });
    expect(it.proxy.arrivals.length, 'nothing more reaches the failing upstream').toBe(arrived);
    expect(it.warnings.filter((line) => line.includes('x-rekindle-fallback'))).toHaveLength(1);
  });

  test('the call-out fails: the next rung', () => {
    const it = noRoute([TO_SPARE, SORRY]);
    it.trip('/catalog');
    it.good('/catalog');
    const stream = it.proxy.request({ path: '/catalog/1' });
    it.calls[0]!.respond({ status: 500 });
    it.advance(1);
    expect(stream.client).toMatchObject({ status: 200, body: 'sorry' });
  });

  test('the call-out fails and the next cluster has a route: the request goes there', () => {
    const second = { name: 'to-second', cluster: 'second', header: { name: 'x-rekindle-fallback', value: 'second' } };
    const it = withCluster([TO_SPARE, { cluster: { name: 'second' } }], { routes: [second, ...ROUTES.slice(1)] });
    it.trip('/catalog');
    it.good('/catalog');
    const stream = it.proxy.request({ path: '/catalog/1' });
    it.calls.at(-1)!.respond({ status: 500 });
    it.advance(1);
    expect(stream.upstream?.cluster).toBe('second');
    stream.upstream!.answer({ status: 200, body: 'second' });
    expect(stream.client).toMatchObject({ status: 200, body: 'second' });
  });
});

describe('a failed answer', () => {
  test('is held for a call-out, whose answer takes its place', () => {
    const it = withCluster();
    const headers = { accept: 'text/html', authorization: 'Bearer secret', cookie: 'a=b' };
    const stream = it.bad('/catalog/1?x=1', { headers });
    expect(stream.held).toBe('response');
    const [call] = it.calls;
    expect(call).toMatchObject({ method: 'GET', path: '/catalog/1?x=1', timeoutMs: 500 });
    expect(call!.headers.get(':authority')).toBe('shop.example');
    expect(call!.headers.get('accept')).toBe('text/html');
    call!.respond({ status: 200, headers: { 'x-from': 'spare', connection: 'close', 'content-length': '5' }, body: 'other' });
    it.advance(1);
    expect(stream.client).toMatchObject({ status: 200, body: 'other', ended: true });
    expect(degraded(stream)).toEqual({ feature: 'catalog', reason: 'failure', rung: 'cluster' });
    expect(stream.client.headers!.pairs.map(([name]) => name).sort()).toEqual([
      ':status',
      'content-length',
      'content-type',
      'rekindle',
      'x-from',
    ]);
    expect(stream.info.codeDetails).toBe('rekindle{feature=catalog,reason=failure,rung=cluster}');
  });

  test("gets no cookies of the call-out, which had none of the client's, and which others share", () => {
    const it = withCluster();
    const held = [it.bad('/catalog'), it.bad('/catalog')];
    it.calls[0]!.respond({ status: 200, headers: { 'set-cookie': 'session=1', 'x-from': 'spare' }, body: 'other' });
    it.advance(1);
    for (const { client } of held)
      expect([client.body, client.header('x-from'), client.header('set-cookie')]).toEqual(['other', 'spare', undefined]);
  });

  test.for<{ name: string; act: (call: PendingCall, it: Scene) => void; afterMs: number }>([
    { name: 'is refused', act: (call) => call.refuse(), afterMs: 1 },
    { name: 'is reset', act: (call) => call.reset(), afterMs: 1 },
    { name: 'fails', act: (call) => call.respond({ status: 500, body: 'x' }), afterMs: 1 },
    { name: 'is too slow', act: () => undefined, afterMs: 500 },
    { name: 'brings too much', act: (call) => call.respond({ status: 200, body: 'x'.repeat(2_000_000) }), afterMs: 1 },
  ])('goes to the client as it came when the call-out $name', ({ act, afterMs }) => {
    const it = withCluster();
    const stream = it.send({ path: '/catalog' }, { status: 500, headers: { 'x-why': 'db' }, body: ['bro', 'ken'] });
    act(it.calls[0]!, it);
    it.advance(afterMs);
    expect(stream.client).toMatchObject({ status: 500, body: 'broken', ended: true });
    expect(stream.client.header('x-why')).toBe('db');
    expect(degraded(stream)).toBeNull();
  });

  test.for([
    { name: 'an unknown cluster', break: (it: Scene) => it.proxy.clusters.remove('spare') },
    { name: 'a cluster without a host', break: (it: Scene) => it.proxy.clusters.set('spare', 'unhealthy') },
  ])('passes at once for $name', ({ break: breakIt }) => {
    const it = withCluster();
    breakIt(it);
    expect(it.bad('/catalog').client).toMatchObject({ status: 500, body: 'broken', ended: true });
  });

  test('is answered by the synchronous rungs first', () => {
    const it = withCluster([TO_SPARE, SORRY]);
    expect(it.bad('/catalog').client).toMatchObject({ status: 200, body: 'sorry' });
    expect(it.calls).toEqual([]);
  });

  test.for([
    { name: 'POST', request: { method: 'POST', body: 'pay' } },
    { name: 'GET with a body', request: { body: 'x' } },
    { name: 'DELETE', request: { method: 'DELETE' } },
  ])('of $name is not told again', ({ request }) => {
    const it = withCluster();
    expect(it.bad('/catalog', request).client).toMatchObject({ status: 500, body: 'broken' });
    expect(it.calls).toEqual([]);
  });

  test('of HEAD is told again as HEAD', () => {
    const it = withCluster();
    it.send({ path: '/catalog', method: 'HEAD' }, { status: 500 });
    expect(it.calls[0]!.method).toBe('HEAD');
  });

  test('is lost when its upstream dies meanwhile; the late call-out harms nobody', () => {
    const it = withCluster();
    const stream = it.proxy.request({ path: '/catalog' });
    stream.upstream!.sendHeaders({ ':status': '500' }, false);
    stream.upstream!.breakOff();
    expect(stream.client.status).toBe(502);
    it.calls[0]!.respond({ status: 200, body: 'late' });
    it.advance(10);
    expect(it.good('/catalog').client.status).toBe(200);
  });
});

describe('bounds', () => {
  test('only clusters of the plugin configuration: a policy cannot reach another', () => {
    const it = scene({ policy: null, features: [], connected: true, configuration: { fallbackClusters: ['spare'] }, routes: ROUTES });
    it.fleet.publish('shop', {
      policy: { service: 'shop', features: [feature('catalog', { fallback: [{ cluster: { name: 'secrets' } }, SORRY] })] },
    });
    it.proxy.clusters.set('secrets', () => expect.fail('must not be called'));
    it.advance(200);
    expect(it.bad('/catalog').client).toMatchObject({ status: 200, body: 'sorry' });
    it.trip('/catalog');
    expect(it.proxy.request({ path: '/catalog' }).upstream).toBeNull();
  });
});
