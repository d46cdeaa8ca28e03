import { describe, expect, test } from 'vitest';
import type { ClusterHandler } from './calls.ts';
import { EnvoyProxy } from './proxy.ts';
import { type HostPort, Puppet, type Script } from './puppet.ts';
import { bodyText } from './text.ts';

const CALL_OUT_HEADERS = 6;
const CALL_OUT_BODY = 4;
const CALL: readonly (readonly [string, string])[] = [
  [':method', 'GET'],
  [':path', '/side'],
  [':authority', 'side'],
];

/** Calls out once, on the first tick of the main thread, and notes what comes back. */
function start(call: (host: HostPort) => number, script: Script = {}) {
  const seen: unknown[] = [];
  const started: number[] = [];
  const module = new Puppet({
    configure: (host) => {
      host.call('proxy_set_tick_period_milliseconds', 50);
      return 1;
    },
    tick: (host) => {
      host.call('proxy_set_tick_period_milliseconds', 0);
      return void started.push(call(host));
    },
    http_call_response: (host, _root, token, headers, bodySize) => {
      const body = host.read('proxy_get_buffer_bytes', CALL_OUT_BODY, 0, 1000);
      const status = host.header(CALL_OUT_HEADERS, ':status');
      return void seen.push({ token, headers, bodySize, status, body: typeof body === 'number' ? body : bodyText(body) });
    },
    done: () => 1,
    delete: () => undefined,
    ...script,
  });
  const proxy = EnvoyProxy.start({ module, plugin: { configuration: '{}' }, workers: 0 });
  return { module, proxy, seen, started };
}

const get = (host: HostPort) => host.callOut('side', CALL, 1000);

describe('call-outs', () => {
  test.for<{ name: string; answer: ClusterHandler; seen: object; afterMs?: number }>([
    {
      name: 'an answer',
      answer: (call) => call.respond({ status: 201, body: 'yes' }),
      seen: { headers: 1, status: '201', body: 'yes', bodySize: 3 },
    },
    {
      name: 'a time-out, as an answer that Envoy made',
      answer: () => undefined,
      afterMs: 1000,
      seen: { headers: 3, status: '504', body: 'upstream request timeout' },
    },
    { name: 'a refused connection, likewise', answer: (call) => call.refuse(), seen: { headers: 3, status: '503' } },
    { name: 'a reset, without headers', answer: (call) => call.reset(), seen: { headers: 0, status: 2, body: 1, bodySize: 0 } },
  ])('$name', ({ answer, seen: expected, afterMs = 1 }) => {
    const { proxy, seen, started } = start(get);
    proxy.clusters.set('side', answer);
    proxy.advance(50);
    expect(started[0]).toBeGreaterThan(0);
    expect(seen).toEqual([]);
    proxy.advance(afterMs);
    expect(seen).toMatchObject([{ token: started[0], ...expected }]);
    proxy.advance(10_000);
    expect(seen).toHaveLength(1);
  });

  test.for([
    { name: 'an unknown cluster', call: (host: HostPort) => host.callOut('nobody', CALL, 1000), result: 2 },
    { name: 'a missing :path', call: (host: HostPort) => host.callOut('side', CALL.slice(0, 1), 1000), result: 2 },
    { name: 'a negative time-out', call: (host: HostPort) => host.callOut('side', CALL, -1), result: 2 },
    { name: 'a cluster without hosts', call: (host: HostPort) => host.callOut('sick', CALL, 1000), result: 10 },
  ])('$name fails at once with $result and no callback', ({ call, result }) => {
    const { proxy, seen, started } = start(call);
    proxy.clusters.set('side', (pending) => pending.respond());
    proxy.clusters.set('sick', 'unhealthy');
    proxy.advance(5000);
    expect(started).toEqual([-result]);
    expect(seen).toEqual([]);
  });

  test('what was sent arrives', () => {
    const { proxy } = start((host) => host.callOut('side', [...CALL, ['x-a', 'b']], 700, 'body'));
    const arrived: unknown[] = [];
    proxy.clusters.set('side', (call) => arrived.push([call.method, call.path, call.headers.get('x-a'), call.text, call.timeoutMs]));
    proxy.advance(50);
    expect(arrived).toEqual([['GET', '/side', 'b', 'body', 700]]);
  });

  test('a removed root gets no callback', () => {
    const { proxy, seen, started } = start(get);
    proxy.clusters.set('side', (call) => call.respond({ afterMs: 100 }));
    proxy.advance(50);
    expect(started).toHaveLength(1);
    proxy.removePlugin(0);
    proxy.advance(5000);
    expect(seen).toEqual([]);
  });

  test('an answer is gone when its callback has returned', () => {
    const later: unknown[] = [];
    const { proxy } = start(get, { done: (host) => later.push(host.header(CALL_OUT_HEADERS, ':status')) && 1 });
    proxy.clusters.set('side', (call) => call.respond());
    proxy.advance(60);
    proxy.removePlugin(0);
    expect(later).toEqual([2]);
  });
});
