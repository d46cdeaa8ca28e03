import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import type { EnvoyProcess } from '../../../envoy/demo/envoy-process.ts';
import { waitFor } from '../../../envoy/demo/wait.ts';
import { always, feature, openChainStage, openUpstream, PATIENT } from './stage.ts';

const BROKEN = always(500, 'broken');
const MODIFIED = 'Sun, 06 Nov 1994 08:49:37 GMT';

/** The shop, a spare cluster that a route leads to, and one that only call-outs reach. */
async function open(features: readonly object[]) {
  const shop = await openUpstream('shop', BROKEN);
  const spare = await openUpstream('spare', always(200, 'from spare', { age: '7' }));
  const stage = await openChainStage({
    listeners: [
      {
        name: 'edge',
        features,
        plugin: { fallbackClusters: ['spare', 'unrouted'] },
        routes: [
          {
            match: { prefix: '/', headers: [{ name: 'x-rekindle-fallback', string_match: { exact: 'spare' } }] },
            route: { cluster: 'spare' },
          },
          { match: { prefix: '/' }, route: { cluster: 'shop' } },
        ],
      },
    ],
    clusters: [shop.cluster, spare.cluster, { ...spare.cluster, name: 'unrouted', load_assignment: assignment(spare.cluster, 'unrouted') }],
  });
  return { ...stage, shop, spare };
}

function assignment(cluster: object, name: string): object {
  return { ...(cluster as { load_assignment: object }).load_assignment, cluster_name: name };
}

test('a degraded answer says what it is, in its headers and in the access log, however it was given', async () => {
  const later = { static: { status: 200, body: 'later' } };
  const it = await open([
    feature('page', { fallback: [later] }),
    feature('copy', { fallback: [{ stale: {} }] }),
    feature('elsewhere', { fallback: [{ cluster: { name: 'spare' } }] }),
    feature('called', { breaker: PATIENT, fallback: [{ cluster: { name: 'unrouted' } }] }),
    feature('bare'),
  ]);
  it.shop.answer = always(200, 'fresh', { 'cache-control': 'max-age=0', 'cache-status': 'cdn; hit' });
  await it.ask('/copy');
  it.shop.answer = BROKEN;
  for (const path of ['/page', '/copy', '/elsewhere', '/bare']) {
    await it.ask(path);
    await it.ask(path);
  }
  const called = await it.ask('/called');
  expect(called).toMatchObject({ status: 200, body: 'from spare', headers: { age: '7' } });

  const marker = (name: string, reason: string, rung: string) => `degraded; feature="${name}"; reason=${reason}; rung=${rung}`;
  const details = (name: string, reason: string, rung: string) => `rekindle{feature=${name},reason=${reason},rung=${rung}}`;
  expect(await it.logged('/page', 2)).toMatchObject([
    { code: 200, details: 'via_upstream', rekindle: marker('page', 'failure', 'static') },
    { code: 200, details: details('page', 'open', 'static'), rekindle: marker('page', 'open', 'static') },
  ]);
  expect(await it.logged('/copy', 3)).toMatchObject([
    { code: 200, details: 'via_upstream', rekindle: null },
    { code: 200, details: 'via_upstream', rekindle: marker('copy', 'failure', 'stale') },
    { code: 200, details: details('copy', 'open', 'stale'), rekindle: marker('copy', 'open', 'stale') },
  ]);
  expect(await it.logged('/elsewhere', 2)).toMatchObject([
    { code: 200, rekindle: marker('elsewhere', 'failure', 'cluster') },
    { code: 200, details: 'via_upstream', rekindle: marker('elsewhere', 'open', 'cluster') },
  ]);
  expect(await it.logged('/called', 1)).toMatchObject([{ code: 200, details: details('called', 'failure', 'cluster') }]);
  expect(await it.logged('/bare', 2)).toMatchObject([
    { code: 500, details: 'via_upstream', rekindle: null },
    { code: 503, details: details('bare', 'open', 'none'), rekindle: 'refused; feature="bare"; reason=open' },
  ]);
  const refused = await it.ask('/bare');
  expect(refused.headers).toMatchObject({ 'retry-after': '30', 'x-envoy-ratelimited': 'true' });
  const copy = await it.ask('/copy');
  expect(copy.headers['cache-status']).toMatch(/^cdn; hit, rekindle; hit; ttl=-?\d+$/);
  expect(copy.headers['age']).toMatch(/^\d+$/);
});

