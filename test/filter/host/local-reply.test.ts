import { describe, expect, test } from 'vitest';
import type { LocalReply } from './context.ts';
import { HeaderMap } from './header-map.ts';
import { prepareReply } from './local-reply.ts';
import type { Script } from './puppet.ts';
import { CALL, startPuppet } from './puppet-proxy.ts';
import { bodyBytes, bodyText } from './text.ts';

const RESPONSE = 2;

describe('headers of a local reply', () => {
  const reply = (init: Partial<LocalReply>): LocalReply => ({
    status: 503,
    body: bodyBytes(''),
    headers: [],
    grpcStatus: -1,
    details: '',
    ...init,
  });
  const json: LocalReply['headers'] = [['content-type', 'application/json']];
  const rows = [
    {
      name: 'a body brings content-length and content-type',
      reply: reply({ body: bodyBytes('no') }),
      headers: { ':status': '503', 'content-length': '2', 'content-type': 'text/plain' },
      body: 'no',
    },
    {
      name: 'a content-type that is given stays',
      reply: reply({ status: 200, body: bodyBytes('{}'), headers: json }),
      headers: { ':status': '200', 'content-type': 'application/json', 'content-length': '2' },
      body: '{}',
    },
    {
      name: 'without a body both go',
      reply: reply({ headers: [...json, ['content-length', '7']] }),
      headers: { ':status': '503' },
      body: '',
    },
    {
      name: 'HEAD keeps content-length and loses the body',
      method: 'HEAD',
      reply: reply({ body: bodyBytes('no') }),
      headers: { ':status': '503', 'content-length': '2', 'content-type': 'text/plain' },
      body: '',
    },
    {
      name: 'gRPC: trailers only, the body as the message',
      grpc: 'application/grpc',
      reply: reply({ body: bodyBytes('a b'), grpcStatus: 14 }),
      headers: { ':status': '200', 'content-type': 'application/grpc', 'grpc-status': '14', 'grpc-message': 'a%20b' },
      body: '',
    },
    {
      name: 'gRPC: no status given and code 200 is UNKNOWN',
      grpc: 'application/grpc+proto',
      reply: reply({ status: 200 }),
      headers: { ':status': '200', 'content-type': 'application/grpc', 'grpc-status': '2' },
      body: '',
    },
    {
      name: 'gRPC-web is not recognised',
      grpc: 'application/grpc-web',
      reply: reply({ body: bodyBytes('no'), grpcStatus: 14 }),
      headers: { ':status': '503', 'content-length': '2', 'content-type': 'text/plain' },
      body: 'no',
    },
  ];
  test.for(rows)('$name', ({ reply: given, headers, body, method = 'GET', grpc }) => {
    const request = HeaderMap.of({ ':method': method, ...(grpc === undefined ? {} : { 'content-type': grpc }) });
    const prepared = prepareReply(given, request);
    expect(Object.fromEntries(prepared.headers.pairs)).toEqual(headers);
    expect(bodyText(prepared.body)).toBe(body);
  });
});

