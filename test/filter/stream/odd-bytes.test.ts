import { afterEach, describe, expect, test } from 'vitest';
import { withCluster } from './cluster-scene.ts';
import { expectClean } from './scene.ts';
import { copyServed, get, withStale } from './stale-scene.ts';

// Header texts of the emulated host hold one byte a character. Read carelessly, two bytes that are no UTF-8 become one ASCII character.
afterEach(expectClean);

describe('values that are no UTF-8', () => {
  test('cannot take the place of another value in the key of a copy', () => {
    const it = withStale({ varyHeaders: ['x-tenant'] });
    get(it, { headers: { 'x-tenant': '\xc1\x81cme' } }, { body: 'forged' });
    expect(copyServed(it, { headers: { 'x-tenant': 'Acme' } })).toBeNull();
    expect(copyServed(it, { headers: { 'x-tenant': '\xc1\x81cme' } })).toBeNull();
  });

  test('beside well-formed ones, which have keys of their own', () => {
    const it = withStale({ varyHeaders: ['x-tenant'] });
    get(it, { headers: { 'x-tenant': 'caf\xc3\xa9' } }, { body: 'copy' });
    expect(copyServed(it, { headers: { 'x-tenant': 'caf\xc3\xa9' } })).toBe('copy');
    expect(copyServed(it, { headers: { 'x-tenant': 'caf\xe9' } })).toBeNull();
  });

  test.for(['x=\xe9,private', 'x=\xe9 ,no-store', '\xf0, private'])('do not hide that an answer is personal: %j', (value) => {
    const it = withStale();
    get(it, {}, { headers: { 'cache-control': value }, body: 'personal' });
    expect(copyServed(it)).toBeNull();
  });

  test.for([
    { name: 'accept', request: { headers: { accept: 'a\xc0\x8d\xc0\x8ax-admin: 1' } } },
    { name: 'path', request: { path: '/catalog/\xc0\x8d\xc0\x8ax-admin: 1' } },
  ])('end no header of a call-out: $name', ({ request }) => {
    const it = withCluster();
    const { client } = it.send({ path: '/catalog/1', ...request }, { status: 500, body: 'broken' });
    expect(it.calls.map((call) => call.headers.pairs)).toEqual([]);
    expect(client.body).toBe('broken');
  });
});