test('HEAD, conditional requests and ranges get from a copy what HTTP says, on one connection', async () => {
  const it = await open([feature('copy', { fallback: [{ stale: {} }] }), feature('empty', { fallback: [{ static: { status: 204 } }] })]);
  it.shop.answer = always(200, 'fresh', { etag: '"7"', 'last-modified': MODIFIED, 'content-type': 'text/css' });
  await it.ask('/copy');
  it.shop.answer = BROKEN;
  for (const phase of ['failed', 'refused']) {
    const ask = (headers: Record<string, string>, method = 'GET') => it.ask('/copy', { method, headers });
    expect(await ask({ 'if-none-match': '"7"' }), phase).toMatchObject({ status: 304, body: '', headers: { etag: '"7"' } });
    expect(await ask({ 'if-modified-since': MODIFIED }), phase).toMatchObject({ status: 304, body: '' });
    expect(await ask({ 'if-none-match': '"8"' }), phase).toMatchObject({ status: 200, body: 'fresh' });
    expect(await ask({ range: 'bytes=0-1' }), phase).toMatchObject({ status: 200, body: 'fresh' });
    expect(await ask({}, 'HEAD'), phase).toMatchObject({ status: 200, body: '', headers: { 'content-length': '5' } });
    // A 204 in place of an answer with a body: what follows on the connection must be read as it was meant.
    expect(await it.ask('/empty'), phase).toMatchObject({ status: 204, body: '' });
  }
});

test('representations are chosen by accept; a failure that ends in trailers is replaced whole when it announces them', async () => {
  const representations = [
    { contentType: 'text/html', body: '<p>later</p>' },
    { contentType: 'application/json', body: '{}' },
  ];
  const it = await open([feature('page', { fallback: [{ static: { status: 200, representations } }] })]);
  it.shop.answer = (_, response) => {
    response.writeHead(500, { trailer: 'x-sum' });
    response.addTrailers({ 'x-sum': '1' });
    response.end();
  };
  for (const phase of ['failed', 'refused']) {
    const page = await it.ask('/page', { headers: { accept: 'text/html, */*;q=0.1' } });
    expect(page, phase).toMatchObject({ status: 200, body: '<p>later</p>', headers: { vary: 'accept', 'content-type': 'text/html' } });
    const json = await it.ask('/page', { headers: { accept: 'application/json' } });
    expect(json, phase).toMatchObject({ status: 200, body: '{}', headers: { 'content-type': 'application/json' } });
  }
});

test('equal requests that wait share a call-out; held ones go on after a failed one; nobody waits longer than the chain', async () => {
  const chain = [{ cluster: { name: 'unrouted', timeoutMs: 60_000 } }];
  const it = await open([
    feature('held', { breaker: PATIENT, fallback: chain }),
    feature('late', { breaker: PATIENT, fallback: chain, fallbackTimeoutMs: 300 }),
    feature('refused', { fallback: [...chain, { static: { status: 200, body: 'later' } }] }),
  ]);
  const many = (path: string) => Promise.all(Array.from({ length: 6 }, () => fetch(`http://127.0.0.1:${it.ports['edge']}${path}`)));
  const waiting: ServerResponse[] = [];
  it.spare.answer = (_, response) => waiting.push(response);
  const held = many('/held');
  await waitFor('six failures', async () => (await failures(it.envoy)) === 6 || null, 5000);
  for (const response of waiting) response.end('from spare');
  expect(await bodies(held)).toEqual(Array(6).fill('from spare'));
  expect(it.spare.arrived).toEqual(['/held']);

  it.spare.answer = () => undefined;
  expect(await bodies(many('/late'))).toEqual(Array(6).fill('broken'));

  // The first is refused by marking; the mark leads nowhere, so the others are held as requests, and told by a call-out that fails.
  it.spare.answer = always(503, 'spare is down');
  await it.ask('/refused');
  await it.ask('/refused');
  expect(await bodies(many('/refused'))).toEqual(Array(6).fill('later'));
  expect(await it.ask('/held'), 'the worker serves on').toMatchObject({ status: 500, body: 'broken' });
});

const bodies = async (answers: Promise<Response[]>) => Promise.all((await answers).map((answer) => answer.text()));

/** Answers of 500 that Envoy has had from the shop. */
async function failures(envoy: EnvoyProcess): Promise<number> {
  const stats = await fetch(`http://127.0.0.1:${envoy.adminPort}/stats?filter=^cluster.shop.upstream_rq_500$`);
  return Number((await stats.text()).split(': ')[1]);
}
