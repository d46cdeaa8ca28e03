import { describe, expect, test } from 'vitest';
import type { Script } from './puppet.ts';
import { startPuppet } from './puppet-proxy.ts';

const BAD_ARGUMENT = 2;

describe('how a stream ends', () => {
  const facts = (script: Script = {}) => {
    const seen: unknown[] = [];
    const { proxy } = startPuppet({
      log: (host) => {
        const flags = host.read('proxy_get_property', 'response\0flags');
        const number = typeof flags === 'number' ? flags : Number(Buffer.from(flags).readBigInt64LE());
        return void seen.push(number, host.text('proxy_get_property', 'response\0code_details'));
      },
      ...script,
    });
    return { proxy, seen };
  };

  test.for([
    { kind: 'connect', status: 503, flags: 32, details: /^upstream_reset_before_response_started\{remote_connection_failure/ },
    { kind: 'reset', status: 503, flags: 64, details: /^upstream_reset_before_response_started\{connection_termination\}/ },
    { kind: 'timeout', status: 504, flags: 4, details: /^response_timeout$/ },
    { kind: 'no-host', status: 503, flags: 2, details: /^no_healthy_upstream$/ },
    { kind: 'overflow', status: 503, flags: 128, details: /overflow/ },
    { kind: 'fault', status: 503, flags: 1024, details: /^fault_filter_abort$/ },
  ] as const)('Envoy answers $kind with $status and flags $flags', ({ kind, status, flags, details }) => {
    const { proxy, seen } = facts();
    proxy.onUpstream = (upstream) => upstream.fail(kind);
    expect(proxy.request({}).client.status).toBe(status);
    expect(seen).toEqual([flags, expect.stringMatching(details)]);
  });

  test('an answer of the upstream is via_upstream', () => {
    const { proxy, seen } = facts();
    proxy.onUpstream = (upstream) => upstream.answer({ status: 500 });
    proxy.request({});
    expect(seen).toEqual([0, 'via_upstream']);
  });

  test('a silent upstream is timed out by its route', () => {
    const { proxy, seen } = facts();
    const stream = proxy.request({});
    proxy.advance(14_999);
    expect(stream.client.hangs).toBe(true);
    proxy.advance(1);
    expect(stream.client.status).toBe(504);
    expect(seen[0]).toBe(4);
  });

  test.for([
    { kind: 'reset', flags: 1 << 23 },
    { kind: 'timeout', flags: 4 },
  ] as const)('a break by $kind in the body shows only in the log phase', ({ kind, flags }) => {
    const { proxy, seen } = facts();
    const stream = proxy.request({});
    stream.upstream!.sendHeaders({ ':status': '200' }, false);
    stream.upstream!.breakOff(kind);
    expect(stream.client.broken).not.toBeNull();
    expect(seen[0]).toBe(flags);
  });

  test('a client that goes away: flag 14, log before done before delete, the upstream is given up', () => {
    const { module, proxy } = startPuppet({});
    const stream = proxy.request({});
    stream.cancel();
    expect(module.calls).toEqual(['log(2)', 'done(2)', 'delete(2)']);
    expect(stream.info.flags).toBe(1 << 14);
    expect(stream.upstream!.cancelled).toBe(true);
  });

  test('after the end the stream cannot be entered', () => {
    const entered: number[] = [];
    const { proxy } = startPuppet({
      configure: (host) => {
        host.call('proxy_set_tick_period_milliseconds', 50);
        return 1;
      },
      tick: (host) => void entered.push(host.call('proxy_set_effective_context', 2)),
    });
    proxy.onUpstream = (upstream) => upstream.answer({});
    proxy.request({});
    proxy.advance(57);
    expect(entered).toEqual([BAD_ARGUMENT, BAD_ARGUMENT]);
  });
});
