import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A line to a server on loopback that can be cut in either direction. */
export interface Line {
  readonly port: number;
  /** From now on what the server answers is thrown away, and then both ends are told that the connection is gone. */
  loseAnswers(): void;
  /** Cuts all connections, and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
}

/** A line to `port`; it goes with the test. */
export async function startLine(port: number): Promise<Line> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let isCut = false;
  let isLosing = false;
  const drop = () => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    pairs.clear();
  };
  const server = createServer((near) => {
    if (isCut) return void near.destroy();
    const far = connect(port, '127.0.0.1');
    pairs.add([near, far]);
    near.pipe(far);
    far.on('data', (data) => {
      if (isLosing) return drop();
      near.write(data);
    });
    for (const socket of [near, far]) socket.on('error', () => undefined);
    far.on('close', () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    drop();
    server.close();
  });
  return {
    port: (server.address() as { port: number }).port,
    loseAnswers: () => {
      isLosing = true;
    },
    cut: () => {
      isCut = true;
      drop();
    },
    mend: () => {
      isCut = false;
      isLosing = false;
    },
  };
}
