import { afterEach, describe, expect, test } from 'vitest';
import type { RequestInit } from '../host/proxy.ts';
import type { UpstreamAnswer, UpstreamRequest } from '../host/upstream.ts';
import { expectClean, feature, type Json, QUICK, type Scene, scene } from './scene.ts';

afterEach(expectClean);

const CALL: RequestInit = { path: '/catalog', method: 'POST', headers: { 'content-type': 'application/grpc' }, body: 'ask' };
const catalog = (more: Json = {}): Scene =>
  scene({ features: [feature('catalog', { breaker: { ...QUICK, minimumRequests: 1000 }, ...more })] });
const GRPC = { protocol: 'grpc' };

/** Counted outcomes after one request for each of the endings. */
function outcomes(it: Scene): Record<string, number> {
  it.advance(100);
  const count = (outcome: string) => it.metric('requests_total', { feature: 'catalog', outcome });
  return { success: count('success'), failure: count('failure'), ignored: count('ignored') };
}

const only = (outcome: string) => ({ success: 0, failure: 0, ignored: 0, [outcome]: 1 });

describe('a gRPC answer', () => {
  const rows: readonly { name: string; answer: UpstreamAnswer; is: string; failure?: Json }[] = [
    { name: 'OK in the trailers', answer: { body: 'x', trailers: { 'grpc-status': '0' } }, is: 'success' },
    { name: 'UNAVAILABLE in the trailers', answer: { body: 'x', trailers: { 'grpc-status': '14' } }, is: 'failure' },
    { name: 'UNAVAILABLE in headers that end the stream', answer: { headers: { 'grpc-status': '14' } }, is: 'failure' },
    { name: 'OK in headers that end the stream', answer: { headers: { 'grpc-status': '0' } }, is: 'success' },
    { name: "NOT_FOUND is the caller's fault", answer: { body: 'x', trailers: { 'grpc-status': '5' } }, is: 'success' },
    { name: 'NOT_FOUND in the headers', answer: { headers: { 'grpc-status': '5' } }, is: 'success' },
    {
      name: 'RESOURCE_EXHAUSTED when the policy names it',
      answer: { body: 'x', trailers: { 'grpc-status': '8' } },
      is: 'failure',
      failure: { grpcStatuses: [8] },
    },
    {
      name: 'UNAVAILABLE when the policy leaves it out',
      answer: { body: 'x', trailers: { 'grpc-status': '14' } },
      is: 'success',
      failure: { grpcStatuses: [8] },
    },
    { name: 'an end without a status', answer: { body: 'x' }, is: 'failure' },
    { name: 'headers that end the stream without a status', answer: {}, is: 'failure' },
    { name: 'trailers without a status', answer: { body: 'x', trailers: { other: '1' } }, is: 'failure' },
    { name: 'a status that is no number', answer: { body: 'x', trailers: { 'grpc-status': 'fine' } }, is: 'failure' },
    { name: 'HTTP 503 of a proxy on the way', answer: { status: 503, body: 'x' }, is: 'failure' },
    { name: 'HTTP 404 of a proxy on the way', answer: { status: 404, body: 'x' }, is: 'success' },
  ];
  test.for(rows)('$name: $is', ({ answer, is, failure = {} }) => {
    const it = catalog({ ...GRPC, failure });
    it.send(CALL, answer);
    expect(outcomes(it)).toEqual(only(is));
  });

  test.for<{ kind: 'connect' | 'timeout' | 'overflow' | 'fault'; is: string }>([
    { kind: 'connect', is: 'failure' },
    { kind: 'timeout', is: 'failure' },
    { kind: 'overflow', is: 'ignored' },
    { kind: 'fault', is: 'ignored' },
  ])("Envoy's own $kind, told as HTTP 200 with a gRPC status: $is", ({ kind, is }) => {
    const it = catalog(GRPC);
    const stream = it.send(CALL, (upstream) => upstream.fail(kind));
    expect(stream.client.header('grpc-status')).not.toBeUndefined();
    expect(outcomes(it)).toEqual(only(is));
  });

  test('is told once, at its end, and trips by it', () => {
    const it = scene({ features: [feature('catalog', { ...GRPC, breaker: QUICK })] });
    const calls = Array.from({ length: 4 }, () => it.proxy.request(CALL));
    for (const { upstream } of calls) upstream!.sendHeaders({ ':status': '200' }, false);
    expect(it.proxy.request(CALL).upstream, 'headers alone say nothing').not.toBeNull();
    for (const { upstream } of calls) upstream!.sendTrailers({ 'grpc-status': '14' });
    expect(it.proxy.request(CALL).upstream).toBeNull();
    expect(it.metric('requests_total', { outcome: 'success' })).toBe(0);
  });

  test('that its client leaves is neither success nor failure', () => {
    const it = catalog(GRPC);
    const stream = it.proxy.request(CALL);
    stream.upstream!.sendHeaders({ ':status': '200' }, false);
    stream.cancel();
    expect(outcomes(it)).toEqual(only('ignored'));
  });

  test('that is cut in its body is a failure', () => {
    const it = catalog(GRPC);
    const stream = it.proxy.request(CALL);
    stream.upstream!.sendHeaders({ ':status': '200' }, false);
    stream.upstream!.breakOff();
    expect(outcomes(it)).toEqual(only('failure'));
  });

  test('of a feature that does not say what it speaks counts where it has a status', () => {
    const it = catalog();
    it.send(CALL, { headers: { 'grpc-status': '14' } });
    it.send(CALL, { body: 'x', trailers: { 'grpc-status': '13' } });
    it.send(CALL, { body: 'x' });
    expect(outcomes(it)).toEqual({ success: 1, failure: 2, ignored: 0 });
  });
});

