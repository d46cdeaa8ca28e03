import { beforeAll, describe, expect, test } from 'vitest';
import { at, type Candidate, control, judge, loadStorability, type StorabilityModule, type Verdict } from './storability-module.ts';
import { withStrings } from './strings.ts';

let filter: StorabilityModule;

beforeAll(async () => {
  filter = await loadStorability();
});

describe('not kept', () => {
  const open = control('public, max-age=60');
  test.for<{ name: string; given: Partial<Candidate>; because: string }>([
    { name: 'POST', given: { method: 'POST', headers: open }, because: 'method' },
    { name: 'HEAD, which has no body to serve', given: { method: 'HEAD', headers: open }, because: 'method' },
    { name: 'a method in lower case', given: { method: 'get', headers: open }, because: 'method' },
    { name: '206', given: { status: 206, headers: open }, because: 'status' },
    { name: '302', given: { status: 302, headers: open }, because: 'status' },
    { name: '304', given: { status: 304, headers: open }, because: 'status' },
    { name: '404, even with max-age', given: { status: 404, headers: open }, because: 'status' },
    { name: '410', given: { status: 410, headers: open }, because: 'status' },
    { name: '500', given: { status: 500, headers: open }, because: 'status' },
    { name: 'an answer to a range request', given: { ranged: true, headers: open }, because: 'range' },
    { name: 'content-range', given: { headers: [...open, ['content-range', 'bytes 0-1/9']] }, because: 'range' },
    { name: 'no-store of the request', given: { requestCacheControl: 'max-age=0, No-Store', headers: open }, because: 'request-no-store' },
    { name: 'no-store', given: { headers: control('no-store') }, because: 'no-store' },
    { name: 'no-store beside max-age', given: { headers: control('max-age=60, no-store') }, because: 'no-store' },
    { name: 'no-store in a second line', given: { headers: control('public, max-age=60', 'no-store') }, because: 'no-store' },
    { name: 'NO-STORE', given: { headers: control('NO-STORE') }, because: 'no-store' },
    { name: 'no-store with must-understand', given: { headers: control('no-store, must-understand, max-age=60') }, because: 'no-store' },
    { name: 'no-store with a value', given: { headers: control('no-store=1') }, because: 'no-store' },
    { name: 'no-store in white space', given: { headers: control('max-age=60 ,\t no-store \t') }, because: 'no-store' },
    { name: 'private', given: { headers: control('private, max-age=60') }, because: 'private' },
    { name: 'private against public', given: { headers: control('public, private, max-age=60') }, because: 'private' },
    { name: 'private that names a field', given: { headers: control('private="set-cookie, x", max-age=60') }, because: 'private' },
    { name: 'no-cache', given: { headers: control('no-cache, max-age=60') }, because: 'no-cache' },
    { name: 'no-cache that names a field', given: { headers: control('no-cache="x", max-age=60') }, because: 'no-cache' },
    { name: 'pragma alone', given: { headers: [['pragma', 'No-Cache']] }, because: 'no-cache' },
    { name: 'a string that does not end', given: { headers: control('max-age=60, x="a, no-store') }, because: 'no-store' },
    { name: 'set-cookie', given: { headers: [...open, ['set-cookie', 'a=b']] }, because: 'set-cookie' },
    { name: 'vary: *', given: { headers: [...open, ['vary', '*']] }, because: 'vary-all' },
    { name: 'vary: * among others', given: { headers: [...open, ['vary', 'accept-language, *']] }, because: 'vary-all' },
    {
      name: 'vary on a header that is not in the key',
      given: { headers: [...open, ['vary', 'Accept-Language, Cookie']] },
      because: 'vary-header',
    },
    {
      name: 'the same in a second line',
      given: { headers: [...open, ['vary', 'accept-language'], ['vary', 'origin']] },
      because: 'vary-header',
    },
    {
      name: 'vary on an unkeyed forwarding header (poisoning)',
      given: { headers: [...open, ['vary', 'x-forwarded-host']] },
      because: 'vary-header',
    },
    {
      name: 'a degraded answer of another Rekindle',
      given: { headers: [...open, ['rekindle', 'degraded']] },
      because: 'degraded-upstream',
    },
    { name: 'authorization', given: { authorized: true, headers: control('max-age=60') }, because: 'authorization' },
    { name: 'authorization without any word', given: { authorized: true }, because: 'authorization' },
    {
      name: 'authorization with proxy-revalidate only',
      given: { authorized: true, headers: control('proxy-revalidate, max-age=60') },
      because: 'authorization',
    },
    {
      name: 'public in a quoted string',
      given: { authorized: true, headers: control('x="public, public", max-age=60') },
      because: 'authorization',
    },
    { name: 'cookie without any word on caching (deception)', given: { cookied: true }, because: 'cookie' },
    { name: 'cookie with a word that permits nothing', given: { cookied: true, headers: control('no-transform') }, because: 'cookie' },
    { name: 'cookie with stale-if-error only', given: { cookied: true, headers: control('stale-if-error=60') }, because: 'cookie' },
    { name: 'never fresh and never stale', given: { headers: control('max-age=0, must-revalidate') }, because: 'never-servable' },
    { name: 'the same without max-age', given: { headers: control('must-revalidate') }, because: 'never-servable' },
    { name: 'too old already', given: { headers: [...control('s-maxage=60'), ['age', '60']] }, because: 'never-servable' },
  ])('$name: $because', ({ given, because }) => {
    expect(judge(filter, given)).toMatchObject({ storable: false, because });
  });
});

