import type { HeaderInit } from '../host/header-map.ts';
import { Random } from '../host/random.ts';
import type { HttpStream } from '../host/stream.ts';
import type { UpstreamRequest } from '../host/upstream.ts';
import { feature, type Json, type Scene } from './scene.ts';

/** Every kind of rung, key and threshold at once. */
export const EVERYTHING: readonly Json[] = [
  feature('catalog', {
    routes: [{ path: { template: '/catalog/{id}' } }, { host: '*.example', methods: ['GET', 'POST'], path: { prefix: '/c' } }],
    stickyKey: { cookie: 'sid' },
    failure: { slowMs: 50 },
    fallback: [
      { stale: { refreshMs: 100, queryParameters: ['a', 'b'], varyHeaders: ['accept', 'accept-language'] } },
      { cluster: { name: 'spare', timeoutMs: 100 } },
      { static: { status: 200, headers: { 'x-a': 'b' }, body: 'sorry' } },
    ],
  }),
  feature('cart', { stickyKey: { header: 'x-user' }, fallback: [{ cluster: { name: 'spare', timeoutMs: 100 } }] }),
  feature('plain'),
];

/** Draws what a test does next; the same seed draws the same. */
export class Dice extends Random {
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  /** Text of any bytes that a header can hold on the wire, and now and then of those that it cannot. */
  text(max: number): string {
    const any = this.chance(10);
    return Array.from({ length: this.below(max + 1) }, () => String.fromCharCode(any ? this.below(256) : 32 + this.below(95))).join('');
  }
}

const NAMES = [
  'accept',
  'accept-language',
  'authorization',
  'cookie',
  'range',
  'cache-control',
  'x-user',
  'rekindle',
  'x-rekindle-fallback',
  'content-type',
  'te',
];
const ANSWER_NAMES = [
  'cache-control',
  'age',
  'date',
  'expires',
  'vary',
  'set-cookie',
  'etag',
  'connection',
  'content-length',
  'rekindle',
  'retry-after',
  'pragma',
];
/** Header values that parsers stumble over. */
export const VALUES = [
  '',
  '*',
  'no-store',
  'max-age=99999999999999999999',
  'max-age=-1',
  'max-age="5',
  'private="a,b',
  's-maxage=1,,,',
  'Thu, 01 Jan 1970 00:00:00 GMT',
  'gzip, br;q=0',
  'a=b; sid=; sid=x',
  'bytes=0-',
];

function headers(dice: Dice, names: readonly string[]): HeaderInit {
  const drawn: Record<string, string[]> = {};
  for (let i = dice.below(6); i > 0; i--) {
    const name = dice.chance(80) ? dice.pick(names) : `x-${dice.text(20).toLowerCase()}`;
    drawn[name] = [...(drawn[name] ?? []), dice.chance(50) ? dice.pick(VALUES) : dice.text(dice.chance(3) ? 70_000 : 60)];
  }
  return drawn;
}

export function randomRequest(it: Scene, dice: Dice): HttpStream {
  const path = dice.pick([
    '/catalog/1',
    '/catalog/2?a=1',
    '/catalog/2?b=%',
    '/catalog//',
    '/c',
    '/cart',
    '/cart/x?',
    '/plain',
    '/',
    '',
    '*',
    `/${dice.text(40)}`,
    `/catalog/${'x'.repeat(dice.below(70_000))}`,
  ]);
  const request = {
    path,
    method: dice.pick(['GET', 'GET', 'GET', 'HEAD', 'POST', '', dice.text(20)]),
    authority: dice.pick(['shop.example', '', 'a.b.example:1', dice.text(30)]),
  };
  const stream = it.proxy.request({ ...request, headers: headers(dice, NAMES), worker: dice.below(2), open: dice.chance(20) });
  if (dice.chance(15)) stream.sendBody(dice.text(200), dice.chance(50));
  return stream;
}

/** Something happens to a stream: an answer, a piece of one, a failure, its end. */
export function happen(stream: HttpStream, dice: Dice): void {
  const { upstream } = stream;
  const fate = dice.below(100);
  if (upstream === null || fate < 8) stream.cancel();
  else if (fate < 28) upstream.fail(dice.pick(['connect', 'reset', 'timeout', 'no-host', 'overflow', 'fault']));
  else answer(upstream, dice);
}

function answer(upstream: UpstreamRequest, dice: Dice): void {
  const status = dice.pick(['200', '200', '200', '204', '206', '304', '404', '500', '503', '99999999999', 'abc', '']);
  upstream.sendHeaders({ ':status': status, ...headers(dice, ANSWER_NAMES) }, dice.chance(20));
  for (let i = dice.below(4); i > 0; i--) upstream.sendData(dice.text(dice.chance(5) ? 100_000 : 300), false);
  const end = dice.below(100);
  if (end < 15) upstream.breakOff(dice.pick(['reset', 'timeout']));
  else if (end < 25) upstream.sendTrailers(headers(dice, ANSWER_NAMES));
  else if (end < 92) upstream.sendData('', true);
}

export function answerCalls(it: Scene, dice: Dice): void {
  it.proxy.clusters.set('spare', (call) => {
    const status = dice.pick([200, 200, 404, 500, 0, 99_999]);
    const fate = dice.below(100);
    if (fate < 15) call.reset();
    else if (fate < 30) call.refuse();
    else if (fate < 85) call.respond({ status, headers: headers(dice, ANSWER_NAMES), body: dice.text(500), afterMs: dice.below(150) });
  });
}

/** Text that was valid, with a byte changed, a piece cut out, doubled, or replaced by junk. */
export function spoil(text: string, dice: Dice): Uint8Array {
  const bytes = Buffer.from(text);
  const at = dice.below(bytes.length);
  const to = Math.min(bytes.length, at + dice.below(40));
  const junk = dice.pick([
    '',
    '{',
    '}',
    '"',
    '[[[[[[[[[[[[[[[[[[[[',
    '1e999',
    '-',
    '\\u',
    '\\ud800',
    'null',
    '\u0000',
    '"service":"x",',
    '99999999999999999999',
  ]);
  switch (dice.below(4)) {
    case 0:
      bytes[at] = dice.below(256);
      return bytes;
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
    default:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(junk), bytes.subarray(to)]);
  }
}
