import { afterEach, describe, expect, test } from 'vitest';
import type { RequestInit } from '../host/proxy.ts';
import { degraded, expectClean, feature, type Scene, scene } from './scene.ts';
import { copyServed, get, withStale } from './stale-scene.ts';

afterEach(expectClean);

const rungOf = (it: Scene, path: string, request: RequestInit = {}) => degraded(it.bad(path, request))?.rung || null;

describe("deception: somebody's own page is not kept under a name that others ask for", () => {
  const identified = { headers: { cookie: 'session=1' } };
  test.for([
    '/catalog/account/style.css',
    '/catalog/account;style.css',
    '/catalog/account%2fstyle.css',
    '/catalog/account%3bstyle.css',
    '/catalog/account%00.css',
    '/catalog/account%0a.css',
    '/catalog/account%23.css',
    '/catalog/account%3f.css',
    '/catalog/account/..%2fstyle.css',
    '/catalog/account//style.css',
  ])('%s', (path) => {
    const it = withStale();
    it.send({ path, ...identified }, { body: 'my account' });
    expect([rungOf(it, path), rungOf(it, '/catalog/account'), rungOf(it, '/catalog/style.css')]).toEqual([null, null, null]);
  });

  test('a public page has one key for each way to write its path', () => {
    const it = withStale();
    it.send({ path: '/catalog/a%2fb' }, { body: 'encoded' });
    const others = ['/catalog/a/b', '/catalog/a%2Fb', '/catalog/a%2fb/', '/catalog/a%2fb;x', '/catalog//a%2fb', '/catalog/a%252fb'];
    expect(others.map((path) => rungOf(it, path))).toEqual(others.map(() => null));
    expect(it.bad('/catalog/a%2fb').client.body).toBe('encoded');
  });
});

describe('poisoning: what is not in the key', () => {
  test.for(['x-forwarded-host', 'x-forwarded-proto', 'x-forwarded-for', 'x-original-url', 'x-rewrite-url', 'origin', 'user-agent'])(
    'an answer that varies on %s is not kept',
    (name) => {
      const it = withStale();
      get(it, { headers: { [name]: 'evil.example' } }, { headers: { vary: name, 'cache-control': 'public, max-age=60' }, body: 'evil' });
      expect(copyServed(it)).toBeNull();
    },
  );

  test.for(['utm_source=x', 'callback=evil', 'page=1&utm_source=x', 'p%61ge=1', 'page[]=1', '_=1', ''])(
    'nor one to a query that is not allowed: ?%s',
    (query) => {
      const it = withStale({ queryParameters: ['page'] });
      it.send({ path: `/catalog/1?${query}` }, { body: 'evil' });
      expect([rungOf(it, `/catalog/1?${query}`), rungOf(it, '/catalog/1'), rungOf(it, '/catalog/1?page=1')]).toEqual([null, null, null]);
    },
  );

  test('headers that could end a header and begin another are not kept', () => {
    const it = withStale();
    get(
      it,
      {},
      { headers: { 'x-a': 'b\r\nset-cookie: c', 'x-b': 'b\0', 'x-c': 'b\n', 'x-good': 'yes\tand no', 'x-d': 'd\x7f' }, body: 'copy' },
    );
    const { headers } = it.bad('/catalog/1').client;
    const names = headers!.pairs.map(([name]) => name).filter((name) => name.startsWith('x-') || name === 'set-cookie');
    expect(names).toEqual(['x-good']);
  });

  test('headers that two connection lines name are not kept', () => {
    const it = withStale();
    get(it, {}, { headers: { connection: ['x-one', 'x-two'], 'x-one': '1', 'x-two': '2', 'x-three': '3' }, body: 'copy' });
    expect(
      it
        .bad('/catalog/1')
        .client.headers!.pairs.map(([name]) => name)
        .filter((name) => name.startsWith('x-')),
    ).toEqual(['x-three']);
  });
});