describe('kept', () => {
  test.for<{ name: string; given: Partial<Candidate>; verdict: Partial<Verdict> }>([
    { name: 'nothing said: stale from the start', given: {}, verdict: { because: 'stale-only', fresh: 0, staleIfError: -1, stale: true } },
    { name: 'max-age', given: { headers: control('max-age=60') }, verdict: { because: 'fresh', fresh: 60, stale: true } },
    { name: '203', given: { status: 203 }, verdict: {} },
    { name: '204', given: { status: 204 }, verdict: {} },
    { name: '301', given: { status: 301 }, verdict: {} },
    { name: '308', given: { status: 308 }, verdict: {} },
    { name: 'max-age in quotes', given: { headers: control('max-age="60"') }, verdict: { fresh: 60 } },
    { name: 'MAX-AGE with white space', given: { headers: control('  MAX-AGE = 60  ') }, verdict: { fresh: 60 } },
    { name: 'two max-age: the shorter', given: { headers: control('max-age=60', 'max-age=5') }, verdict: { fresh: 5 } },
    { name: 'max-age that is no number', given: { headers: control('max-age=soon') }, verdict: { because: 'stale-only', fresh: 0 } },
    { name: 'max-age below 0', given: { headers: control('max-age=-60') }, verdict: { fresh: 0 } },
    { name: 'max-age with a fraction', given: { headers: control('max-age=6.5') }, verdict: { fresh: 0 } },
    { name: 'max-age without value', given: { headers: control('max-age, x') }, verdict: { fresh: 0 } },
    { name: 'max-age beyond all bounds', given: { headers: control('max-age=99999999999999999999999') }, verdict: { fresh: 2 ** 31 } },
    { name: 'max-age of 2^31', given: { headers: control('max-age=2147483648') }, verdict: { fresh: 2 ** 31 } },
    {
      name: 's-maxage before max-age, and no stale',
      given: { headers: control('max-age=60, s-maxage=5') },
      verdict: { fresh: 5, stale: false },
    },
    {
      name: 's-maxage forbids stale whatever stale-if-error says',
      given: { headers: control('s-maxage=5, stale-if-error=60') },
      verdict: { staleIfError: 60, stale: false },
    },
    {
      name: 'max-age before expires',
      given: { headers: [...control('max-age=60'), ['date', at(0)], ['expires', at(5)]] },
      verdict: { fresh: 60 },
    },
    {
      name: 'expires',
      given: {
        headers: [
          ['date', at(0)],
          ['expires', at(90)],
        ],
      },
      verdict: { because: 'fresh', fresh: 90 },
    },
    { name: 'expires without date', given: { headers: [['expires', at(90)]] }, verdict: { fresh: 90 } },
    { name: 'expires without date or clock', given: { headers: [['expires', at(90)]], receivedMs: 0 }, verdict: { fresh: 0 } },
    {
      name: 'expires in the past',
      given: {
        headers: [
          ['date', at(0)],
          ['expires', at(-90)],
        ],
      },
      verdict: { fresh: 0 },
    },
    {
      name: 'expires: 0',
      given: {
        headers: [
          ['date', at(0)],
          ['expires', '0'],
        ],
      },
      verdict: { fresh: 0 },
    },
    {
      name: 'two expires: the earlier',
      given: {
        headers: [
          ['date', at(0)],
          ['expires', at(90)],
          ['expires', at(9)],
        ],
      },
      verdict: { fresh: 9 },
    },
    {
      name: 'two expires, one no date',
      given: {
        headers: [
          ['date', at(0)],
          ['expires', at(90)],
          ['expires', 'x'],
        ],
      },
      verdict: { fresh: 0 },
    },
    {
      name: 'expires in the form of RFC 850',
      given: {
        headers: [
          ['date', at(0)],
          ['expires', 'Monday, 01-Jun-26 12:01:00 GMT'],
        ],
      },
      verdict: { fresh: 60 },
    },
    {
      name: 'date and expires as asctime() writes them',
      given: {
        headers: [
          ['date', 'Mon Jun  1 12:00:00 2026'],
          ['expires', 'Mon Jun  1 12:00:30 2026'],
        ],
      },
      verdict: { fresh: 30 },
    },
    {
      name: 'stale-if-error',
      given: { headers: control('max-age=60, stale-if-error=300') },
      verdict: { fresh: 60, staleIfError: 300, stale: true },
    },
    { name: 'stale-if-error=0', given: { headers: control('max-age=60, stale-if-error=0') }, verdict: { staleIfError: 0 } },
    { name: 'stale-if-error that is no number', given: { headers: control('max-age=60, stale-if-error=x') }, verdict: { staleIfError: 0 } },
    {
      name: 'two stale-if-error: the shorter',
      given: { headers: control('stale-if-error=300, stale-if-error=30') },
      verdict: { staleIfError: 30 },
    },
    {
      name: 'must-revalidate while fresh',
      given: { headers: control('max-age=60, must-revalidate') },
      verdict: { fresh: 60, stale: false },
    },
    {
      name: 'proxy-revalidate while fresh',
      given: { headers: control('max-age=60, proxy-revalidate') },
      verdict: { fresh: 60, stale: false },
    },
    { name: 'age', given: { headers: [...control('max-age=60'), ['age', '20']] }, verdict: { fresh: 60, age: 20, because: 'fresh' } },
    {
      name: 'age that makes it stale',
      given: { headers: [...control('max-age=60'), ['age', '61']] },
      verdict: { age: 61, because: 'stale-only' },
    },
    {
      name: 'two ages: the larger',
      given: {
        headers: [
          ['age', '5'],
          ['age', '7'],
        ],
      },
      verdict: { age: 7 },
    },
    { name: 'a list of ages: its first', given: { headers: [['age', '5, 7']] }, verdict: { age: 5 } },
    { name: 'age that is no number', given: { headers: [['age', 'x']] }, verdict: { age: 0 } },
    { name: 'age and the time under way', given: { headers: [['age', '5']], delayMs: 2000 }, verdict: { age: 7 } },
    {
      name: 'an old date',
      given: {
        headers: [
          ['date', at(-30)],
          ['age', '5'],
        ],
      },
      verdict: { age: 30 },
    },
    {
      name: 'a date in the future',
      given: {
        headers: [
          ['date', at(30)],
          ['age', '5'],
        ],
      },
      verdict: { age: 5 },
    },
    { name: 'a date without a clock', given: { headers: [['date', at(-30)]], receivedMs: 0 }, verdict: { age: 0 } },
    { name: 'vary on headers of the key', given: { headers: [['vary', ' Accept-Language ,']] }, verdict: {} },
    { name: 'an empty member of vary', given: { headers: [['vary', ', ,accept-language']] }, verdict: {} },
    { name: 'an empty vary', given: { headers: [['vary', '']] }, verdict: {} },
    { name: 'authorization with public', given: { authorized: true, headers: control('public, max-age=60') }, verdict: { fresh: 60 } },
    { name: 'authorization with s-maxage', given: { authorized: true, headers: control('s-maxage=60') }, verdict: { fresh: 60 } },
    {
      name: 'authorization with must-revalidate',
      given: { authorized: true, headers: control('must-revalidate, max-age=60') },
      verdict: { fresh: 60 },
    },
    { name: 'cookie with public', given: { cookied: true, headers: control('public') }, verdict: { fresh: 0 } },
    { name: 'cookie with max-age', given: { cookied: true, headers: control('max-age=60') }, verdict: { fresh: 60 } },
    { name: 'cookie with expires', given: { cookied: true, headers: [['expires', at(9)]] }, verdict: { fresh: 9 } },
    { name: 'cookie in the key', given: { cookied: true, varyHeaders: ['cookie'], headers: [['vary', 'Cookie']] }, verdict: {} },
    { name: 'pragma beside cache-control', given: { headers: [['pragma', 'no-cache'], ...control('max-age=60')] }, verdict: { fresh: 60 } },
    { name: 'no-store in a quoted string', given: { headers: control('x="no-store, private", max-age=60') }, verdict: { fresh: 60 } },
    { name: 'an escaped quote in a string', given: { headers: control('x="a\\", no-store", max-age=60') }, verdict: { fresh: 60 } },
    {
      name: 'a directive that only begins like one',
      given: { headers: control('no-store-at-all, privately, max-age=60') },
      verdict: { fresh: 60 },
    },
    { name: 'no cache-control of its own in the request', given: { requestCacheControl: 'no-cache' }, verdict: {} },
    { name: 'empty members', given: { headers: control(', ,max-age=60,,') }, verdict: { fresh: 60 } },
  ])('$name', ({ given, verdict }) => {
    expect(judge(filter, given)).toMatchObject({ storable: true, ...verdict });
  });
});

describe('headers of one connection', () => {
  const isHopByHop = (name: string, connection = '') => withStrings(filter, (put) => filter.isHopByHop(put(name), put(connection)) !== 0);

  test.for([
    'connection',
    'keep-alive',
    'proxy-connection',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
    'proxy-authenticate',
    'proxy-authentication-info',
  ])('%s is dropped', (name) => {
    expect(isHopByHop(name)).toBe(true);
  });

  test.for(['content-type', 'etag', 'cache-control', 'trailers', 'via'])('%s stays', (name) => {
    expect(isHopByHop(name)).toBe(false);
  });

  test('what connection names is dropped too', () => {
    expect(isHopByHop('x-trace', 'close, X-Trace')).toBe(true);
    expect(isHopByHop('x-trace', 'close, "x-trace, y"')).toBe(false);
    expect(isHopByHop('x-trac', 'close,X-Trace')).toBe(false);
  });
});
