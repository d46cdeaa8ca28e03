import { afterEach, describe, expect, test } from 'vitest';
import type { RequestInit } from '../host/proxy.ts';
import type { UpstreamRequest } from '../host/upstream.ts';
import { expectClean, feature, type Json, QUICK, type Scene, scene, TICK_MS } from './scene.ts';

afterEach(expectClean);

const with_ = (breaker: Json, more: Json = {}): Scene =>
  scene({ features: [feature('catalog', { breaker: { ...QUICK, ...breaker }, ...more })] });
const isOpen = (it: Scene, request: RequestInit = {}): boolean => it.proxy.request({ path: '/catalog', ...request }).upstream === null;

describe('the breaker trips', () => {
  test('when the failure rate reaches its threshold, not before', () => {
    const it = with_({ minimumRequests: 10, failureRatePercent: 30 });
    for (let i = 0; i < 8; i++) it.good('/catalog');
    for (let i = 0; i < 3; i++) it.bad('/catalog');
    expect(isOpen(it), '3 of 11').toBe(false);
    it.bad('/catalog');
    expect(isOpen(it), '4 of 12').toBe(true);
  });

  test('not below the minimum of requests', () => {
    const it = with_({ minimumRequests: 6 });
    for (let i = 0; i < 5; i++) it.bad('/catalog');
    expect(isOpen(it)).toBe(false);
  });

  test('on failures in a row, whatever the rate', () => {
    const it = with_({ minimumRequests: 1000, consecutiveFailures: 5 });
    for (let i = 0; i < 50; i++) it.good('/catalog');
    for (let i = 0; i < 4; i++) it.bad('/catalog');
    it.good('/catalog');
    for (let i = 0; i < 4; i++) it.bad('/catalog');
    expect(isOpen(it)).toBe(false);
    it.bad('/catalog');
    expect(isOpen(it)).toBe(true);
  });

  test('not on failures that have left the window', () => {
    const it = with_({ windowMs: 2000, buckets: 4 });
    for (let i = 0; i < 3; i++) it.bad('/catalog');
    it.advance(2500);
    it.bad('/catalog');
    expect(isOpen(it)).toBe(false);
  });

  test('on slow answers that succeed', () => {
    const it = with_({ slowRatePercent: 50 }, { failure: { slowMs: 100 } });
    const slowly = (ms: number) => {
      const stream = it.proxy.request({ path: '/catalog' });
      it.advance(ms);
      stream.upstream?.answer({ status: 200 });
    };
    for (let i = 0; i < 4; i++) slowly(100);
    expect(isOpen(it), 'not slower than the threshold').toBe(false);
    for (let i = 0; i < 6; i++) slowly(101);
    expect(isOpen(it)).toBe(true);
  });

  test('on a hanging upstream, without waiting for its end', () => {
    const it = with_({}, { failure: { slowMs: 1000 } });
    for (let i = 0; i < 4; i++) it.proxy.request({ path: '/catalog' });
    it.advance(1000);
    expect(isOpen(it)).toBe(false);
    it.advance(2 * TICK_MS);
    expect(isOpen(it)).toBe(true);
  });

  test('a slow uploader is not a slow upstream', () => {
    const it = with_({}, { failure: { slowMs: 1000 } });
    for (let i = 0; i < 6; i++) {
      const stream = it.proxy.request({ path: '/catalog', method: 'POST', open: true });
      it.advance(3000);
      stream.sendBody('late');
      stream.upstream!.answer({ status: 200 });
    }
    expect(isOpen(it)).toBe(false);
  });
});

describe('what counts as a failure', () => {
  const rows: readonly { name: string; end: (upstream: UpstreamRequest, cancel: () => void) => void; counts: boolean; failure?: Json }[] = [
    { name: 'status 500', end: (upstream) => upstream.answer({ status: 500 }), counts: true },
    { name: 'status 599', end: (upstream) => upstream.answer({ status: 599 }), counts: true },
    { name: 'status 404', end: (upstream) => upstream.answer({ status: 404 }), counts: false },
    {
      name: 'a status that the policy names',
      end: (upstream) => upstream.answer({ status: 429 }),
      counts: true,
      failure: { statuses: [{ from: 429, to: 429 }] },
    },
    {
      name: 'a 500 that the policy leaves out',
      end: (upstream) => upstream.answer({ status: 500 }),
      counts: false,
      failure: { statuses: [{ from: 503, to: 504 }] },
    },
    { name: 'a refused connection', end: (upstream) => upstream.fail('connect'), counts: true },
    {
      name: 'a refused connection, whatever the statuses say',
      end: (upstream) => upstream.fail('connect'),
      counts: true,
      failure: { statuses: [] },
    },
    { name: 'a reset', end: (upstream) => upstream.fail('reset'), counts: true },
    { name: 'a time-out', end: (upstream) => upstream.fail('timeout'), counts: true },
    { name: 'no healthy host', end: (upstream) => upstream.fail('no-host'), counts: true },
    { name: "Envoy's own concurrency cap", end: (upstream) => upstream.fail('overflow'), counts: false },
    { name: 'an injected fault', end: (upstream) => upstream.fail('fault'), counts: false },
    { name: "the client's own cancellation", end: (_upstream, cancel) => cancel(), counts: false },
    {
      name: 'an answer that breaks off in its body',
      end: (upstream) => {
        upstream.sendHeaders({ ':status': '200' }, false);
        upstream.sendData('half', false);
        upstream.breakOff();
      },
      counts: true,
    },
    {
      name: 'an answer that times out in its body',
      end: (upstream) => {
        upstream.sendHeaders({ ':status': '200' }, false);
        upstream.breakOff('timeout');
      },
      counts: true,
    },
    {
      name: 'an answer that its client leaves in mid-body',
      end: (upstream, cancel) => {
        upstream.sendHeaders({ ':status': '200' }, false);
        cancel();
      },
      counts: false,
    },
    {
      name: 'an answer that another Rekindle degraded',
      end: (upstream) => upstream.answer({ status: 503, headers: { rekindle: 'degraded; feature="x"' } }),
      counts: false,
    },
  ];
  test.for(rows)('$name: $counts', ({ end, counts, failure = {} }) => {
    const it = with_({ failureRatePercent: 34 }, { failure });
    for (let i = 0; i < 8; i++) {
      const stream = it.proxy.request({ path: '/catalog' });
      if (stream.upstream !== null) end(stream.upstream, () => stream.cancel());
    }
    expect(isOpen(it)).toBe(counts);
  });

  test('the outcome of each request is counted once', () => {
    const it = with_({ minimumRequests: 1000 });
    it.good('/catalog');
    it.bad('/catalog');
    it.proxy.request({ path: '/catalog' }).cancel();
    const broken = it.proxy.request({ path: '/catalog' });
    broken.upstream!.sendHeaders({ ':status': '200' }, false);
    broken.upstream!.breakOff();
    it.advance(100);
    const count = (outcome: string) => it.metric('requests_total', { feature: 'catalog', outcome });
    expect({ success: count('success'), failure: count('failure'), ignored: count('ignored') }).toEqual({
      success: 1,
      failure: 2,
      ignored: 1,
    });
  });
});

