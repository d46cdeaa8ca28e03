import { afterEach, expect, test } from 'vitest';
import { degraded, expectClean, feature, QUICK, scene } from './scene.ts';
import { get, withStale } from './stale-scene.ts';

afterEach(expectClean);

test('refusals of two features in turn: each copy is told with its own marker, age and freshness', () => {
  const settings = { fallback: [{ stale: {} }], breaker: { ...QUICK, openMs: 8000 } };
  const it = scene({ features: [feature('catalog', settings), feature('cart', settings)] });
  it.advance(200);
  it.send({ path: '/catalog/1' }, { headers: { 'cache-control': 'max-age=60' }, body: 'a catalog' });
  it.advance(3000);
  it.send({ path: '/cart/1' }, { headers: { 'cache-control': 'max-age=30' }, body: 'a cart' });
  it.trip('/catalog/2');
  it.trip('/cart/2');
  it.tick();
  const told = (path: string) => {
    const stream = it.proxy.request({ path });
    const { client } = stream;
    return [degraded(stream)?.feature, client.body, client.header('age'), client.header('cache-status'), stream.info.codeDetails];
  };
  const rows = (seconds: number) => [
    ['catalog', 'a catalog', String(3 + seconds), `rekindle; hit; ttl=${56 - seconds}`, 'rekindle{feature=catalog,reason=open,rung=stale}'],
    ['cart', 'a cart', String(seconds), `rekindle; hit; ttl=${29 - seconds}`, 'rekindle{feature=cart,reason=open,rung=stale}'],
  ];
  const round = () => ['/catalog/1', '/cart/1'].map(told);
  expect([round(), round()]).toEqual([rows(0), rows(0)]);
  it.advance(1000);
  expect([round(), round()]).toEqual([rows(1), rows(1)]);
});

test('a copy that waits for the data it replaces is not overwritten by the next one that is read', () => {
  const it = withStale();
  get(it, { path: '/catalog/1' }, { body: 'first' });
  get(it, { path: '/catalog/2' }, { body: 'other' });
  const [first, second] = ['/catalog/1', '/catalog/2'].map((path) => it.proxy.request({ path, worker: 0 }));
  first!.upstream!.sendHeaders({ ':status': '500' }, false);
  second!.upstream!.sendHeaders({ ':status': '500' }, false);
  first!.upstream!.sendData('broken', true);
  second!.upstream!.sendData('broken', true);
  expect([first!.client.body, second!.client.body]).toEqual(['first', 'other']);
});

test('a copy that comes before any worker has ticked is found afterwards, by each worker', () => {
  const it = scene({ features: [feature('catalog', { fallback: [{ stale: {} }] })] });
  it.send({ path: '/catalog/1', worker: 0 }, { body: 'early' });
  it.advance(200);
  it.trip('/catalog/2');
  it.tick();
  expect([0, 1].map((worker) => it.proxy.request({ path: '/catalog/1', worker }).client.body)).toEqual(['early', 'early']);
});
