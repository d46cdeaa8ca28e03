import { afterEach, describe, expect, test } from 'vitest';
import { degraded, expectClean, feature, type Json, type Scene, scene } from './scene.ts';

afterEach(expectClean);

const page = (body: string, more: Json = {}): Json => ({ static: { status: 200, body, ...more } });

function withChain(...fallback: readonly Json[]): Scene {
  return scene({ features: [feature('catalog', { fallback })] });
}

describe('rungs by cause', () => {
  const CHAIN = [
    page('open', { causes: ['open'] }),
    page('no connection', { causes: ['connect', 'reset'] }),
    page('too slow', { causes: ['timeout'] }),
    page('full', { causes: ['overload'] }),
    page('failed', { causes: ['failure'] }),
  ];

  test.for([
    { kind: 'connect', body: 'no connection' },
    { kind: 'no-host', body: 'no connection' },
    { kind: 'reset', body: 'no connection' },
    { kind: 'timeout', body: 'too slow' },
    { kind: 'overflow', body: 'full' },
  ] as const)('$kind: $body', ({ kind, body }) => {
    const stream = withChain(...CHAIN).send({ path: '/catalog' }, (upstream) => upstream.fail(kind));
    expect(stream.client).toMatchObject({ status: 200, body });
  });

  test('a failure status, then a refusal', () => {
    const it = withChain(...CHAIN);
    expect(it.bad('/catalog').client.body).toBe('failed');
    it.trip('/catalog');
    expect(it.proxy.request({ path: '/catalog' }).client.body).toBe('open');
  });

  test('DISABLED by the control plane is another cause than an open breaker', () => {
    const it = scene({ connected: true, policy: null });
    const fallback = [page('open', { causes: ['open'] }), page('disabled', { causes: ['disabled'] })];
    it.fleet.publish('shop', {
      policy: { service: 'shop', features: [feature('catalog', { fallback })] },
      flags: [{ feature: 'catalog', state: 'DISABLED', admit: 0, step: 1, by: 'person' }],
    });
    it.advance(1000);
    expect(it.proxy.request({ path: '/catalog' }).client.body).toBe('disabled');
  });

  test('no rung for the cause: a failed answer passes as it came, a refused request gets 503 with retry-after', () => {
    const it = withChain(page('slow', { causes: ['timeout'] }));
    expect(it.bad('/catalog').client).toMatchObject({ status: 500, body: 'broken' });
    it.trip('/catalog');
    const { client } = it.proxy.request({ path: '/catalog' });
    expect(client).toMatchObject({ status: 503, body: '' });
    expect(client.header('retry-after')).toBe('1');
    expect(client.header('rekindle')).toBe('refused; feature="catalog"; reason=open');
    expect(client.header('x-envoy-ratelimited')).toBe('true');
  });
});

describe('representations of a static rung', () => {
  const representations = [
    { contentType: 'text/html; charset=utf-8', body: '<p>later</p>' },
    { contentType: 'application/json', body: '{}' },
  ];
  const rung = page('', { representations });

  test.for([
    { accept: undefined, type: 'text/html; charset=utf-8', body: '<p>later</p>' },
    { accept: 'application/json', type: 'application/json', body: '{}' },
    { accept: 'text/html;q=0.5, application/json;q=0.9', type: 'application/json', body: '{}' },
    { accept: 'image/png', type: 'text/html; charset=utf-8', body: '<p>later</p>' },
  ])('accept $accept: $type, of a refusal and of a failed answer', ({ accept, type, body }) => {
    const it = withChain(rung);
    const request = { path: '/catalog', ...(accept === undefined ? {} : { headers: { accept } }) };
    const failed = it.send(request, { status: 500, headers: { 'content-length': '6' }, body: 'broken' });
    it.trip('/catalog');
    for (const { client } of [failed, it.proxy.request(request)]) {
      expect(client).toMatchObject({ status: 200, body });
      expect(client.header('content-type')).toBe(type);
      expect(client.header('vary')).toBe('accept');
    }
  });

  test('one form alone varies by nothing', () => {
    expect(
      withChain(page('later'))
        .bad('/catalog', { headers: { accept: 'image/png' } })
        .client.header('vary'),
    ).toBeUndefined();
  });
});

describe('no body in place', () => {
  test.for([204, 205, 304])('%i takes the place of a failure with a body by a local reply: nothing follows its headers', (status) => {
    const it = withChain({ static: { status } });
    const stream = it.send({ path: '/catalog' }, { status: 500, headers: { 'content-length': '6' }, body: 'broken' });
    expect(stream.client).toMatchObject({ status, body: '', ended: true });
    expect(stream.client.header('content-length')).toBeUndefined();
    expect(stream.info.codeDetails).toBe('rekindle{feature=catalog,reason=failure,rung=static}');
  });

  test('an answer that announces trailers may have no data to replace: by a local reply, with the body', () => {
    const answer = { status: 500, headers: { trailer: 'sum' }, trailers: { sum: '1' } };
    const stream = withChain(page('later')).send({ path: '/catalog' }, answer);
    expect(stream.client).toMatchObject({ status: 200, body: 'later', ended: true });
  });
});

