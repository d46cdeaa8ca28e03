import fc from 'fast-check';
import { at } from './storability-module.ts';

/** A request and its answer, each header once, as both sides are told of them. */
export interface Exchange {
  readonly method: string;
  readonly status: number;
  readonly request: Readonly<Record<string, string>>;
  readonly response: Readonly<Record<string, string>>;
}

/** Given once in so many times. */
const oneIn = <T>(times: number, value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 1, arbitrary: value }, { weight: times - 1, arbitrary: fc.constant(undefined) });
const optional = <T>(value: fc.Arbitrary<T>) => oneIn(2, value);
const rarely = <T>(value: fc.Arbitrary<T>) => oneIn(15, value);

const directive = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('public', 'max-age=60', 'max-age=0', 's-maxage=30', 'stale-if-error=90', 'must-understand') },
  { weight: 3, arbitrary: fc.constantFrom('must-revalidate', 'proxy-revalidate', 'immutable', 'no-transform', 'stale-while-revalidate=0') },
  { weight: 1, arbitrary: fc.constantFrom('private', 'no-store', 'no-cache', 'private="x-a"', 'no-cache="x-a, x-b"') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'Public',
      'Private',
      'NO-STORE',
      'Max-Age=5',
      'max-age=6.5',
      'max-age=-5',
      'max-age=x',
      'max-age="7"',
      'max-age',
      'max-age=',
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom('s-maxage=99999999999', 'stale-if-error=0', 'x="a, no-store"', 'x="public, b"', 'x="open', '') },
);
const cacheControl = fc.array(directive, { minLength: 0, maxLength: 5 }).map((members) => members.join(', '));

const seconds = fc.integer({ min: -200, max: 400 });
/** A date in one of the forms that servers send, and some that are none. */
const date = fc.tuple(seconds, fc.constantFrom('fixdate', 'rfc850', 'asctime', 'zone', 'zero')).map(([offset, form]) => {
  const text = at(offset);
  const [, day = '', month = '', year = '', time = ''] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(text) ?? [];
  // The day of the tests is a Monday, and these seconds do not leave it.
  if (form === 'rfc850') return `Monday, ${day}-${month}-${year.slice(-2)} ${time} GMT`;
  if (form === 'asctime') return `Mon ${month} ${day.replace(/^0/, ' ')} ${time} ${year}`;
  if (form === 'zone') return text.replace('GMT', '+0100');
  return form === 'zero' ? '0' : text;
});

const headers = (shape: Record<string, fc.Arbitrary<string | undefined>>) =>
  fc
    .record(shape)
    .map((all) => Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)));

export const exchange: fc.Arbitrary<Exchange> = fc.record({
  method: fc.oneof({ weight: 9, arbitrary: fc.constant('GET') }, { weight: 1, arbitrary: fc.constantFrom('HEAD', 'POST', 'PUT') }),
  status: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(200, 200, 203, 204, 301, 308) },
    { weight: 2, arbitrary: fc.constantFrom(206, 300, 302, 304, 307, 404, 405, 410, 414, 500, 501, 503) },
  ),
  request: headers({
    authorization: optional(fc.constant('Bearer x')),
    cookie: optional(fc.constant('session=1')),
    range: rarely(fc.constant('bytes=0-1')),
    'cache-control': rarely(fc.constantFrom('no-store', 'No-Store', 'no-cache', 'max-age=0', 'x="a, no-store"')),
  }),
  response: headers({
    'cache-control': fc.oneof({ weight: 4, arbitrary: cacheControl }, { weight: 1, arbitrary: fc.constant(undefined) }),
    expires: optional(date),
    date: optional(date),
    age: optional(fc.constantFrom('0', '10', '45', '5, 70', 'x', '-5', '7x')),
    'last-modified': optional(seconds.map((offset) => at(offset - 10_000))),
    pragma: rarely(fc.constant('no-cache')),
    vary: rarely(fc.constantFrom('accept-language', 'Accept-Language, Cookie', '*', 'origin')),
    'set-cookie': rarely(fc.constant('a=b')),
    'content-range': rarely(fc.constant('bytes 0-1/9')),
    rekindle: rarely(fc.constant('degraded; feature="x"; reason=open; rung=stale')),
  }),
});
