import { afterEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { RequestInit } from '../filter/host/proxy.ts';
import type { Route } from '../filter/host/router.ts';
import { degraded, expectClean, type Json, type Scene, scene } from '../filter/stream/scene.ts';
import { namedFile, readPage } from './markdown.ts';

afterEach(expectClean);

interface Play {
  /** What a failed answer is: of HTTP, or of gRPC. */
  readonly fails: Parameters<Scene['send']>[1];
  readonly request: RequestInit;
  readonly clusters: Json;
}

const grpc = (path: string): RequestInit => ({
  method: 'POST',
  path,
  headers: { 'content-type': 'application/grpc', te: 'trailers' },
  body: 'ask',
});

/** The recipe's proxy after its upstream failed until the breaker tripped; the first two recipes run on a real Envoy, as their page says. */
function tripped(file: string, { fails, request, clusters }: Play): Scene {
  const block = readPage('docs/recipes.md').blocks.find((each) => namedFile(each) === file)!;
  const { service: _, features, ...more } = parse(block.text) as { service: string; features: Json[] };
  const routes: Route[] = [
    { name: 'replica', cluster: 'inventory-replica', header: { name: 'x-rekindle-fallback', value: 'inventory-replica' } },
    { name: 'default', cluster: 'upstream' },
  ];
  const it = scene({ features, policy: more, configuration: clusters, routes });
  it.advance(200);
  for (let i = 0; i < 40; i++) it.send(request, fails);
  return it;
}

describe('the gRPC service', () => {
  const clusters = { fallbackClusters: ['inventory-replica'] };
  const unavailable = { headers: { 'grpc-status': '14' } };

  test('trips on UNAVAILABLE; what is refused goes to the replica', () => {
    const request = grpc('/shop.inventory.v1.Stock/Get');
    const it = tripped('inventory.yaml', { fails: unavailable, request, clusters });
    expect(it.send(request).upstream?.cluster).toBe('inventory-replica');
  });

  test('a feature without a rung is refused with status 14', () => {
    const request = grpc('/shop.inventory.v1.Reports/Run');
    const it = tripped('inventory.yaml', { fails: unavailable, request, clusters });
    const { upstream, client } = it.send(request);
    expect(upstream).toBeNull();
    expect(client.header('grpc-status')).toBe('14');
  });
});

describe('the third party', () => {
  const clusters = { probeClusters: ['payments-vendor'] };
  const authority = 'api.payments.example';

  test('429 trips; a charge is refused at once, with retry-after', () => {
    const request = { method: 'POST', path: '/v1/charges', authority, body: '{}' };
    const it = tripped('payments.yaml', { fails: { status: 429, headers: { 'content-length': '2' }, body: 'no' }, request, clusters });
    const { upstream, client } = it.send(request);
    expect(upstream).toBeNull();
    expect(client.status).toBe(503);
    expect(client.header('retry-after')).toBeDefined();
  });

  test('rates are served from a copy; another host is left alone', () => {
    const request = { path: '/v1/rates', authority };
    const it = tripped('payments.yaml', {
      fails: { status: 200, headers: { 'content-length': '2', 'cache-control': 'max-age=60' }, body: '{}' },
      request,
      clusters,
    });
    const stream = it.send(request, { status: 502, headers: { 'content-length': '3' }, body: 'bad' });
    expect(degraded(stream)).toMatchObject({ feature: 'rates', rung: 'stale' });
    expect(it.send({ ...request, authority: 'other.example' }, { status: 502 }).client.status).toBe(502);
  });
});
