import { describe, expect, test } from 'vitest';
import type { HostPort } from './puppet.ts';
import { CALL, startPuppet } from './puppet-proxy.ts';

const REQUEST = 0;
const RESPONSE = 2;
const NOT_FOUND = 1;
const BAD_ARGUMENT = 2;
const STOP = 1;

describe('the happy path', () => {
  test('callbacks in order, each with sizes and end of stream', () => {
    const { module, proxy } = startPuppet({
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
    const { module, proxy } = startPuppet({ response_body: () => 0 });
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
    const { proxy } = startPuppet({ request_headers: look('request'), response_headers: look('response'), log: look('log') });
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
    const { proxy } = startPuppet({
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
    const { proxy } = startPuppet({
      request_headers: (host) => {
        seen = ask(host);
        return 0;
      },
    });
    proxy.request({ headers: { 'x-many': ['one', 'two'], 'x-empty': '' } });
    expect(seen).toBe(answer);
  });
});

describe('routes', () => {
  const routes = [
    { name: 'fallback', cluster: 'spare', header: { name: 'x-fallback' } },
    { name: 'default', cluster: 'upstream' },
  ];

  test('a header that the filter adds takes another route; the name is that of the first one until then', () => {
    const seen: unknown[] = [];
    const { proxy } = startPuppet(
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
    const { proxy } = startPuppet({}, { routes: routes.slice(0, 1) });
    expect(proxy.request({})).toMatchObject({ client: { status: 404 }, info: { codeDetails: 'route_not_found' } });
  });
});