describe('where a local reply ends up', () => {
  test('before the answer: it runs through the response callbacks of its own sender', () => {
    const { module, proxy } = startPuppet({
      request_headers: (host) => host.reply(403, 'no way', 'denied') && 0,
      response_headers: (host) => host.call('proxy_add_header_map_value', RESPONSE, 'x-seen', 'yes'),
      response_body: () => 0,
    });
    const stream = proxy.request({});
    expect(stream.client).toMatchObject({ status: 403, body: 'denied', ended: true });
    expect(stream.client.header('x-seen')).toBe('yes');
    expect(module.calls).toEqual([
      'request_headers(2,4,1)',
      'response_headers(2,3,0)',
      'response_body(2,6,1)',
      'log(2)',
      'done(2)',
      'delete(2)',
    ]);
    expect(stream.info.codeDetails, 'blanks become underscores').toBe('no_way');
    expect(proxy.arrivals).toEqual([]);
  });

  test('the stream stops whatever the callback answers', () => {
    const { proxy } = startPuppet({ request_headers: (host) => host.reply(403, '', '') });
    proxy.request({});
    expect(proxy.arrivals).toEqual([]);
  });

  test('the next stream is not stopped by it', () => {
    const { proxy } = startPuppet({ request_headers: (host) => (host.header(0, ':path') === '/no' ? host.reply(403, '', '') : 0) });
    proxy.request({ path: '/no' });
    proxy.request({ path: '/yes' });
    expect(proxy.arrivals.map(({ path }) => path)).toEqual(['/yes']);
  });

  test('a reply to another stream stops the one whose callback gave it', () => {
    const { proxy } = startPuppet({
      request_headers: (host) => {
        if (host.header(0, ':path') === '/held') return 1;
        host.call('proxy_set_effective_context', 2);
        return host.reply(200, '', 'for the held one');
      },
    });
    const held = proxy.request({ path: '/held' });
    const second = proxy.request({ path: '/second' });
    expect(held.client.body).toBe('for the held one');
    expect(second.held).toBe('request');
  });

  test('it takes effect when the callback returns', () => {
    const order: string[] = [];
    const { proxy } = startPuppet({
      request_headers: (host) => {
        host.reply(403, '', 'x');
        order.push('callback ends');
        return 0;
      },
      response_headers: () => void order.push('reply') as undefined,
    });
    proxy.request({});
    expect(order).toEqual(['callback ends', 'reply']);
  });

  const replaceAnswer: Script = { response_headers: (host) => host.reply(200, 'rekindle', 'instead'), response_body: () => 0 };
  test.for([
    { name: 'an upstream answer with a body', answer: { status: 503, body: 'upstream body' } },
    { name: 'an upstream answer that its headers end', answer: { status: 503 } },
  ])('on $name: straight to the client, past the callbacks', ({ answer }) => {
    const { module, proxy } = startPuppet(replaceAnswer);
    proxy.onUpstream = (upstream) => upstream.answer(answer);
    const stream = proxy.request({});
    expect(stream.client).toMatchObject({ status: 200, body: 'instead', ended: true });
    expect(module.calls.filter((call) => call.startsWith('response'))).toHaveLength(1);
  });

  test('on a failure that Envoy answered: the flags stay those of the failure', () => {
    const { proxy } = startPuppet(replaceAnswer);
    proxy.onUpstream = (upstream) => upstream.fail('connect');
    const stream = proxy.request({});
    expect(stream.client).toMatchObject({ status: 200, body: 'instead' });
    expect(stream.info).toMatchObject({ flags: 32, codeDetails: 'rekindle' });
  });

  test('after the headers were sent: the stream is reset, and that is a hazard', () => {
    const { proxy } = startPuppet({ response_body: (host) => host.reply(200, '', 'late') });
    const stream = proxy.request({});
    stream.upstream!.sendHeaders({ ':status': '200' }, false);
    stream.upstream!.sendData('x', true);
    expect(stream.client.broken).not.toBeNull();
    expect(proxy.hazards).toHaveLength(1);
  });

  test('from the callback of a call-out, for a held answer', () => {
    const { proxy } = startPuppet({
      response_headers: (host) => {
        host.callOut('side', CALL, 100);
        return 1;
      },
      http_call_response: (host) => {
        host.call('proxy_set_effective_context', 2);
        return void host.reply(200, '', 'from the side');
      },
    });
    proxy.clusters.set('side', (call) => call.respond());
    proxy.onUpstream = (upstream) => upstream.answer({ status: 503, body: 'gone' });
    const stream = proxy.request({});
    expect(stream.held).toBe('response');
    proxy.advance(1);
    expect(stream.client).toMatchObject({ status: 200, body: 'from the side' });
    expect(proxy.hazards).toEqual([]);
  });

  test.for([
    {
      name: 'a second reply',
      act: (host: Parameters<NonNullable<Script['log']>>[0]) => host.reply(404, '', 'second'),
      hazard: 'second local reply',
    },
    {
      name: 'going on after a reply',
      act: (host: Parameters<NonNullable<Script['log']>>[0]) => host.call('proxy_continue_stream', 0),
      hazard: 'continued after a local reply',
    },
  ])('$name is a hazard', ({ act, hazard }) => {
    const { proxy } = startPuppet({ request_headers: (host) => host.reply(403, '', 'x'), response_headers: (host) => act(host) });
    proxy.request({});
    expect(proxy.hazards.join()).toContain(hazard);
  });
});
