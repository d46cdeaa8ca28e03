import type { Socket } from 'node:net';
import type { App } from './route.ts';

/** Answers that are not through after this are cut off. */
const CUT_AFTER_MS = 3000;
const LOOK_EVERY_MS = 50;

/**
 * Lets go of connections when the process stops: at once of those that never sent a request, which Node would wait for, of the others as
 * soon as their request is answered, and after three seconds of all.
 */
export function closeConnections(app: App): void {
  const unused = new Set<Socket>();
  app.server.on('connection', (socket: Socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  app.server.on('request', ({ socket }) => unused.delete(socket));

  app.addHook('preClose', async () => {
    const startedMs = performance.now();
    const look = setInterval(() => {
      for (const socket of unused) socket.destroy();
      if (performance.now() - startedMs > CUT_AFTER_MS) app.server.closeAllConnections();
      else app.server.closeIdleConnections();
    }, LOOK_EVERY_MS);
    app.server.once('close', () => clearInterval(look));
    if (!app.server.listening) clearInterval(look);
  });
}
