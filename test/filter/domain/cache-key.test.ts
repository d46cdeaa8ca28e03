import type { ASUtil } from '@assemblyscript/loader';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadFilter } from '../compile.ts';
import { withStrings } from './strings.ts';

interface KeyExports {
  policy(service: number, feature: number, parameters: number, varyHeaders: number, capacity: number): void;
  request(method: number, host: number, path: number, varyValues: number): void;
  write(): number;
  writeTimes(times: number): number;
  buffer(): number;
  mark(): number;
}

interface Asked {
  service: string;
  feature: string;
  parameters: string[];
  varyHeaders: string[];
  method: string;
  host: string;
  path: string;
  /** null: absent. */
  varyValues: (string | null)[];
  capacity: number;
}

let filter: ASUtil & KeyExports;

beforeAll(async () => {
  filter = await loadFilter<KeyExports>('domain-cache-key');
});

const defaults: Asked = {
  service: 'shop',
  feature: 'catalog',
  parameters: ['page', 'sort'],
  varyHeaders: ['accept-language'],
  method: 'GET',
  host: 'shop.example.org',
  path: '/items',
  varyValues: ['en'],
  capacity: 4096,
};

/** The key in hexadecimal, null for none. */
function key(asked: Partial<Asked> = {}, module = filter): string | null {
  const all = { ...defaults, ...asked };
  withStrings(module, (put) => {
    module.policy(put(all.service), put(all.feature), put(all.parameters.join(',')), put(all.varyHeaders.join(',')), all.capacity);
    module.request(put(all.method), put(all.host), put(all.path), put(all.varyValues.map((value) => `${value ?? '-'}\n`).join('')));
  });
  const length = module.write();
  return length < 0 ? null : Buffer.from(module.memory!.buffer, module.buffer(), length).toString('hex');
}

describe('the same key', () => {
  test.for<{ name: string; one: Partial<Asked>; other: Partial<Asked> }>([
    { name: 'GET and HEAD', one: {}, other: { method: 'HEAD' } },
    { name: 'host in another case', one: {}, other: { host: 'Shop.Example.ORG' } },
    { name: 'parameters in another order', one: { path: '/items?page=1&sort=a' }, other: { path: '/items?sort=a&page=1' } },
    {
      name: 'a policy that lists parameters in another order',
      one: { path: '/items?page=1&sort=a' },
      other: { path: '/items?page=1&sort=a', parameters: ['sort', 'page'] },
    },
    {
      name: 'a policy that lists one twice',
      one: { path: '/items?page=1' },
      other: { path: '/items?page=1', parameters: ['page', 'sort', 'page'] },
    },
    { name: 'white space in a vary header', one: { varyValues: ['en, de'] }, other: { varyValues: ['\t en ,de  '] } },
    { name: 'white space after an escaped backslash', one: { varyValues: ['"\\\\" b'] }, other: { varyValues: ['"\\\\"  b'] } },
    { name: 'a run of white space in it', one: { varyValues: ['a b'] }, other: { varyValues: ['a \t b'] } },
  ])('$name', ({ one, other }) => {
    expect(key(one)).not.toBeNull();
    expect(key(one)).toBe(key(other));
  });
});