describe('slow judging', () => {
  const slowly = (it: Scene, request: RequestInit, answer: (upstream: UpstreamRequest) => void): void => {
    for (let i = 0; i < 4; i++) {
      const stream = it.proxy.request(request);
      it.advance(500);
      if (stream.upstream !== null) answer(stream.upstream);
    }
  };
  const isOpen = (it: Scene, request: RequestInit): boolean => it.proxy.request(request).upstream === null;
  const failure = { slowMs: 100 };
  const ok = (upstream: UpstreamRequest): void => upstream.answer({ body: 'x', trailers: { 'grpc-status': '0' } });

  test.for([
    { slowStreams: false, trips: false },
    { slowStreams: true, trips: true },
  ])('of gRPC with slowStreams $slowStreams trips: $trips', ({ slowStreams, trips }) => {
    const it = scene({ features: [feature('catalog', { ...GRPC, failure: { ...failure, slowStreams } })] });
    slowly(it, CALL, ok);
    expect(isOpen(it, CALL)).toBe(trips);
  });

  const UPGRADE: RequestInit = { path: '/catalog', headers: { connection: 'upgrade', upgrade: 'websocket' }, open: true };
  test.for([
    { slowStreams: false, trips: false },
    { slowStreams: true, trips: true },
  ])('of upgrades with slowStreams $slowStreams trips: $trips', ({ slowStreams, trips }) => {
    const it = scene({ features: [feature('catalog', { failure: { ...failure, slowStreams } })] });
    slowly(it, UPGRADE, (upstream) => upstream.sendHeaders({ ':status': '101', upgrade: 'websocket' }, false));
    expect(isOpen(it, UPGRADE)).toBe(trips);
  });

  test('an upgrade whose client ends its side first is not timed from there', () => {
    const it = scene({ features: [feature('catalog', { failure })] });
    for (let i = 0; i < 4; i++) it.proxy.request(UPGRADE).sendBody('bye');
    it.advance(1000);
    expect(isOpen(it, UPGRADE)).toBe(false);
  });
});
