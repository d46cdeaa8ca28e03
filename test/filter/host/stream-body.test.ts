import { describe, expect, test } from 'vitest';
import type { HostPort, Script } from './puppet.ts';
import { CALL, startPuppet } from './puppet-proxy.ts';
import { bodyBytes, bodyText } from './text.ts';

const RESPONSE = 2;
const RESPONSE_BODY = 1;
const BAD_ARGUMENT = 2;
const STOP = 1;

describe('an answer that is held', () => {
  const hold: Script = {
    response_headers: (host) => {
      host.callOut('side', CALL, 1000);
      return STOP;
    },
    http_call_response: (host) => {
      if (host.call('proxy_set_effective_context', 2) !== 0) return undefined;
      return void host.call('proxy_continue_stream', 1);
    },
    response_body: () => 0,
  };

  test('goes on without a second header callback, and its body comes in one piece', () => {
    const { module, proxy } = startPuppet(hold);
    proxy.clusters.set('side', (call) => call.respond());
    proxy.onUpstream = (upstream) => upstream.answer({ body: ['a', 'b', 'c'] });
    const stream = proxy.request({});
    expect(module.calls).toEqual(['response_headers(2,1,0)']);
    proxy.advance(1);
    expect(module.calls.filter((call) => call.startsWith('response'))).toEqual(['response_headers(2,1,0)', 'response_body(2,3,1)']);
    expect(stream.client.body).toBe('abc');
  });

  test('is lost when its upstream dies: 502, and the stream cannot be entered', () => {
    const entered: number[] = [];
    const { proxy } = startPuppet({
      ...hold,
      http_call_response: (host) => {
        entered.push(host.call('proxy_set_effective_context', 2));
        return void entered.push(host.reply(200, '', 'too late'));
      },
    });
    proxy.clusters.set('side', (call) => call.respond({ afterMs: 10 }));
    const stream = proxy.request({});
    stream.upstream!.sendHeaders({ ':status': '200' }, false);
    stream.upstream!.breakOff();
    proxy.advance(10);
    expect(stream.client).toMatchObject({ status: 502, ended: true });
    expect(entered).toEqual([BAD_ARGUMENT, 0]);
  });

  test('must not be rewritten: that hangs on a real Envoy', () => {
    const { proxy } = startPuppet({
      ...hold,
      http_call_response: (host) => {
        host.call('proxy_set_effective_context', 2);
        host.call('proxy_replace_header_map_value', RESPONSE, ':status', '200');
        return void host.call('proxy_continue_stream', 1);
      },
    });
    proxy.clusters.set('side', (call) => call.respond());
    proxy.onUpstream = (upstream) => upstream.answer({ status: 503, body: 'x' });
    proxy.request({});
    proxy.advance(1);
    expect(proxy.hazards.join()).toContain('rewritten');
  });
});

describe('a body in passing', () => {
  const set = (start: number, length: number, data: string) => (host: HostPort) => {
    results.push(host.call('proxy_set_buffer_bytes', RESPONSE_BODY, start, length, bodyBytes(data)));
    return 0;
  };
  let results: number[] = [];

  test.for([
    { name: 'all of it is replaced', script: set(0, 100, 'new'), body: 'new', result: 0 },
    { name: 'nothing is blanked', script: set(0, 3, ''), body: '', result: 0 },
    { name: 'length 0 at 0 puts in front', script: set(0, 0, 'new'), body: 'newold', result: 0 },
    { name: 'from the end on appends', script: set(3, 0, 'new'), body: 'oldnew', result: 0 },
    { name: 'a part is refused', script: set(0, 2, 'new'), body: 'old', result: BAD_ARGUMENT },
    { name: 'the middle is refused', script: set(1, 1, 'new'), body: 'old', result: BAD_ARGUMENT },
  ])('$name', ({ script, body, result }) => {
    results = [];
    const { proxy } = startPuppet({ response_body: script });
    proxy.onUpstream = (upstream) => upstream.answer({ body: 'old' });
    expect(proxy.request({}).client.body).toBe(body);
    expect(results).toEqual([result]);
  });

  test('reading does not run over its end', () => {
    const seen: unknown[] = [];
    const read = (host: HostPort, from: number, length: number) => {
      const bytes = host.read('proxy_get_buffer_bytes', RESPONSE_BODY, from, length);
      seen.push(typeof bytes === 'number' ? bytes : bodyText(bytes));
    };
    const { proxy } = startPuppet({
      response_body: (host) => {
        read(host, 1, 100);
        read(host, 9, 100);
        read(host, -1, 5);
        return 0;
      },
    });
    proxy.onUpstream = (upstream) => upstream.answer({ body: 'old' });
    proxy.request({});
    expect(seen).toEqual(['ld', '', BAD_ARGUMENT]);
  });

  test('held chunks pass as one when the last one goes on', () => {
    const { module, proxy } = startPuppet({ response_body: (_host, _id, _size, end) => (end === 1 ? 0 : STOP) });
    proxy.onUpstream = (upstream) => upstream.answer({ body: ['a', 'b', 'c'] });
    expect(proxy.request({}).client.body).toBe('abc');
    expect(module.calls.slice(0, 3)).toEqual(['response_body(2,1,0)', 'response_body(2,2,0)', 'response_body(2,3,1)']);
  });
});
