import { afterEach, describe, expect, test } from 'vitest';
import { degraded, expectClean } from './scene.ts';
import { copyServed, get, withStale } from './stale-scene.ts';

afterEach(expectClean);

describe('a copy is kept and served', () => {
  test('on a failure with a body: in the stream itself', () => {
    const it = withStale();
    get(it, {}, { headers: { 'content-type': 'text/css', etag: '"7"' }, body: ['one', 'two'] });
    it.advance(3400);
    const stream = it.bad('/catalog/1');
    expect(stream.client).toMatchObject({ status: 200, body: 'onetwo', ended: true });
    expect(Object.fromEntries(stream.client.headers!.pairs)).toEqual({
      ':status': '200',
      'content-type': 'text/css',
      'content-length': '6',
      etag: '"7"',
      age: '3',
      'cache-status': 'rekindle; fwd=stale; detail=stale-if-error; ttl=-3',
      rekindle: 'degraded; feature="catalog"; reason=failure; rung=stale',
    });
    expect(stream.info.codeDetails).toBe('via_upstream');
  });

  test('on a failure that its headers end: by a local reply', () => {
    const it = withStale();
    get(it, {}, { body: 'copy' });
    const stream = it.send({ path: '/catalog/1' }, { status: 503 });
    expect(stream.client).toMatchObject({ status: 200, body: 'copy', ended: true });
    expect(stream.info.codeDetails).toBe('rekindle{feature=catalog,reason=failure,rung=stale}');
  });

  test('on a refusal, by another worker too', () => {
    const it = withStale();
    get(it, {}, { body: 'copy' });
    it.trip('/catalog/2');
    it.tick();
    for (const worker of [0, 1]) {
      const stream = it.proxy.request({ path: '/catalog/1', worker });
      expect(stream.client).toMatchObject({ status: 200, body: 'copy' });
      expect(degraded(stream)).toEqual({ feature: 'catalog', reason: 'open', rung: 'stale' });
    }
    expect(it.proxy.request({ path: '/catalog/unknown' }).client.status).toBe(503);
  });

  test('the freshness that is left shows in cache-status', () => {
    const it = withStale();
    get(it, {}, { headers: { 'cache-control': 'max-age=60', age: '10' }, body: 'copy' });
    it.advance(20_000);
    const { client } = it.bad('/catalog/1');
    expect([client.header('age'), client.header('cache-status')]).toEqual(['30', 'rekindle; fwd=bypass; detail=upstream-failed; ttl=30']);
  });

  test('cache-status is appended to that of caches before', () => {
    const it = withStale();
    get(it, {}, { headers: { 'cache-status': 'origin; fwd=miss' }, body: 'copy' });
    expect(it.bad('/catalog/1').client.headers!.all('cache-status')).toEqual([
      'origin; fwd=miss',
      'rekindle; fwd=stale; detail=stale-if-error; ttl=0',
    ]);
  });

  test('headers of one connection are not kept', () => {
    const it = withStale();
    const headers = {
      connection: 'x-hop, close',
      'x-hop': '1',
      'keep-alive': 'timeout=5',
      'transfer-encoding': 'chunked',
      'x-kept': 'yes',
    };
    get(it, {}, { headers, body: 'copy' });
    const { client } = it.bad('/catalog/1');
    expect(client.headers!.pairs.map(([name]) => name).sort()).toEqual([
      ':status',
      'age',
      'cache-status',
      'content-length',
      'rekindle',
      'x-kept',
    ]);
  });

  test('HEAD is served from the copy of GET, without the body', () => {
    const it = withStale();
    get(it, {}, { body: 'copy' });
    it.trip('/catalog/2');
    const { client } = it.proxy.request({ path: '/catalog/1', method: 'HEAD' });
    expect(client).toMatchObject({ status: 200, body: '' });
    expect(client.header('content-length')).toBe('4');
  });

  test('bytes of any value survive', () => {
    const it = withStale();
    const bytes = Uint8Array.from({ length: 512 }, (_, i) => i & 0xff);
    get(it, {}, { body: bytes });
    expect([...it.bad('/catalog/1').client.bytes]).toEqual([...bytes]);
  });

  test('it is no outcome for the breaker, and counted', () => {
    const it = withStale();
    get(it, {}, { body: 'copy' });
    it.bad('/catalog/1');
    it.advance(100);
    expect(it.metric('degraded_total', { rung: 'stale', reason: 'failure' })).toBe(1);
    expect(it.metric('requests_total', { outcome: 'failure' })).toBe(1);
  });
});

