import { describe, expect, test } from 'vitest';
import { EnvoyProxy } from './proxy.ts';
import { type HostPort, Puppet, type Script } from './puppet.ts';
import { bodyBytes, bodyText } from './text.ts';

const REQUEST = 0;
const RESPONSE = 2;
const RESPONSE_BODY = 1;
const NOT_FOUND = 1;
const BAD_ARGUMENT = 2;
const STOP = 1;

function start(script: Script, init: Partial<Parameters<typeof EnvoyProxy.start>[0]> = {}) {
  const module = new Puppet({ log: () => undefined, done: () => 1, delete: () => undefined, ...script });
  const proxy = EnvoyProxy.start({ module, plugin: { configuration: '{}' }, workers: 1, ...init });
  module.calls.length = 0;
  return { module, proxy };
}

describe('the happy path', () => {
  test('callbacks in order, each with sizes and end of stream', () => {
    const { module, proxy } = start({
      context_create: () => undefined,
      request_headers: () => 0,
      request_body: () => 0,
      response_headers: () => 0,
      response_body: () => 0,
      response_trailers: () => 0,
    });
    proxy.onUpstream = (upstream) => upstream.answer({ headers: { a: 'b' }, body: ['one', 'three'], trailers: { t: '1' } });
    const stream = proxy.request({ method: 'POST', body: 'hello' });
    expect(module.calls).toEqual([
      'context_create(2,1)',
      'request_headers(2,4,0)',
      'request_body(2,5,1)',
      'response_headers(2,2,0)',
      'response_body(2,3,0)',
      'response_body(2,5,0)',
      'response_trailers(2,1)',
      'log(2)',
      'done(2)',
      'delete(2)',
    ]);
    expect(stream.client).toMatchObject({ status: 200, body: 'onethree', ended: true });
    expect(stream.upstream).toMatchObject({ cluster: 'upstream', body: 'hello', ended: true });
  });

  test('HTTP/1.1 ends a body with an empty chunk', () => {
    const { module, proxy } = start({ response_body: () => 0 });
    proxy.onUpstream = (upstream) => upstream.answer({ body: 'x', endsWithEmptyChunk: true });
    proxy.request({});
    expect(module.calls.slice(0, 2)).toEqual(['response_body(2,1,0)', 'response_body(2,0,1)']);
  });
});

