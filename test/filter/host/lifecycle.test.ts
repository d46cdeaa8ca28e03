import { describe, expect, test } from 'vitest';
import { EnvoyProxy } from './proxy.ts';
import { Puppet, type Script, trap } from './puppet.ts';
import { bodyBytes } from './text.ts';

const CREATE_ONLY = 0xffffffff | 0;

function start(script: Script, init: Partial<Parameters<typeof EnvoyProxy.start>[0]> = {}) {
  const module = new Puppet({ vm_start: () => 1, configure: () => 1, ...script });
  const proxy = EnvoyProxy.start({ module, plugin: { configuration: '{"a":1}', rootId: 'root' }, tickShiftMs: 0, ...init });
  return { module, proxy };
}

describe('start', () => {
  test('configures workers + 2 times: a canary, the main thread, each worker', () => {
    const { module } = start({ configure: () => 1 }, { workers: 3 });
    expect(module.calls.filter((call) => call.startsWith('configure'))).toHaveLength(5);
  });

  test('each VM: root context, start, configure, with the size of the configuration', () => {
    const { module } = start({ context_create: () => undefined }, { workers: 0 });
    expect(module.calls).toEqual(Array.from({ length: 2 }, () => ['context_create(1,0)', 'vm_start(1,0)', 'configure(1,7)']).flat());
  });

  test('the configuration can be read while configuring, and only then', () => {
    const seen: unknown[] = [];
    const read = (host: { read: (...args: never[]) => unknown }) =>
      (host.read as (...args: unknown[]) => unknown)('proxy_get_buffer_bytes', 7, 0, 100);
    const { proxy } = start({
      configure: (host) => {
        seen.push(read(host));
        host.call('proxy_set_tick_period_milliseconds', 50);
        return 1;
      },
      tick: (host) => void seen.push(read(host)),
    });
    proxy.advance(50);
    expect(seen[0]).toEqual(bodyBytes('{"a":1}'));
    expect(seen.at(-1)).toBe(1);
  });

  test('what a canary writes to shared data stays, its calls do not', () => {
    const { proxy } = start({
      configure: (host) => (host.call('proxy_set_shared_data', 'key', 'canary', CREATE_ONLY) === 0 ? 1 : 1),
    });
    expect(proxy.shared.keys('rekindle')).toEqual(['key']);
  });
});

describe('ticks', () => {
  const ticking: Script = {
    configure: (host) => {
      host.call('proxy_set_tick_period_milliseconds', 50);
      return 1;
    },
    tick: () => undefined,
  };

  test('every VM ticks, the main thread too, the canary not', () => {
    const { module, proxy } = start(ticking);
    proxy.advance(100);
    expect(module.calls.filter((call) => call.startsWith('tick'))).toHaveLength(6);
  });

  test('threads are apart by their shift', () => {
    const times: number[] = [];
    const { proxy } = start({ ...ticking, tick: () => void times.push(proxy.clock.nowMs) }, { tickShiftMs: 7 });
    proxy.advance(110);
    expect(times).toEqual([50, 57, 64, 100, 107]);
  });

  test('period 0 stops', () => {
    const { module, proxy } = start({ ...ticking, tick: (host) => void host.call('proxy_set_tick_period_milliseconds', 0) });
    proxy.advance(500);
    expect(module.calls.filter((call) => call.startsWith('tick'))).toHaveLength(3);
  });
});

describe('a trap', () => {
  const trapOn = (path: string): Script => ({
    request_headers: (host) => (host.header(0, ':path') === path ? trap() : 0),
    response_body: () => 0,
  });

  test('answers that request with 503 and the next one finds a fresh VM, after the backoff', () => {
    const { proxy } = start(trapOn('/trap'));
    proxy.onUpstream = (upstream) => upstream.answer({});
    proxy.advance(1000);
    expect(proxy.request({ path: '/trap' }).client.status).toBe(503);
    const dead = proxy.workers[0]!.vm;
    expect(proxy.request({ path: '/ok' }).client.status).toBe(200);
    expect(proxy.workers[0]!.vm).not.toBe(dead);
    expect(proxy.request({ path: '/trap' }).client.status).toBe(503);
    expect(proxy.request({ path: '/ok' }).client.status, 'within the backoff').toBe(503);
    proxy.advance(100);
    expect(proxy.request({ path: '/ok' }).client.status).toBe(200);
  });

  test('takes the streams in flight with it: 503 when the upstream answers, cut in mid-body', () => {
    const { proxy } = start(trapOn('/trap'));
    proxy.advance(1000);
    const waiting = proxy.request({ path: '/waiting' });
    const halfway = proxy.request({ path: '/halfway' });
    halfway.upstream!.sendHeaders({ ':status': '200' }, false);
    proxy.request({ path: '/trap' });
    waiting.upstream!.answer({ body: 'late' });
    halfway.upstream!.sendData('rest', true);
    expect([waiting.client.status, waiting.info.codeDetails]).toEqual([503, 'wasm_fail_stream']);
    expect(halfway.client.broken).toBe('wasm_fail_stream');
  });

  test('leaves a stream that waits for a call-out hanging', () => {
    const { module, proxy } = start({
      request_headers: (host) => {
        if (host.header(0, ':path') === '/trap') return trap();
        host.callOut(
          'side',
          [
            [':method', 'GET'],
            [':path', '/'],
            [':authority', 'a'],
          ],
          1000,
        );
        return 1;
      },
      http_call_response: () => undefined,
    });
    proxy.clusters.set('side', (call) => call.respond());
    proxy.advance(1000);
    const paused = proxy.request({});
    proxy.request({ path: '/trap' });
    proxy.advance(60_000);
    expect(paused.client.hangs).toBe(true);
    expect(module.calls.filter((call) => call.startsWith('http_call_response'))).toEqual([]);
  });

  test('stops the ticks of that VM until a request brings a fresh one; the main thread stays dead', () => {
    const alive: string[] = [];
    const { proxy } = start({
      configure: (host) => {
        host.call('proxy_set_tick_period_milliseconds', 50);
        return 1;
      },
      tick: (host) =>
        host.call('proxy_set_shared_data', 'tick', 'x', 0) === 0 && proxy.clock.nowMs === 50 ? trap() : void alive.push('tick'),
    });
    proxy.advance(500);
    expect(proxy.liveVms).toEqual([]);
    proxy.onUpstream = (upstream) => upstream.answer({});
    proxy.request({ worker: 0 });
    proxy.advance(500);
    expect(proxy.liveVms.map((vm) => vm.name)).toEqual(['worker-0+1']);
    expect(alive.length).toBe(10);
  });
});

describe('several root contexts', () => {
  const script: Script = { context_create: () => undefined, done: () => 1, delete: () => undefined, log: () => undefined };

  test('a second plugin gets a root of its own in the same VMs', () => {
    const { proxy } = start(script);
    proxy.addPlugin({ configuration: '{}', rootId: 'second' });
    expect(proxy.threads.map(({ vm }) => vm.roots.size)).toEqual([2, 2, 2]);
  });

  test('on a change of configuration the old root goes with its last stream', () => {
    const { module, proxy } = start(script, { workers: 1 });
    const old = proxy.request({});
    proxy.replacePlugin(0, { configuration: '{"b":2}', rootId: 'root' });
    module.calls.length = 0;
    const fresh = proxy.request({});
    expect(fresh.root).not.toBe(old.root);
    old.upstream!.answer({});
    expect(module.calls).toEqual(['context_create(4,3)', 'log(2)', 'done(2)', 'delete(2)', 'done(1)', 'delete(1)']);
  });
});
