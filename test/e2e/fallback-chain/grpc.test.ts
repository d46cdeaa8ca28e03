import { type ClientHttp2Session, connect, createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { loopbackCluster } from '../../../envoy/demo/envoy-listeners.ts';
import { feature, openChainStage } from './stage.ts';

const HTTP2 = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

type Answer = (stream: ServerHttp2Stream) => void;

const fine: Answer = (stream) => {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.of(0, 0, 0, 0, 0));
};
const unavailable: Answer = (stream) =>
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '14', 'grpc-message': 'down' }, { endStream: true });
const proxyError: Answer = (stream) => {
  stream.respond({ ':status': 503, 'content-type': 'text/plain' });
  stream.end('proxy error');
};

/** A gRPC service in the clear, and the answer that the test gives. */
async function openService() {
  const service = { answer: fine, cluster: {} };
  const server = createServer();
  server.on('stream', (stream) => {
    stream.on('error', () => undefined);
    service.answer(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  service.cluster = loopbackCluster('service', (server.address() as AddressInfo).port, HTTP2);
  return service;
}

interface Call {
  readonly headers: Record<string, unknown>;
  readonly trailers: Record<string, unknown>;
  readonly body: string;
}

function call(session: ClientHttp2Session, path: string, type = 'application/grpc'): Promise<Call> {
  return new Promise((resolve, reject) => {
    const te: Record<string, string> = type === 'application/grpc' ? { te: 'trailers' } : {};
    const stream = session.request({ ':method': 'POST', ':path': path, ':authority': 'shop.example', 'content-type': type, ...te });
    let [headers, trailers, body]: [Record<string, unknown>, Record<string, unknown>, string] = [{}, {}, ''];
    stream.on('response', (got) => (headers = { ...got }));
    stream.on('trailers', (got) => (trailers = { ...got }));
    stream.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    stream.on('error', reject).on('end', () => resolve({ headers, trailers, body }));
    stream.end(Buffer.of(0, 0, 0, 0, 0));
  });
}

test('a gRPC call is never answered by a body of ours; a refused one gets status 14 and when to come back', async () => {
  const service = await openService();
  const later = { static: { status: 200, body: 'later' } };
  const stage = await openChainStage({
    listeners: [
      {
        name: 'edge',
        features: [
          feature('orders', { protocol: 'grpc' }),
          feature('web', { protocol: 'grpc-web' }),
          feature('mixed', { fallback: [later] }),
        ],
        routes: [{ match: { prefix: '/' }, route: { cluster: 'service' } }],
      },
    ],
    clusters: [service.cluster],
  });
  const session = connect(`http://127.0.0.1:${stage.ports['edge']}`);
  onTestFinished(() => session.destroy());

  expect(await call(session, '/orders/List')).toMatchObject({ trailers: { 'grpc-status': '0' } });
  service.answer = unavailable;
  expect((await call(session, '/orders/List')).headers).toMatchObject({ ':status': 200, 'grpc-status': '14', 'grpc-message': 'down' });
  const refused = await call(session, '/orders/List');
  expect(refused).toMatchObject({
    headers: { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '14', 'grpc-retry-pushback-ms': '30000' },
    body: '',
  });
  expect(refused.headers['grpc-message']).toBeUndefined();
  const [, , line] = await stage.logged('/orders/List', 3);
  expect(line).toMatchObject({
    details: 'rekindle{feature=orders,reason=open,rung=none}',
    rekindle: 'refused; feature="orders"; reason=open',
  });

  service.answer = proxyError;
  expect(await call(session, '/mixed/List')).toMatchObject({ headers: { ':status': 503 }, body: 'proxy error' });
  expect(await call(session, '/mixed/List')).toMatchObject({ headers: { ':status': 200, 'grpc-status': '14' }, body: '' });

  await call(session, '/web/List', 'application/grpc-web+proto');
  const web = await call(session, '/web/List', 'application/grpc-web+proto');
  expect(web).toMatchObject({ headers: { ':status': 503, 'grpc-retry-pushback-ms': '30000' }, body: '' });
});
