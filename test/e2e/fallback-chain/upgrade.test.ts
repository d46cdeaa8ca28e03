import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { always, feature, openChainStage, openUpstream } from './stage.ts';

interface Upgraded {
  readonly status: number;
  readonly rekindle: string | undefined;
  /** What the other end said; of an upgraded connection, after `ping`. */
  readonly said: string;
}

/** Asks for a WebSocket; says `ping` when it gets one. */
function upgrade(port: number, path: string): Promise<Upgraded> {
  return new Promise((resolve, reject) => {
    const headers = {
      host: 'shop.example',
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    };
    const outgoing = request({ host: '127.0.0.1', port, path, headers });
    outgoing.once('error', reject);
    outgoing.once('upgrade', ({ statusCode = 0 }, socket) => {
      socket.once('data', (data: Buffer) => {
        resolve({ status: statusCode, rekindle: undefined, said: data.toString() });
        socket.destroy();
      });
      socket.once('error', reject);
      socket.write('ping');
    });
    outgoing.once('response', (response) => {
      let said = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
      response.once('end', () => resolve({ status: response.statusCode ?? 0, rekindle: response.headers['rekindle']?.toString(), said }));
    });
    outgoing.end();
  });
}

test('an upgraded stream is left alone; a failed upgrade passes as it came; a refused one gets a bare 503', async () => {
  const upstream = await openUpstream('shop', always(500, 'broken'));
  let speaks = true;
  upstream.server.on('upgrade', (incoming, socket) => {
    socket.on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    if (!speaks) {
      socket.end('HTTP/1.1 500 Internal Server Error\r\ncontent-length: 6\r\nconnection: close\r\n\r\nbroken');
      return;
    }
    const accept = createHash('sha1')
      .update(`${incoming.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
    );
    socket.on('data', (data: Buffer) => socket.write(`${data}-pong`));
  });
  const stage = await openChainStage({
    listeners: [
      {
        name: 'edge',
        features: [feature('chat', { fallback: [{ stale: {} }, { static: { status: 200, body: 'later' } }] })],
        routes: [{ match: { prefix: '/' }, route: { cluster: 'shop' } }],
        manager: { upgrade_configs: [{ upgrade_type: 'websocket' }] },
      },
    ],
    clusters: [upstream.cluster],
  });
  const port = stage.ports['edge'] ?? 0;
  expect(await upgrade(port, '/chat')).toEqual({ status: 101, rekindle: undefined, said: 'ping-pong' });
  speaks = false;
  expect(await upgrade(port, '/chat')).toEqual({ status: 500, rekindle: undefined, said: 'broken' });
  expect(await upgrade(port, '/chat')).toEqual({ status: 503, rekindle: 'refused; feature="chat"; reason=open', said: '' });
  expect(await stage.ask('/chat'), 'a page is served all the same').toMatchObject({ status: 200, body: 'later' });
});