describe('a degraded answer is never kept', () => {
  test('one that this proxy gave by a static rung, in place', () => {
    const it = scene({ features: [feature('catalog', { fallback: [{ stale: {} }, { static: { status: 200, body: 'standing in' } }] })] });
    it.advance(200);
    expect(it.bad('/catalog/1').client.body).toBe('standing in');
    expect(rungOf(it, '/catalog/1')).toBe('static');
  });

  test('one that another Rekindle gave upstream, whatever it says of freshness', () => {
    const it = withStale();
    const headers = { rekindle: 'degraded; feature="x"; reason=open; rung=static', 'cache-control': 'public, max-age=600' };
    get(it, {}, { headers, body: 'degraded' });
    expect(copyServed(it)).toBeNull();
  });
});

describe('overflow', () => {
  test('a feature with many keys drowns no other one', () => {
    const fallback = [{ stale: { refreshMs: 1000 } }];
    const features = [feature('catalog', { fallback }), feature('search', { fallback })];
    const it = scene({ features, configuration: { cache: { entries: 16 } } });
    it.advance(200);
    const pages = [1, 2, 3, 4].map((n) => `/catalog/${n}`);
    for (const path of pages) it.send({ path }, { body: path });
    for (let i = 0; i < 500; i++) it.send({ path: `/search/${i}` }, { body: 'x' });
    expect(pages.map((path) => rungOf(it, path))).toEqual(pages.map(() => 'stale'));
    // Alone it may have all of the room.
    const alone = scene({ features, configuration: { cache: { entries: 16 } } });
    alone.advance(200);
    for (let i = 0; i < 500; i++) alone.send({ path: `/search/${i}` }, { body: 'x' });
    const kept = Array.from({ length: 500 }, (_, i) => i).filter((i) => rungOf(alone, `/search/${i}`) === 'stale');
    expect(kept).toHaveLength(16);
  });
});

describe('whose turn it is to renew', () => {
  const writesOf = (it: Scene) => it.proxy.workers.reduce((sum, { vm }) => sum + vm.counts.of('proxy_set_shared_data'), 0);

  test('answers under way on two workers at once: one stores', () => {
    const it = withStale();
    const streams = [0, 1, 0, 1].map((worker) => it.proxy.request({ path: '/catalog/1', worker }));
    for (const stream of streams) stream.upstream!.sendHeaders({ ':status': '200' }, false);
    const before = writesOf(it);
    for (const [i, stream] of streams.entries()) stream.upstream!.sendData(`copy ${i}`, true);
    expect(writesOf(it) - before).toBe(2);
    expect(copyServed(it)).toBe('copy 0');
  });

  test.for<{ name: string; request: RequestInit; answer: Record<string, string> }>([
    { name: 'a request that forbids to store', request: { headers: { 'cache-control': 'no-store' } }, answer: {} },
    { name: 'a request for a part', request: { headers: { range: 'bytes=0-1' } }, answer: {} },
    { name: "somebody's own page", request: { headers: { cookie: 'session=1' } }, answer: { 'cache-control': 'private' } },
    { name: 'an authorized request', request: { headers: { authorization: 'Bearer x' } }, answer: {} },
  ])("$name takes nobody else's", ({ request, answer }) => {
    const it = withStale();
    get(it, {}, { body: 'old' });
    it.advance(1001);
    for (const worker of [0, 1]) get(it, { worker, ...request }, { headers: answer, body: 'own' });
    get(it, {}, { body: 'new' });
    expect(copyServed(it)).toBe('new');
  });

  test('a public answer to a request with cookies is stored, and not again for others', () => {
    const it = withStale();
    get(it, { headers: { cookie: 'a=b' } }, { headers: { 'cache-control': 'public' }, body: 'first' });
    get(it, { worker: 1 }, { body: 'second' });
    expect(copyServed(it)).toBe('first');
  });
});