describe('keys of their own', () => {
  test.for<{ name: string; one: Partial<Asked>; other: Partial<Asked> }>([
    { name: 'another service', one: {}, other: { service: 'shop2' } },
    { name: 'another feature', one: {}, other: { feature: 'catalog2' } },
    { name: 'letters moved from service to feature', one: { service: 'ab', feature: 'c' }, other: { service: 'a', feature: 'bc' } },
    { name: 'another host', one: {}, other: { host: 'shop.example.net' } },
    { name: 'another port', one: {}, other: { host: 'shop.example.org:8080' } },
    { name: 'a suffix as of a static file (deception)', one: {}, other: { path: '/items/style.css' } },
    { name: 'a path parameter (deception)', one: {}, other: { path: '/items;a.css' } },
    { name: 'an encoded slash (deception)', one: { path: '/items/a' }, other: { path: '/items%2fa' } },
    { name: 'an encoded letter (deception)', one: {}, other: { path: '/%69tems' } },
    { name: 'an encoded delimiter (deception)', one: {}, other: { path: '/items%3fa.css' } },
    { name: 'an encoded NUL (deception)', one: {}, other: { path: '/items%00.css' } },
    { name: 'dot segments', one: {}, other: { path: '/a/../items' } },
    { name: 'a second slash', one: {}, other: { path: '//items' } },
    { name: 'a trailing slash', one: {}, other: { path: '/items/' } },
    { name: 'another case of the path', one: {}, other: { path: '/Items' } },
    { name: 'another value', one: { path: '/items?page=1' }, other: { path: '/items?page=2' } },
    { name: 'no value and an empty one', one: { path: '/items?page' }, other: { path: '/items?page=' } },
    { name: 'a value with a semicolon (cloaking)', one: { path: '/items?page=1' }, other: { path: '/items?page=1;sort=evil' } },
    { name: 'values of one name in another order', one: { path: '/items?page=1&page=2' }, other: { path: '/items?page=2&page=1' } },
    { name: 'a value that holds an encoded ampersand', one: { path: '/items?page=1&sort=2' }, other: { path: '/items?page=1%26sort=2' } },
    { name: 'a parameter that looks like a path', one: { path: '/items?page=/x' }, other: { path: '/items/x?page=' } },
    { name: 'another value of a vary header', one: {}, other: { varyValues: ['de'] } },
    { name: 'an absent vary header and an empty one', one: { varyValues: [null] }, other: { varyValues: [''] } },
    { name: 'white space in a quoted string', one: { varyValues: ['"a b"'] }, other: { varyValues: ['"a  b"'] } },
    { name: 'white space after an escaped quote', one: { varyValues: ['"a\\" b"'] }, other: { varyValues: ['"a\\"  b"'] } },
    { name: 'the same value of another vary header', one: {}, other: { varyHeaders: ['accept'] } },
    {
      name: 'values of two vary headers swapped',
      one: { varyHeaders: ['a', 'b'], varyValues: ['x', 'y'] },
      other: { varyHeaders: ['a', 'b'], varyValues: ['y', 'x'] },
    },
    { name: 'host and path with NUL between', one: { host: 'a\0\0/b', path: '/c' }, other: { host: 'a', path: '/b\0\0/c' } },
    {
      name: 'the bytes between two fields, inside of one',
      one: { varyHeaders: ['a', 'b'], varyValues: ['x\0\0b\x01\0\0y', 'z'] },
      other: { varyHeaders: ['a', 'b'], varyValues: ['x', 'y\0\0b\x01\0\0z'] },
    },
    {
      name: 'values of two vary headers joined',
      one: { varyHeaders: ['a', 'b'], varyValues: ['x', ''] },
      other: { varyHeaders: ['a', 'b'], varyValues: ['', 'x'] },
    },
  ])('$name', ({ one, other }) => {
    expect(key(one)).not.toBeNull();
    expect(key(other)).not.toBeNull();
    expect(key(one)).not.toBe(key(other));
  });
});

describe('no key', () => {
  const many = (count: number) => Array.from({ length: count }, (_, i) => `page=${i}`).join('&');
  test.for<{ name: string; asked: Partial<Asked> }>([
    { name: 'POST', asked: { method: 'POST' } },
    { name: 'a method in lower case', asked: { method: 'get' } },
    { name: 'a parameter that is not allowed', asked: { path: '/items?utm_source=x' } },
    { name: 'one that is not allowed among allowed ones', asked: { path: '/items?page=1&callback=evil' } },
    { name: 'the encoded name of an allowed one', asked: { path: '/items?p%61ge=1' } },
    { name: 'another case of an allowed one', asked: { path: '/items?Page=1' } },
    { name: 'an array of an allowed one', asked: { path: '/items?page[]=1' } },
    { name: 'an empty query', asked: { path: '/items?' } },
    { name: 'an empty parameter', asked: { path: '/items?page=1&&sort=a' } },
    { name: 'a parameter without name', asked: { path: '/items?=1' } },
    { name: 'an ampersand at the end', asked: { path: '/items?page=1&' } },
    { name: 'a second question mark', asked: { path: '/items??page=1' } },
    { name: 'a fragment', asked: { path: '/items#a' } },
    { name: 'a fragment in the query', asked: { path: '/items?page=1#a' } },
    { name: 'too many parameters', asked: { path: `/items?${many(65)}` } },
    { name: 'no host', asked: { host: '' } },
    { name: 'no path', asked: { path: '' } },
    { name: 'a path without slash', asked: { path: '*' } },
    { name: 'fewer vary values than headers', asked: { varyHeaders: ['a', 'b'] } },
    { name: 'a buffer that is too small', asked: { capacity: 60 } },
    { name: 'a buffer without any room', asked: { capacity: 0 } },
    { name: 'a path too long for the buffer', asked: { path: `/${'a'.repeat(4096)}` } },
    { name: 'a path too long for its length', asked: { path: `/${'a'.repeat(65_535)}`, capacity: 200_000 } },
    { name: 'a vary value too long for its length', asked: { varyValues: ['a'.repeat(65_536)], capacity: 200_000 } },
  ])('$name', ({ asked }) => {
    expect(key(asked)).toBeNull();
  });

  test('but as many parameters as allowed, and a buffer that just fits', () => {
    expect(key({ path: `/items?${many(64)}` })).not.toBeNull();
    const length = key()!.length / 2;
    expect(key({ capacity: length })).not.toBeNull();
    expect(key({ capacity: length - 1 })).toBeNull();
  });
});

