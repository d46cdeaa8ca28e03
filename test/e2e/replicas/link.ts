import { connect, createServer, type Socket } from 'node:net';
import { listen } from '../../../envoy/demo/http-server.ts';

/** hanging: bytes stay where they are, and nobody is told. cut: connections are reset, new ones too. */
export type LinkState = 'whole' | 'hanging' | 'cut' | { readonly delayMs: number };

/** A wire between a replica and its store that a test can cut, slow down or let hang. */
export interface Link {
  readonly port: number;
  set(state: LinkState): void;
  /** Calls back with what the replica sends, before it goes on; with the wire set to hang there, it goes nowhere. */
  onSent(listener: (bytes: Buffer) => void): void;
  close(): Promise<void>;
}

/** A wire to this port of loopback. */
export async function startLink(to: number): Promise<Link> {
  let state: LinkState = 'whole';
  let listener: (bytes: Buffer) => void = () => undefined;
  const ends = new Set<Socket>();
  const held: (() => void)[] = [];

  const carry = (bytes: Buffer, target: Socket): void => {
    const go = (): void => void (target.destroyed || target.write(bytes));
    if (state === 'hanging') held.push(go);
    else if (typeof state === 'object') setTimeout(go, state.delayMs);
    else go();
  };
  const join = (replica: Socket): void => {
    if (state === 'cut') return void replica.resetAndDestroy();
    const store = connect({ host: '127.0.0.1', port: to, noDelay: true });
    for (const [socket, other] of [
      [replica, store],
      [store, replica],
    ] as const) {
      ends.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        ends.delete(socket);
        other.destroy();
      });
    }
    replica.on('data', (bytes: Buffer) => {
      listener(bytes);
      carry(bytes, store);
    });
    store.on('data', (bytes: Buffer) => carry(bytes, replica));
  };
  const server = createServer({ noDelay: true }, join);
  const port = await listen(server, 0);
  return {
    port,
    set: (next) => {
      state = next;
      if (next === 'cut') for (const socket of ends) socket.resetAndDestroy();
      // What hung arrives late, as from a network that comes back.
      if (next === 'whole') for (const go of held.splice(0)) go();
    },
    onSent: (next) => {
      listener = next;
    },
    close: async () => {
      for (const socket of ends) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
