import type { Pair } from '../filter/host/header-map.ts';
import type { Dice } from './dice.ts';

const REQUEST_NAMES = [
  'accept',
  'accept-language',
  'authorization',
  'cookie',
  'range',
  'if-none-match',
  'cache-control',
  'pragma',
  'x-user',
  'rekindle',
  'x-rekindle-fallback',
  'content-type',
  'te',
  'upgrade',
  'connection',
  'grpc-timeout',
  'x-envoy-max-retries',
];
const ANSWER_NAMES = [
  'cache-control',
  'age',
  'date',
  'expires',
  'last-modified',
  'vary',
  'set-cookie',
  'etag',
  'connection',
  'content-length',
  'content-type',
  'content-encoding',
  'content-range',
  'rekindle',
  'retry-after',
  'pragma',
  'warning',
  'grpc-status',
  'transfer-encoding',
  'cache-status',
];
/** Header values that parsers stumble over. */
const VALUES = [
  '',
  '*',
  ',',
  ';',
  '=',
  'no-store',
  'max-age=1, stale-if-error=60',
  'public, max-age=60',
  'max-age=99999999999999999999',
  'max-age=-1',
  'max-age="5',
  'private="a,b',
  's-maxage=1,,,',
  'must-revalidate',
  'Thu, 01 Jan 1970 00:00:00 GMT',
  'Mon, 05 Jan 2026 12:00:00 GMT',
  'Mon, 99 Zzz 99999 99:99:99 GMT',
  'gzip, br;q=0',
  'a=b; sid=; sid=x',
  'sid=u1',
  'bytes=0-',
  'application/grpc',
  'application/grpc-web',
  'websocket',
  '14',
  '-1',
  '99999999999999999999',
  'accept, accept-language',
  '"',
  'W/"a"',
  'degraded; feature="a"; reason=open; rung=stale',
  'spare',
  'close, x-a',
];
const STATUSES = ['200', '204', '206', '304', '404', '500', '503', '504', '429', '100', '0', '99999999999', 'abc', '', '-1', '2000'];

function headers(dice: Dice, names: readonly string[]): Pair[] {
  return Array.from({ length: dice.few(8) }, (): Pair => {
    const name = dice.chance(85) ? dice.pick(names) : `x-${dice.noise(12)}`;
    const long = dice.chance(2) ? 'v'.repeat(dice.pick([8191, 65_000, 65_536, 70_000])) : '';
    return [name, dice.chance(75) ? dice.pick(VALUES) + long : dice.noise(60)];
  });
}

/** A request's headers; now and then without one that each request has, or with one twice. */
export function requestHeaders(dice: Dice, paths: readonly string[]): Pair[] {
  const pseudo: Pair[] = [
    [':method', dice.chance(85) ? dice.pick(['GET', 'GET', 'GET', 'HEAD', 'POST']) : dice.noise(12)],
    [':path', path(dice, paths)],
    [':authority', dice.pick(['shop.example', 's1.example', 's31.example', 'a.b.example:1', '', dice.noise(20)])],
  ];
  if (dice.chance(30))
    return [
      [':method', 'GET'],
      [':path', dice.pick(paths)],
      [':authority', 'shop.example'],
    ];
  return [...pseudo.filter(() => !dice.chance(2)), ...headers(dice, REQUEST_NAMES)];
}

function path(dice: Dice, paths: readonly string[]): string {
  const known = dice.pick(paths);
  const fate = dice.below(20);
  if (fate < 12) return known;
  if (fate < 15) return `${known}?${dice.pick(['a=1', 'b=%', '&&&', 'a=1&a=2&c', '%00', dice.noise(30)])}`;
  if (fate === 15) return known + '/x'.repeat(dice.pick([1, 16, 600, 40_000]));
  return fate === 16 ? dice.pick(['', '*', '/', '//', '?', '#']) : dice.noise(60);
}

/** `failing`: mostly server errors. */
export function answerHeaders(dice: Dice, failing: boolean): Pair[] {
  const value = failing && dice.chance(70) ? '503' : dice.chance(50) ? '200' : dice.pick(STATUSES);
  if (dice.chance(30))
    return [
      [':status', value],
      ['cache-control', 'public, max-age=1, stale-if-error=600'],
    ];
  const status: Pair[] = dice.chance(3) ? [] : [[':status', value]];
  return [...status, ...headers(dice, ANSWER_NAMES)];
}

export function bodyPiece(dice: Dice): string {
  return dice.chance(2) ? 'b'.repeat(dice.pick([2048, 65_536, 300_000])) : dice.noise(300);
}

/** `response.flags` as the host would give them, or not. */
export function flagBits(dice: Dice): string {
  if (dice.chance(15)) return dice.noise(12);
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(dice.chance(70) ? 1n << BigInt(dice.below(30)) : BigInt(dice.number()));
  return bytes.toString('latin1');
}