describe('for how long', () => {
  const rows = [
    { name: 'as long as the policy says after it went stale', control: 'max-age=10', rung: { maxStaleMs: 20_000 }, until: 30_000 },
    { name: 'as long as stale-if-error says', control: 'max-age=10, stale-if-error=5', rung: { maxStaleMs: 60_000 }, until: 15_000 },
    { name: 'not stale at all with must-revalidate', control: 'max-age=10, must-revalidate', rung: { maxStaleMs: 60_000 }, until: 10_000 },
  ];
  test.for(rows)('$name', ({ control, rung, until }) => {
    const it = withStale(rung);
    get(it, {}, { headers: { 'cache-control': control }, body: 'copy' });
    it.advance(until - 100);
    expect(copyServed(it)).toBe('copy');
    it.advance(200);
    expect(copyServed(it)).toBeNull();
  });

  test('a step of the wall clock changes nothing', () => {
    const it = withStale({ maxStaleMs: 60_000 });
    get(it, {}, { headers: { 'cache-control': 'max-age=10' }, body: 'copy' });
    it.proxy.clock.stepWall(86_400_000);
    expect(copyServed(it)).toBe('copy');
  });
});

describe('renewal', () => {
  test('happens once per key and interval, over all workers', () => {
    const it = withStale({ refreshMs: 1000 });
    const writes = () => it.proxy.workers.reduce((sum, { vm }) => sum + vm.counts.of('proxy_set_shared_data'), 0);
    for (let i = 0; i < 3; i++) get(it, { worker: i % 2 }, { body: `copy ${i}` });
    expect(copyServed(it)).toBe('copy 0');
    it.advance(1001);
    const before = writes();
    get(it, { worker: 1 }, { body: 'new copy' });
    // The claim, the copy, and what is known of it.
    expect(writes() - before).toBe(3);
    get(it, { worker: 0 }, { body: 'ignored' });
    expect(copyServed(it)).toBe('new copy');
  });

  test('two answers at once: one copy is taken', () => {
    const it = withStale();
    const streams = [0, 0, 0].map((worker) => it.proxy.request({ path: '/catalog/1', worker }));
    for (const stream of streams) stream.upstream!.sendHeaders({ ':status': '200' }, false);
    const reads = it.proxy.workers[0]!.vm.counts.of('proxy_get_buffer_bytes');
    for (const [i, stream] of streams.entries()) stream.upstream!.sendData(`copy ${i}`, true);
    expect(it.proxy.workers[0]!.vm.counts.of('proxy_get_buffer_bytes') - reads).toBe(1);
    expect(copyServed(it)).toBe('copy 0');
  });
});

test('the cache is bounded: the oldest copies of a set give way, the bytes held stop growing', () => {
  const it = withStale({}, { configuration: { cache: { entries: 8, maxBodyBytes: 1024 } } });
  const fill = (from: number) => {
    for (let i = from; i < from + 200; i++) it.send({ path: `/catalog/${i}` }, { body: 'x'.repeat(1024) });
    return it.proxy.shared.bytesHeld(it.proxy.vmId);
  };
  const held = fill(0);
  expect(fill(200)).toBeLessThan(held * 1.05);
  expect(held).toBeLessThan(8 * 2048 + 20_000);
  expect(degraded(it.bad('/catalog/399'))?.rung).toBe('stale');
  expect(degraded(it.bad('/catalog/1'))).toBeNull();
});
