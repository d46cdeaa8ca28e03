import { afterEach, describe, expect, test } from 'vitest';
import type { AnswerInit, PendingCall } from '../host/calls.ts';
import { degraded, expectClean, feature, scene } from './scene.ts';
import { another, gets, puts, served, sharer, sharing } from './shared-scene.ts';

afterEach(expectClean);

describe('a proxy that has no copy', () => {
  test('serves that of another one: after a failure, and while its breaker is open', () => {
    const it = another(sharer());
    expect(served(it)).toBe('copy');
    const refusing = another(sharer());
    refusing.trip('/catalog/2');
    refusing.tick();
    const stream = refusing.proxy.request({ path: '/catalog/1' });
    refusing.advance(10);
    expect(stream.client).toMatchObject({ status: 200, body: 'copy' });
    expect(degraded(stream)).toEqual({ feature: 'catalog', reason: 'open', rung: 'stale' });
  });

  test('has it from then on', () => {
    const it = another(sharer());
    served(it);
    const before = gets(it);
    expect([served(it), gets(it)]).toEqual(['copy', before]);
  });

  test('tells its whole age: before it was shared, with the others, under way', () => {
    const first = sharing();
    first.send({ path: '/catalog/1' }, { headers: { 'cache-control': 'max-age=60', age: '10' }, body: 'copy' });
    first.advance(200);
    for (const copy of first.fleet.copies.values()) copy.ageS = 30;
    const it = another(first);
    const stream = it.send({ path: '/catalog/1' }, { status: 503 });
    it.advance(10);
    it.advance(2000);
    expect([stream.client.header('age'), stream.client.header('cache-status')]).toEqual([
      '40',
      'rekindle; fwd=bypass; detail=upstream-failed; ttl=19',
    ]);
    expect(it.send({ path: '/catalog/1' }, { status: 503 }).client.header('age')).toBe('42');
  });

  test('does not serve what is too old by now', () => {
    const first = sharer({ 'cache-control': 'max-age=10, stale-if-error=5' });
    for (const copy of first.fleet.copies.values()) copy.ageS = 15;
    expect(served(another(first))).toBeNull();
  });

  test('asks once for all that wait', () => {
    const it = another(sharer());
    const streams = [1, 2, 3].map(() => it.send({ path: '/catalog/1', worker: 0 }, { status: 503 }));
    it.advance(10);
    expect(streams.map(({ client }) => client.body)).toEqual(['copy', 'copy', 'copy']);
    expect(gets(it)).toBe(1);
  });

  test('does not ask again for 5 s after a miss', () => {
    const it = sharing();
    const asked = () => {
      served(it);
      return gets(it);
    };
    expect([asked(), asked()]).toEqual([1, 1]);
    it.advance(4900);
    expect(asked()).toBe(1);
    it.advance(200);
    expect(asked()).toBe(2);
    expect(served(it, '/catalog/other')).toBeNull();
    expect(gets(it)).toBe(3);
  });

  test('does not ask at all for 1 s after nobody answered', () => {
    const it = another(sharer());
    it.fleet.copyScript.push((call) => call.refuse());
    expect(served(it, '/catalog/9')).toBeNull();
    expect([served(it), gets(it)]).toEqual([null, 1]);
    it.advance(1100);
    expect(served(it)).toBe('copy');
  });

  test.for([
    { name: '150 ms by default', rung: {}, ms: 150 },
    { name: 'the time of its rung', rung: { timeoutMs: 40 }, ms: 40 },
  ])('waits no longer than $name', ({ rung, ms }) => {
    const it = sharing(rung, [{ static: { status: 200, body: 'standing in' } }]);
    it.trip('/catalog/2');
    it.tick();
    it.fleet.silent = true;
    const stream = it.proxy.request({ path: '/catalog/1' });
    it.advance(ms - 1);
    expect(stream.client.headers).toBeNull();
    it.advance(2);
    expect(stream.client.body).toBe('standing in');
  });

  test('does not wait while a failed answer is held and a static reply is at hand', () => {
    const it = another(sharer(), {}, [{ static: { status: 200, body: 'standing in' } }]);
    expect(it.bad('/catalog/1').client.body).toBe('standing in');
    expect(gets(it)).toBe(0);
  });
});