describe('which headers can be seen', () => {
  test('request headers are gone in the response callbacks and back in the log phase', () => {
    const seen: Record<string, unknown> = {};
    const look = (at: string) => (host: HostPort) => {
      seen[at] = [host.header(REQUEST, ':path'), host.header(RESPONSE, ':status'), host.text('proxy_get_property', 'request\0path')];
      return 0;
    };
    const { proxy } = start({ request_headers: look('request'), response_headers: look('response'), log: look('log') });
    proxy.onUpstream = (upstream) => upstream.answer({ status: 201 });
    proxy.request({ path: '/here' });
    expect(seen).toEqual({
      request: ['/here', BAD_ARGUMENT, '/here'],
      response: [BAD_ARGUMENT, '201', NOT_FOUND],
      log: ['/here', '201', '/here'],
    });
  });

  test('a request that is held shows its headers until it goes on', () => {
    const seen: unknown[] = [];
    const { proxy } = start({
      request_headers: (host) => {
        host.callOut('side', CALL, 100);
        return STOP;
      },
      http_call_response: (host) => {
        host.call('proxy_set_effective_context', 2);
        seen.push(host.header(REQUEST, ':path'));
        host.call('proxy_continue_stream', 0);
        return void seen.push(host.header(REQUEST, ':path'));
      },
    });
    proxy.clusters.set('side', (call) => call.respond());
    proxy.request({ path: '/held' });
    proxy.advance(1);
    expect(seen).toEqual(['/held', BAD_ARGUMENT]);
    expect(proxy.arrivals).toHaveLength(1);
    expect(proxy.hazards).toEqual([]);
  });

  test.for([
    { name: 'an absent name', ask: (host: HostPort) => host.header(REQUEST, 'x-none'), answer: NOT_FOUND },
    { name: 'the first of several values', ask: (host: HostPort) => host.header(REQUEST, 'x-many'), answer: 'one' },
    { name: 'a name in capitals', ask: (host: HostPort) => host.header(REQUEST, 'X-Many'), answer: 'one' },
    { name: 'an empty value', ask: (host: HostPort) => host.header(REQUEST, 'x-empty'), answer: '' },
    { name: 'a map that does not exist', ask: (host: HostPort) => host.header(99, 'x'), answer: BAD_ARGUMENT },
    {
      name: 'a name outside of memory',
      ask: (host: HostPort) => host.call('proxy_get_header_map_value', REQUEST, -8, 100, 16, 20),
      answer: 6,
    },
    {
      name: 'a value when memory is refused',
      ask: (host: HostPort) => {
        host.refuseMemory = true;
        return host.header(REQUEST, 'x-many');
      },
      answer: 6,
    },
  ])('$name answers $answer', ({ ask, answer }) => {
    let seen: unknown;
    const { proxy } = start({
      request_headers: (host) => {
        seen = ask(host);
        return 0;
      },
    });
    proxy.request({ headers: { 'x-many': ['one', 'two'], 'x-empty': '' } });
    expect(seen).toBe(answer);
  });
});

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
    const { module, proxy } = start(hold);
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
    const { proxy } = start({
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
    const { proxy } = start({
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
    const { proxy } = start({ response_body: script });
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
    const { proxy } = start({
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
    const { module, proxy } = start({ response_body: (_host, _id, _size, end) => (end === 1 ? 0 : STOP) });
    proxy.onUpstream = (upstream) => upstream.answer({ body: ['a', 'b', 'c'] });
    expect(proxy.request({}).client.body).toBe('abc');
    expect(module.calls.slice(0, 3)).toEqual(['response_body(2,1,0)', 'response_body(2,2,0)', 'response_body(2,3,1)']);
  });
});

describe('how a stream ends', () => {
  const facts = (script: Script = {}) => {
    const seen: unknown[] = [];
    const { proxy } = start({
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
    const { module, proxy } = start({});
    const stream = proxy.request({});
    stream.cancel();
    expect(module.calls).toEqual(['log(2)', 'done(2)', 'delete(2)']);
    expect(stream.info.flags).toBe(1 << 14);
    expect(stream.upstream!.cancelled).toBe(true);
  });

  test('after the end the stream cannot be entered', () => {
    const entered: number[] = [];
    const { proxy } = start({
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

describe('routes', () => {
  const routes = [
    { name: 'fallback', cluster: 'spare', header: { name: 'x-fallback' } },
    { name: 'default', cluster: 'upstream' },
  ];

  test('a header that the filter adds takes another route; the name is that of the first one until then', () => {
    const seen: unknown[] = [];
    const { proxy } = start(
      {
        request_headers: (host) => {
          host.call('proxy_add_header_map_value', REQUEST, 'x-fallback', '1');
          seen.push(host.text('proxy_get_property', 'xds\0cluster_name'), host.text('proxy_get_property', 'cluster_name'));
          return 0;
        },
        response_headers: (host) => void seen.push(host.text('proxy_get_property', 'xds\0cluster_name')) as undefined,
      },
      { routes },
    );
    proxy.onUpstream = (upstream) => upstream.answer({});
    expect(proxy.request({}).upstream!.cluster).toBe('spare');
    expect(seen).toEqual(['upstream', NOT_FOUND, 'spare']);
  });

  test('without a route Envoy answers 404', () => {
    const { proxy } = start({}, { routes: routes.slice(0, 1) });
    expect(proxy.request({})).toMatchObject({ client: { status: 404 }, info: { codeDetails: 'route_not_found' } });
  });
});

const CALL: readonly (readonly [string, string])[] = [
  [':method', 'GET'],
  [':path', '/'],
  [':authority', 'side'],
];
