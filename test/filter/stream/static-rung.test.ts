import { afterEach, describe, expect, test } from 'vitest';
import { degraded, expectClean, feature, type Json, scene } from './scene.ts';

afterEach(expectClean);

const withStatic = (rung: Json = {}) => scene({ features: [feature('catalog', { fallback: [{ static: rung }] })] });
const SORRY: Json = { status: 200, contentType: 'application/json', headers: { 'x-shop': 'closed' }, body: '{"items":[]}' };

describe('the static rung', () => {
  test('answers what was refused', () => {
    const it = withStatic(SORRY);
    it.trip('/catalog');
    const stream = it.proxy.request({ path: '/catalog' });
    expect(stream.client).toMatchObject({ status: 200, body: '{"items":[]}', ended: true });
    expect(Object.fromEntries(stream.client.headers!.pairs)).toEqual({
      ':status': '200',
      'content-type': 'application/json',
      'content-length': '12',
      'x-shop': 'closed',
      rekindle: 'degraded; feature="catalog"; reason=open; rung=static',
    });
    expect(stream.info.codeDetails).toBe('rekindle{feature=catalog,reason=open,rung=static}');
  });

  test.for([
    { name: 'with a body', body: 'broken' },
    { name: 'in several pieces', body: ['bro', 'ken', '!'] },
    { name: 'whose end is an empty chunk', body: ['broken'], endsWithEmptyChunk: true },
  ])('takes the place of a failure $name, in the stream itself', ({ body, endsWithEmptyChunk = false }) => {
    const it = withStatic(SORRY);
    const answer = {
      status: 500,
      headers: { 'content-length': '99', 'x-upstream': 'gone', 'set-cookie': 'a=b' },
      body,
      endsWithEmptyChunk,
    };
    const stream = it.send({ path: '/catalog' }, answer);
    expect(stream.client).toMatchObject({ status: 200, body: '{"items":[]}', ended: true });
    expect(stream.client.header('content-length')).toBe('12');
    expect(stream.client.header('content-type')).toBe('application/json');
    expect(stream.client.header('x-upstream')).toBeUndefined();
    expect(degraded(stream)).toEqual({ feature: 'catalog', reason: 'failure', rung: 'static' });
    expect(stream.info.codeDetails, 'no local reply: outer filters still see the answer').toBe('via_upstream');
  });

  test('takes the place of a failure that its headers end, by a local reply', () => {
    const it = withStatic(SORRY);
    const stream = it.send({ path: '/catalog' }, { status: 503 });
    expect(stream.client).toMatchObject({ status: 200, body: '{"items":[]}', ended: true });
    expect(stream.info.codeDetails).toBe('rekindle{feature=catalog,reason=failure,rung=static}');
  });

  test.for([
    { kind: 'connect', reason: 'connect' },
    { kind: 'no-host', reason: 'connect' },
    { kind: 'timeout', reason: 'timeout' },
    { kind: 'reset', reason: 'reset' },
    { kind: 'overflow', reason: 'overload' },
  ] as const)('takes the place of $kind, reason $reason', ({ kind, reason }) => {
    const stream = withStatic(SORRY).send({ path: '/catalog' }, (upstream) => upstream.fail(kind));
    expect(stream.client).toMatchObject({ status: 200, body: '{"items":[]}', ended: true });
    expect(degraded(stream)).toEqual({ feature: 'catalog', reason, rung: 'static' });
  });

  test('leaves an injected fault and a good answer alone', () => {
    const it = withStatic(SORRY);
    const fault = it.send({ path: '/catalog' }, (upstream) => upstream.fail('fault'));
    expect(fault.client).toMatchObject({ status: 503, body: 'fault filter abort' });
    expect(it.good('/catalog').client.body).toBe('fine');
  });

  test('an empty body blanks that of the failure', () => {
    const stream = withStatic({ status: 200 }).send(
      { path: '/catalog' },
      { status: 500, headers: { 'content-length': '2' }, body: ['a', 'b'] },
    );
    expect(stream.client).toMatchObject({ status: 200, body: '', ended: true });
    expect(stream.client.header('content-length')).toBe('0');
  });

  test('a failure of no known length is replaced without a length: it may end without any data', () => {
    const it = withStatic(SORRY);
    const chunked = it.send({ path: '/catalog' }, { status: 500, body: ['bro', 'ken'] });
    expect(chunked.client).toMatchObject({ status: 200, body: '{"items":[]}', ended: true });
    expect(chunked.client.header('content-length')).toBeUndefined();
    const onlyTrailers = it.send({ path: '/catalog' }, { status: 500, trailers: { sum: '1' } });
    expect(onlyTrailers.client).toMatchObject({ status: 200, ended: true });
    expect(onlyTrailers.client.header('content-length')).toBeUndefined();
  });

  test('with status 503 it says when to come back, unless the policy does', () => {
    const it = withStatic({ status: 503, body: 'later' });
    it.trip('/catalog');
    expect(it.proxy.request({ path: '/catalog' }).client.header('retry-after')).toBe('1');
    const told = withStatic({ status: 503, headers: { 'retry-after': '120' } });
    told.trip('/catalog');
    expect(told.proxy.request({ path: '/catalog' }).client.headers!.all('retry-after')).toEqual(['120']);
  });

  test('HEAD gets the headers', () => {
    const it = withStatic(SORRY);
    it.trip('/catalog');
    const { client } = it.proxy.request({ path: '/catalog', method: 'HEAD' });
    expect(client).toMatchObject({ status: 200, body: '', ended: true });
    expect(client.header('content-length')).toBe('12');
  });

  test('a POST whose body is still coming is refused at once', () => {
    const it = withStatic(SORRY);
    it.trip('/catalog');
    const stream = it.proxy.request({ path: '/catalog', method: 'POST', open: true });
    expect(stream.client).toMatchObject({ status: 200, ended: true });
    stream.sendBody('ignored');
  });

  test('a body of 64 KiB and more', () => {
    const body = 'x'.repeat(65_536);
    const it = withStatic({ status: 200, body });
    const stream = it.send({ path: '/catalog' }, { status: 500, body: 'y'.repeat(3_000_000) });
    expect(stream.client.body).toBe(body);
    it.trip('/catalog');
    expect(it.proxy.request({ path: '/catalog' }).client.body).toBe(body);
  });

  test('text beyond ASCII arrives as UTF-8', () => {
    const it = withStatic({ status: 200, body: 'Grüße 🛒' });
    const stream = it.bad('/catalog');
    expect(stream.client.body).toBe('Grüße 🛒');
    expect(stream.client.header('content-length')).toBe(String(Buffer.byteLength('Grüße 🛒')));
  });

  test('is counted by rung and reason', () => {
    const it = withStatic(SORRY);
    it.trip('/catalog');
    it.proxy.request({ path: '/catalog' });
    it.advance(100);
    expect(it.metric('degraded_total', { feature: 'catalog', rung: 'static', reason: 'failure' })).toBe(4);
    expect(it.metric('degraded_total', { feature: 'catalog', rung: 'static', reason: 'open' })).toBe(1);
  });
});
