import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HttpStream } from '../host/stream.ts';
import { SORRY, TO_SPARE, withCluster } from './cluster-scene.ts';
import { expectClean, feature, type Json } from './scene.ts';

const SECOND: Json = { cluster: { name: 'second', timeoutMs: 300 } };
const CHAINS: readonly (readonly Json[])[] = [
  [],
  [TO_SPARE],
  [TO_SPARE, SECOND],
  [SECOND, SORRY],
  [{ stale: {} }, TO_SPARE, SORRY],
  [{ ...TO_SPARE }, { static: { status: 204 } }],
];
const REQUESTS = [
  { path: '/catalog/1' },
  { path: '/catalog/2', headers: { 'if-none-match': '"7"' } },
  { path: '/catalog/1', method: 'HEAD' },
  { path: '/catalog/1', method: 'POST', body: 'pay' },
  { path: '/catalog/1', headers: { upgrade: 'websocket' }, open: true },
  { path: '/catalog/1', method: 'POST', headers: { te: 'trailers', 'content-type': 'application/grpc' }, body: 'x' },
] as const;

/** What happens next, and to which of the streams or call-outs there are. */
const events = fc.array(
  fc.tuple(
    fc.constantFrom('ask', 'ask', 'ask', 'good', 'bad', 'bare', 'trailed', 'cut', 'cancel', 'answer', 'fail', 'reset', 'lose', 'wait'),
    fc.nat({ max: 60 }),
  ),
  { minLength: 10, maxLength: 60 },
);

// Hazards of the emulated Envoy are a second local reply, a stream continued after one or without being held, an answer rewritten too late.
test('law: in whatever order things happen, no stream is answered twice, continued after its answer, or left to hang', () => {
  fc.assert(
    fc.property(fc.constantFrom(...CHAINS), fc.boolean(), events, (chain, hasRoute, course) => {
      const it = withCluster(chain, {
        features: [feature('catalog', { fallback: chain, fallbackTimeoutMs: 600 })],
        ...(hasRoute ? {} : { routes: [{ name: 'default', cluster: 'upstream' }] }),
      });
      it.proxy.clusters.set('second', (call) => it.calls.push(call));
      const streams: HttpStream[] = [];
      for (const [event, at] of course) {
        const stream = streams[at % Math.max(streams.length, 1)];
        const call = it.calls[at % Math.max(it.calls.length, 1)];
        // An upstream answers once.
        const upstream = stream?.upstream?.answered === 'no' ? stream.upstream : undefined;
        if (event === 'ask') streams.push(it.proxy.request(REQUESTS[at % REQUESTS.length]));
        else if (event === 'good') upstream?.answer({ status: 200, headers: { etag: '"7"', 'content-length': '4' }, body: 'fine' });
        else if (event === 'bad') upstream?.answer({ status: 500, body: ['bro', 'ken'] });
        else if (event === 'bare') upstream?.answer({ status: 503 });
        else if (event === 'trailed') upstream?.answer({ status: 500, trailers: { sum: '1' } });
        else if (event === 'cut') stream?.upstream?.breakOff();
        else if (event === 'cancel') stream?.cancel();
        else if (event === 'answer') call?.respond({ status: 200, body: 'other' });
        else if (event === 'fail') call?.respond({ status: 500 });
        else if (event === 'reset') call?.reset();
        else if (event === 'lose') call?.cancel();
        else it.advance(at * 5);
      }
      it.advance(2000);
      const held = streams.filter((stream) => stream.held !== null);
      for (const { client } of streams) if (client.status === 204 || client.status === 304) expect(client.body).toBe('');
      for (const stream of streams) stream.cancel();
      it.advance(100);
      expect(held).toEqual([]);
      expectClean();
    }),
    { numRuns: 150 },
  );
});
