import { afterEach, describe, expect, test } from 'vitest';
import type { RequestInit } from '../host/proxy.ts';
import type { UpstreamAnswer } from '../host/upstream.ts';
import { degraded, expectClean, type Json } from './scene.ts';
import { copyServed, get, withStale } from './stale-scene.ts';

afterEach(expectClean);

describe('what is kept', () => {
  const rows: readonly { name: string; request?: RequestInit; answer: UpstreamAnswer; kept: boolean }[] = [
    { name: 'a plain answer', answer: { body: 'copy' }, kept: true },
    { name: 'one without a body', answer: {}, kept: true },
    { name: 'private', answer: { headers: { 'cache-control': 'private' }, body: 'copy' }, kept: false },
    { name: 'no-store', answer: { headers: { 'cache-control': 'no-store' }, body: 'copy' }, kept: false },
    { name: 'no-store in a second header', answer: { headers: { 'cache-control': ['max-age=5', 'no-store'] }, body: 'copy' }, kept: false },
    { name: 'set-cookie', answer: { headers: { 'set-cookie': 'a=b' }, body: 'copy' }, kept: false },
    { name: 'an authorized one', request: { headers: { authorization: 'Bearer x' } }, answer: { body: 'copy' }, kept: false },
    {
      name: 'an authorized one that is public',
      request: { headers: { authorization: 'Bearer x' } },
      answer: { headers: { 'cache-control': 'public' }, body: 'copy' },
      kept: true,
    },
    { name: 'a part', request: { headers: { range: 'bytes=0-1' } }, answer: { status: 206, body: 'co' }, kept: false },
    { name: 'vary: *', answer: { headers: { vary: '*' }, body: 'copy' }, kept: false },
    { name: 'vary on a header that is not in the key', answer: { headers: { vary: 'accept' }, body: 'copy' }, kept: false },
    { name: 'a 404', answer: { status: 404, body: 'copy' }, kept: false },
    { name: 'what another Rekindle degraded', answer: { headers: { rekindle: 'degraded; feature="x"' }, body: 'copy' }, kept: false },
    { name: 'a query that is not allowed', request: { path: '/catalog/1?user=me' }, answer: { body: 'copy' }, kept: false },
    { name: 'one larger than allowed', answer: { body: 'x'.repeat(2049) }, kept: false },
    { name: 'one as large as allowed, in pieces', answer: { body: ['x'.repeat(1000), 'x'.repeat(1048)] }, kept: true },
    { name: 'an answer to POST', request: { method: 'POST', body: 'x' }, answer: { body: 'copy' }, kept: false },
    { name: 'an answer with trailers', answer: { body: 'copy', trailers: { sum: '1' } }, kept: true },
    {
      name: 'an authorized one whose header is huge',
      request: { headers: { authorization: 'x'.repeat(70_000) } },
      answer: { body: 'copy' },
      kept: false,
    },
  ];
  test.for(rows)('$name: $kept', ({ request = {}, answer, kept }) => {
    const it = withStale({}, { configuration: { cache: { maxBodyBytes: 2048 } } });
    get(it, request, answer);
    const { method: _method, body: _body, ...again } = request;
    expect(copyServed(it, again) !== null).toBe(kept);
  });

  test('not an answer that breaks off, and the next one is', () => {
    const it = withStale();
    const cut = it.proxy.request({ path: '/catalog/1' });
    cut.upstream!.sendHeaders({ ':status': '200' }, false);
    cut.upstream!.sendData('half', false);
    cut.upstream!.breakOff();
    expect(copyServed(it)).toBeNull();
    get(it, {}, { body: 'whole' });
    expect(copyServed(it)).toBe('whole');
  });
});

describe('what a copy stands for', () => {
  test.for<{ name: string; rung?: Json; first: RequestInit; second: RequestInit; same: boolean }>([
    { name: 'another host', first: {}, second: { authority: 'other.example' }, same: false },
    { name: 'another path', first: {}, second: { path: '/catalog/2' }, same: false },
    { name: 'the host in capitals', first: {}, second: { authority: 'SHOP.example' }, same: true },
    { name: 'an encoded path', first: { path: '/catalog/a' }, second: { path: '/catalog/%61' }, same: false },
    {
      name: 'another value of an allowed parameter',
      rung: { queryParameters: ['page'] },
      first: { path: '/catalog/1?page=1' },
      second: { path: '/catalog/1?page=2' },
      same: false,
    },
    {
      name: 'allowed parameters in another order',
      rung: { queryParameters: ['a', 'b'] },
      first: { path: '/catalog/1?a=1&b=2' },
      second: { path: '/catalog/1?b=2&a=1' },
      same: true,
    },
    {
      name: 'another value of a vary header',
      rung: { varyHeaders: ['accept-language'] },
      first: { headers: { 'accept-language': 'en' } },
      second: { headers: { 'accept-language': 'de' } },
      same: false,
    },
    {
      name: 'another second value of a vary header',
      rung: { varyHeaders: ['accept-language'] },
      first: { headers: { 'accept-language': ['en', 'fr'] } },
      second: { headers: { 'accept-language': ['en', 'de'] } },
      same: false,
    },
    {
      name: 'a header that is not in the key',
      first: { headers: { 'x-forwarded-host': 'evil.example' } },
      second: {},
      same: true,
    },
  ])('$name: $same', ({ rung = {}, first, second, same }) => {
    const it = withStale(rung);
    it.send({ path: '/catalog/1', ...first }, { body: 'copy' });
    const stream = it.bad(second.path ?? '/catalog/1', second);
    expect(degraded(stream)?.rung === 'stale').toBe(same);
  });
});