describe('laws', () => {
  /** What makes two requests the same for the cache, written down without a thought for bytes. */
  function canonical(asked: Asked): string | null {
    const [path, ...rest] = asked.path.split('?');
    const query = asked.path.includes('?') ? rest.join('?').split('&') : [];
    const nameOf = (piece: string) => piece.split('=')[0]!;
    if (!['GET', 'HEAD'].includes(asked.method) || asked.path.includes('#')) return null;
    if (query.some((piece) => !asked.parameters.includes(nameOf(piece)))) return null;
    const sorted = query.map((piece, i) => ({ piece, i })).sort((a, b) => compare(nameOf(a.piece), nameOf(b.piece)) || a.i - b.i);
    return JSON.stringify([
      asked.service,
      asked.feature,
      asked.host.toLowerCase(),
      path,
      sorted.map(({ piece }) => piece),
      asked.varyHeaders,
      asked.varyValues.map((value) => (value === null ? null : squeeze(value))),
    ]);
  }
  const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  /** Quoted strings as they are; elsewhere white space as one space, none around commas and at the ends. */
  function squeeze(value: string): string {
    const parts = value.match(/"(?:\\.|[^"\\])*(?:"|\\?$)|[^"]+/gs) ?? [];
    const joined = parts.map((part) => (part.startsWith('"') ? part : part.replace(/[ \t]+/g, '\0'))).join('');
    return joined
      .replace(/"(?:\\.|[^"\\])*(?:"|\\?$)|\0?,\0?/gs, (found) => (found.startsWith('"') ? found : ','))
      .replace(/^\0|\0$/g, '')
      .replaceAll('\0', ' ');
  }

  const word = fc.constantFrom('a', 'b', 'ab', 'c');
  const value = fc.string({ unit: fc.constantFrom('x', ' ', '\t', ',', '"', '\\'), maxLength: 8 });
  const asked: fc.Arbitrary<Asked> = fc.record({
    service: word,
    feature: word,
    parameters: fc.constantFrom(['a', 'b'], ['b', 'a'], ['ab'], []),
    varyHeaders: fc.constantFrom(['a', 'b'], ['b', 'a']),
    method: fc.constantFrom('GET', 'HEAD', 'GET', 'GET', 'PUT'),
    host: fc.constantFrom('a', 'A', 'a:1', 'b'),
    path: fc
      .tuple(fc.constantFrom('/', '/a', '/a/', '/a/b'), fc.array(fc.tuple(word, fc.constantFrom('', '=', '=a', '=b')), { maxLength: 3 }))
      .map(([path, query]) => (query.length > 0 ? `${path}?${query.map((pair) => pair.join('')).join('&')}` : path)),
    varyValues: fc.tuple(fc.option(value), fc.option(value)),
    capacity: fc.constant(4096),
  });
  /** A neighbour that differs in few members, so that equal and nearly equal requests come up often. */
  const pair = fc
    .tuple(asked, asked, fc.subarray(Object.keys(defaults) as (keyof Asked)[], { maxLength: 2 }))
    .map(([one, other, members]) => {
      const picked = Object.fromEntries(members.map((member) => [member, other[member]]));
      return [one, { ...one, ...picked }] as [Asked, Asked];
    });

  test('two requests have the same key exactly when they are the same for the cache', () => {
    let same = 0;
    fc.assert(
      fc.property(pair, ([one, other]) => {
        const keys = [key(one), key(other)];
        const expected = [canonical(one), canonical(other)];
        expect(keys.map((found) => found === null)).toEqual(expected.map((found) => found === null));
        if (keys[0] !== null && keys[1] !== null) {
          expect(keys[0] === keys[1]).toBe(expected[0] === expected[1]);
          if (keys[0] === keys[1] && JSON.stringify(one) !== JSON.stringify(other)) same++;
        }
      }),
      { numRuns: 4000 },
    );
    expect(same).toBeGreaterThan(20);
  });

  test('any bytes give a key or none, and never trap', () => {
    const bytes = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 200 });
    fc.assert(
      fc.property(bytes, bytes, fc.nat(400), (host, rest, capacity) => {
        key({ host, path: `/${rest}`, varyValues: [rest.replaceAll('\n', '')], capacity });
      }),
    );
  });
});

test('writing a key allocates nothing', async () => {
  const stub = await loadFilter<KeyExports>('domain-cache-key', 'stub');
  expect(key({ path: '/items?sort=a&page=1' }, stub)).not.toBeNull();
  const apart = stub.mark() - stub.mark();
  const before = stub.mark();
  stub.writeTimes(100_000);
  expect(before - stub.mark()).toBe(apart);
});