describe('sharing', () => {
  test('leaves the request alone: the next tick does it', () => {
    const it = sharing();
    it.send({ path: '/catalog/1' }, { body: 'copy' });
    expect(puts(it)).toBe(0);
    it.tick();
    expect(puts(it)).toBe(1);
  });

  test('happens once per key and half a minute, however many workers renew the copy', () => {
    const it = sharing();
    for (let i = 0; i < 58; i++) {
      it.send({ path: '/catalog/1', worker: i % 2 }, { body: `copy ${i}` });
      it.advance(500);
    }
    expect(puts(it)).toBe(1);
    it.advance(2000);
    it.send({ path: '/catalog/1' }, { body: 'later' });
    it.advance(100);
    expect([puts(it), served(another(it))]).toEqual([2, 'later']);
  });

  test('goes on one at a time, and what waits too long gives way', () => {
    const it = sharing();
    const held: PendingCall[] = [];
    for (let i = 0; i < 200; i++) it.fleet.copyScript.push((call) => void held.push(call));
    for (let i = 0; i < 100; i++) it.send({ path: `/catalog/${i}`, worker: 0 }, { body: 'copy' });
    it.advance(500);
    expect(held).toHaveLength(1);
    for (let i = 0; i < 200; i++) {
      held.at(-1)!.respond({ status: 204 });
      it.advance(60);
    }
    expect(held.length).toBeLessThanOrEqual(65);
  });

  test('takes up again what failed with the next copies', () => {
    const it = sharing();
    it.fleet.copyScript.push((call) => call.refuse());
    it.send({ path: '/catalog/1' }, { body: 'copy' });
    it.advance(100);
    it.send({ path: '/catalog/2' }, { body: 'second' });
    it.advance(3000);
    expect([puts(it), served(another(it), '/catalog/2')]).toEqual([2, 'second']);
  });

  test.for([
    { name: 'private', headers: { 'cache-control': 'private' }, body: 'copy' },
    { name: 'never stale and gone', headers: { 'cache-control': 's-maxage=1', age: '1' }, body: 'copy' },
    { name: 'larger than is taken', headers: {}, body: 'x'.repeat(262_144) },
  ])('not of what is $name', ({ headers, body }) => {
    const it = sharing({}, [], { cache: { maxBodyBytes: 262_144 } });
    it.send({ path: '/catalog/1' }, { headers, body });
    it.advance(200);
    expect(puts(it)).toBe(0);
  });

  test('the key on the wire is of one length and says nothing', () => {
    const it = sharer({}, 'copy', '/catalog/secret-path');
    const [call] = it.fleet.copyCalls;
    expect(call!.path).toMatch(/^\/v1\/services\/shop\/cache\/[0-9a-f]{32}\?ttlMs=3(600|599)\d{3}$/);
    expect(call!.path).not.toContain('secret');
  });

  test('is off unless it is asked for', () => {
    const it = scene({ connected: true, features: [feature('catalog', { fallback: [{ stale: {} }] })] });
    it.advance(200);
    it.send({ path: '/catalog/1' }, { body: 'copy' });
    it.advance(200);
    served(it, '/catalog/2');
    expect(it.fleet.copyCalls).toEqual([]);
  });

  test('without a control plane is a configuration that contradicts itself', () => {
    expect(() => scene({ configuration: { cache: { shared: true } } })).toThrow('cache.shared needs controlPlane');
  });
});

describe('what comes from the control plane is a miss when it is not that copy, whole', () => {
  const copy = (headers: Record<string, string> = {}, body = 'copy', path = '/catalog/1') =>
    [...sharer(headers, body, path).fleet.copies.values()][0]!.bytes;
  const changed = (at: number, by: number) => {
    const bytes = copy().slice();
    bytes[at < 0 ? bytes.length + at : at]! ^= by;
    return bytes;
  };
  const rows: { name: string; answer: () => AnswerInit | null }[] = [
    { name: 'nothing: the connection broke', answer: () => null },
    { name: 'no age', answer: () => ({ body: copy() }) },
    { name: 'an age that is no number', answer: () => ({ headers: { age: '-1' }, body: copy() }) },
    { name: 'no body', answer: () => ({ headers: { age: '0' } }) },
    { name: 'a few bytes', answer: () => ({ headers: { age: '0' }, body: new Uint8Array(47) }) },
    { name: 'zeros', answer: () => ({ headers: { age: '0' }, body: new Uint8Array(4096) }) },
    { name: 'the first half', answer: () => ({ headers: { age: '0' }, body: copy().slice(0, 60) }) },
    { name: 'one bit of the body turned', answer: () => ({ headers: { age: '0' }, body: changed(-1, 1) }) },
    { name: 'one bit of the age turned', answer: () => ({ headers: { age: '0' }, body: changed(16, 1) }) },
    { name: 'the copy of another path', answer: () => ({ headers: { age: '0' }, body: copy({}, 'copy', '/catalog/2') }) },
    { name: 'a page of two megabytes', answer: () => ({ headers: { age: '0' }, body: new Uint8Array(2 * 1024 * 1024) }) },
    { name: 'a server error with a copy', answer: () => ({ status: 500, headers: { age: '0' }, body: copy() }) },
    { name: 'a body larger than is stored here', answer: () => ({ headers: { age: '0' }, body: copy({}, 'x'.repeat(5000)) }) },
  ];
  test.for(rows)('$name', ({ answer }) => {
    const it = sharing({}, [], { cache: { maxBodyBytes: 4096 } });
    const given = answer();
    it.fleet.copyScript.push((call) => (given === null ? call.reset() : call.respond(given)));
    const stream = it.send({ path: '/catalog/1' }, { status: 503 });
    it.advance(10);
    expect(stream.client.status).toBe(503);
    expect([degraded(stream), served(it)]).toEqual([null, null]);
  });

  test('and a sound one is none of these', () => {
    const it = sharing();
    it.fleet.copyScript.push((call) => call.respond({ headers: { age: '0' }, body: copy() }));
    expect(served(it)).toBe('copy');
  });
});
