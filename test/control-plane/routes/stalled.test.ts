import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { Readable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { endIfStalled } from '../../../control-plane/http/stalled.ts';

test('a stream whose reader takes nothing ends, and lets go of what it holds', async () => {
  let held = true;
  async function* endless() {
    try {
      for (;;) yield 'x'.repeat(65_536);
    } finally {
      held = false;
    }
  }
  const server = createServer((_, response) => {
    const stream = Readable.from(endless());
    stream.on('error', () => response.destroy());
    endIfStalled(response, stream, 100);
    stream.pipe(response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
    server.close();
  });
  socket.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
  await expect.poll(() => held, { timeout: 5000 }).toBe(false);
});