describe('requests for which a body of ours would be nonsense', () => {
  const GRPC = { method: 'POST', headers: { 'content-type': 'application/grpc+proto', te: 'trailers' }, body: 'x' };
  const UPGRADE = { method: 'GET', headers: { upgrade: 'websocket', connection: 'upgrade' }, open: true };

  test('gRPC refused: status 14 in trailers-only form, no message, when to come back', () => {
    const it = scene({ features: [feature('catalog', { protocol: 'grpc' })] });
    it.trip('/catalog');
    const { client } = it.proxy.request({ path: '/catalog', ...GRPC });
    expect(client).toMatchObject({ status: 200, body: '', ended: true });
    expect(client.header('grpc-status')).toBe('14');
    expect(client.header('grpc-message')).toBeUndefined();
    expect(client.header('grpc-retry-pushback-ms')).toBe('1000');
  });

  test('gRPC to a feature that is not known as such: no rung with a body, in either phase', () => {
    const it = withChain(page('later'));
    const failed = it.send({ path: '/catalog', ...GRPC }, { status: 503, body: 'proxy error' });
    expect(failed.client).toMatchObject({ status: 503, body: 'proxy error' });
    it.trip('/catalog');
    const { client } = it.proxy.request({ path: '/catalog', ...GRPC });
    expect([client.status, client.header('grpc-status'), client.header('grpc-message')]).toEqual([200, '14', undefined]);
  });

  test('gRPC-web that nobody translated: 503, which its clients read as UNAVAILABLE', () => {
    const it = scene({ features: [feature('catalog', { protocol: 'grpc-web' })] });
    it.trip('/catalog');
    const { client } = it.proxy.request({
      path: '/catalog',
      method: 'POST',
      headers: { 'content-type': 'application/grpc-web' },
      body: 'x',
    });
    expect(client).toMatchObject({ status: 503, body: '', ended: true });
    expect(client.header('grpc-retry-pushback-ms')).toBe('1000');
  });

  test('a trailers field alone makes no gRPC', () => {
    const it = withChain(page('later'));
    it.trip('/catalog');
    expect(it.proxy.request({ path: '/catalog', method: 'POST', headers: { te: 'trailers' }, body: 'x' }).client.body).toBe('later');
  });

  test('an upgrade: a failed one passes as it came, a refused one gets a bare 503', () => {
    const it = withChain(page('later'));
    const failed = it.send({ path: '/catalog', ...UPGRADE }, { status: 500, body: 'broken' });
    expect(failed.client).toMatchObject({ status: 500, body: 'broken' });
    it.trip('/catalog');
    const { client } = it.proxy.request({ path: '/catalog', ...UPGRADE });
    expect(client).toMatchObject({ status: 503, body: '' });
    expect(client.header('grpc-retry-pushback-ms')).toBeUndefined();
  });

  test('an upgrade that succeeds carries its bytes untouched', () => {
    const it = withChain({ stale: {} }, page('later'));
    const stream = it.proxy.request({ path: '/catalog', ...UPGRADE });
    stream.upstream!.sendHeaders({ ':status': '101', upgrade: 'websocket' }, false);
    stream.upstream!.sendData('frame', false);
    expect(stream.client).toMatchObject({ status: 101, body: 'frame' });
    stream.cancel();
  });
});

describe('layers', () => {
  test('an answer that another Rekindle degraded passes, marker and all, and counts neither way', () => {
    const it = withChain(page('ours'));
    const marker = 'degraded; feature="inner"; reason=open; rung=stale';
    for (let i = 0; i < 8; i++) {
      const stream = it.send({ path: '/catalog' }, { status: 503, headers: { rekindle: marker }, body: 'theirs' });
      expect(stream.client).toMatchObject({ status: 503, body: 'theirs' });
      expect(stream.client.headers!.all('rekindle')).toEqual([marker]);
    }
    it.advance(100);
    expect(it.metric('requests_total', { outcome: 'ignored' })).toBe(8);
    expect(it.good('/catalog').upstream, 'the breaker is closed').not.toBeNull();
  });

  test('a refusal of another Rekindle counts neither way, but a rung of ours stands in', () => {
    const it = withChain(page('ours'));
    const refusal = { status: 503, headers: { rekindle: 'refused; feature="inner"; reason=open' } };
    for (let i = 0; i < 8; i++) {
      const stream = it.send({ path: '/catalog' }, refusal);
      expect(stream.client).toMatchObject({ status: 200, body: 'ours' });
      expect(degraded(stream)).toEqual({ feature: 'catalog', reason: 'overload', rung: 'static' });
    }
    expect(it.good('/catalog').upstream, 'the breaker is closed').not.toBeNull();
  });

  test('without a rung it passes with its marker', () => {
    const refusal = { status: 503, headers: { rekindle: 'refused; feature="inner"; reason=open', 'retry-after': '7' } };
    const { client } = withChain().send({ path: '/catalog' }, refusal);
    expect([client.status, client.header('rekindle'), client.header('retry-after')]).toEqual([503, refusal.headers.rekindle, '7']);
  });
});
