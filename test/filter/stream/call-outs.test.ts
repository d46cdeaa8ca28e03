import { afterEach, describe, expect, test } from 'vitest';
import { ROUTES, SORRY, TO_SPARE, withCluster } from './cluster-scene.ts';
import { degraded, expectClean, feature, type Json } from './scene.ts';

afterEach(expectClean);

const PATIENT: Json = { minimumRequests: 1000, consecutiveFailures: 0 };

/** A feature that never trips, so that each failed answer waits for a call-out; `catalog/<anything>` is its own request. */
const patient = (more: Json = {}, chain: readonly Json[] = [TO_SPARE]) =>
  withCluster(chain, { features: [feature('catalog', { breaker: PATIENT, fallback: chain, ...more })] });

/** The same, but each request is refused and told again by call-out, since the route to the cluster is missing. */
function refusing(chain: readonly Json[] = [TO_SPARE, SORRY], more: Json = {}) {
  const it = withCluster(chain, { features: [feature('catalog', { fallback: chain, ...more })], routes: ROUTES.slice(1) });
  it.trip('/catalog');
  // Found out that the route is missing; the breaker is open by now.
  it.good('/catalog/route');
  it.calls.length = 0;
  return it;
}

describe('single flight', () => {
  test('equal requests that wait share one call-out, and each gets its answer', () => {
    const it = patient();
    const held = Array.from({ length: 5 }, () => it.bad('/catalog/1'));
    expect(it.calls).toHaveLength(1);
    it.calls[0]!.respond({ status: 200, headers: { 'x-from': 'spare' }, body: 'other' });
    it.advance(1);
    for (const stream of held) {
      expect(stream.client).toMatchObject({ status: 200, body: 'other', ended: true });
      expect(stream.client.headers!.all('rekindle')).toEqual(['degraded; feature="catalog"; reason=failure; rung=cluster']);
    }
    it.bad('/catalog/1');
    expect(it.calls, 'what comes later asks anew').toHaveLength(2);
  });

  test('held requests share too, beside held answers', () => {
    const it = refusing();
    const held = Array.from({ length: 3 }, () => it.proxy.request({ path: '/catalog/1' }));
    expect(held.map((stream) => stream.held)).toEqual(['request', 'request', 'request']);
    expect(it.calls).toHaveLength(1);
    it.calls[0]!.respond({ status: 200, body: 'other' });
    it.advance(1);
    expect(held.map((stream) => stream.client.body)).toEqual(['other', 'other', 'other']);
  });

  test('when it fails each goes on by itself: the next rung, or the original answer', () => {
    const it = patient();
    const held = Array.from({ length: 3 }, () =>
      it.send({ path: '/catalog/1' }, { status: 500, headers: { 'x-why': 'db' }, body: 'broken' }),
    );
    it.calls[0]!.respond({ status: 503 });
    it.advance(1);
    for (const { client } of held) expect([client.status, client.body, client.header('x-why')]).toEqual([500, 'broken', 'db']);
    const other = refusing();
    const refused = Array.from({ length: 3 }, () => other.proxy.request({ path: '/catalog/1' }));
    other.calls[0]!.reset();
    other.advance(1);
    expect(refused.map((stream) => stream.client.body)).toEqual(['sorry', 'sorry', 'sorry']);
  });

  test.for([
    { name: 'path', request: { path: '/catalog/2' } },
    { name: 'query', request: { path: '/catalog/1?x=1' } },
    { name: 'host', request: { path: '/catalog/1', authority: 'other.example' } },
    { name: 'accept', request: { path: '/catalog/1', headers: { accept: 'text/html' } } },
    { name: 'method', request: { path: '/catalog/1', method: 'HEAD' } },
  ])('not with another $name', ({ request }) => {
    const it = patient();
    it.bad('/catalog/1');
    it.send(request, { status: 500 });
    expect(it.calls).toHaveLength(2);
  });

  test('one that left does not keep the others from their answer', () => {
    const it = patient();
    const [first, second] = [it.bad('/catalog/1'), it.bad('/catalog/1')];
    first.cancel();
    it.calls[0]!.respond({ status: 200, body: 'other' });
    it.advance(1);
    expect(second.client.body).toBe('other');
    expect(degraded(first)).toBeNull();
  });
});

describe('bounds', () => {
  test('at most 32 call-outs at once; beyond them the answer passes', () => {
    const it = patient();
    const held = Array.from({ length: 40 }, (_, i) => it.bad(`/catalog/${i}`)).filter((stream) => stream.held === 'response');
    expect(held).toHaveLength(32);
    expect(it.bad('/catalog/0').held, 'one that shares takes no place').toBe('response');
    for (const call of it.calls) call.respond({ status: 200, body: 'other' });
    it.advance(1);
    expect(held.map((stream) => stream.client.body)).toEqual(Array(32).fill('other'));
    expect(it.bad('/catalog').held).toBe('response');
  });

  test('clients that go away do not free the place of a call-out that runs, but its end does', () => {
    const it = patient();
    for (let i = 0; i < 40; i++) it.bad(`/catalog/${i}`).cancel();
    expect(it.calls).toHaveLength(32);
    it.advance(500);
    expect(it.bad('/catalog').held).toBe('response');
  });

  test("a call-out has the rung's time, cut to what the chain has left", () => {
    const second: Json = { cluster: { name: 'second', timeoutMs: 500 } };
    const it = patient({ fallbackTimeoutMs: 700 }, [TO_SPARE, second]);
    const asked: number[] = [];
    it.proxy.clusters.set('second', (call) => asked.push(call.timeoutMs));
    const stream = it.bad('/catalog/1');
    expect(it.calls[0]!.timeoutMs).toBe(500);
    it.advance(500);
    expect(asked).toEqual([200]);
    it.advance(200);
    expect(stream.client).toMatchObject({ status: 500, body: 'broken', ended: true });
  });

  test('no time left: the next rung answers without a call-out', () => {
    const it = refusing([{ cluster: { name: 'spare', timeoutMs: 60_000 } }, TO_SPARE, SORRY], { fallbackTimeoutMs: 300 });
    const stream = it.proxy.request({ path: '/catalog/1' });
    it.advance(350);
    expect(stream.client).toMatchObject({ status: 200, body: 'sorry' });
    expect(it.calls.map((call) => call.timeoutMs)).toHaveLength(1);
  });

  test('a call-out whose root context is gone frees who waits for it, soon after its time', () => {
    const it = patient();
    const stream = it.bad('/catalog/1');
    it.calls[0]!.cancel();
    it.advance(500);
    expect(stream.held).toBe('response');
    it.advance(200);
    expect(stream.client).toMatchObject({ status: 500, body: 'broken', ended: true });
    it.bad('/catalog/1');
    expect(it.calls).toHaveLength(2);
  });
});