describe('all workers act as one', () => {
  test.for([2, 4])('of %i workers each obeys a trip of the first within one tick', (workers) => {
    const it = scene({ workers });
    it.advance(333);
    it.trip('/catalog', 0);
    expect(isOpen(it, { worker: 0 })).toBe(true);
    it.advance(TICK_MS);
    for (let worker = 0; worker < workers; worker++) expect(isOpen(it, { worker }), `worker ${worker}`).toBe(true);
  });

  test('little traffic spread over many workers trips on the sum of the proxy', () => {
    const it = scene({ workers: 4, features: [feature('catalog', { breaker: { ...QUICK, minimumRequests: 8 } })] });
    it.advance(200);
    for (let worker = 0; worker < 4; worker++) for (let i = 0; i < 2; i++) it.bad('/catalog', { worker });
    it.advance(400);
    for (let worker = 0; worker < 4; worker++) expect(isOpen(it, { worker }), `worker ${worker}`).toBe(true);
  });

  test('the last of 512 features stays OPEN on every worker for its time, and an idle tick stays cheap', () => {
    const features = Array.from({ length: 512 }, (_, i) => feature(`f${i}`, { breaker: { ...QUICK, openMs: 5000 } }));
    const it = scene({ connected: true, policy: null });
    it.fleet.publish('shop', { policy: { service: 'shop', features } });
    it.advance(2000);
    it.trip('/f511', 0);
    for (let ms = 200; ms < 4900; ms += 200) {
      it.advance(200);
      for (const worker of [0, 1]) expect(isOpen(it, { path: '/f511', worker }), `worker ${worker} after ${ms} ms`).toBe(true);
    }
    it.advance(3000);
    const { counts } = it.proxy.workers[1]!.vm;
    counts.reset();
    it.advance(1000);
    expect(counts.of('proxy_get_shared_data'), 'gets in 20 ticks').toBeLessThan(20 * 10);
    expect(counts.of('proxy_set_shared_data'), 'sets in 20 ticks').toBeLessThan(20);
  });

  test('features do not touch each other', () => {
    const it = scene({ features: [feature('catalog'), feature('cart')] });
    it.trip('/catalog');
    it.tick();
    expect(it.good('/cart').client.status).toBe(200);
    expect(isOpen(it)).toBe(true);
  });

  test('a worker that is born later obeys from its first request', () => {
    const it = scene({ workers: 2 });
    it.mayTrap = true;
    it.advance(200);
    it.trip('/catalog', 0);
    it.proxy.trapWhen = (vm) => vm === it.proxy.workers[1]!.vm;
    it.proxy.request({ path: '/catalog', worker: 1 });
    it.proxy.trapWhen = null;
    const stream = it.proxy.request({ path: '/catalog', worker: 1 });
    expect(it.proxy.workers[1]!.reloads).toBe(1);
    expect(stream.upstream).toBeNull();
  });
});

test('a refused request without a fallback gets 503 with retry-after', () => {
  const it = scene();
  it.trip('/catalog');
  const { client, info } = it.proxy.request({ path: '/catalog' });
  expect(client).toMatchObject({ status: 503, body: '', ended: true });
  expect(client.header('retry-after')).toBe('1');
  expect(info.codeDetails).toBe('rekindle{feature=catalog,reason=open,rung=none}');
});

test('transitions and refusals are counted, the phase is shown', () => {
  const it = scene();
  it.trip('/catalog');
  it.proxy.request({ path: '/catalog' });
  it.advance(200);
  expect(it.metric('transitions_total', { feature: 'catalog', to: 'OPEN' })).toBe(1);
  expect(it.metric('requests_total', { feature: 'catalog', outcome: 'refused' })).toBe(1);
  expect(it.metric('breaker_phase', { feature: 'catalog', phase: 'OPEN' })).toBe(1);
  expect(it.metric('breaker_phase', { feature: 'catalog', phase: 'CLOSED' })).toBe(0);
  expect(it.metric('degraded_total', { feature: 'catalog', rung: 'none', reason: 'open' })).toBe(1);
});
