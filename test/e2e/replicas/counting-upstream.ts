import { createServer } from 'node:http';
import { close, listen } from '../../../envoy/demo/http-server.ts';

export interface Arrival {
  readonly atMs: number;
  /** Requests that the upstream works on, this one included. */
  readonly inFlight: number;
}

/** An upstream that takes a while to answer, so that probes which overlap are seen to. */
export interface CountingUpstream {
  readonly port: number;
  isDown: boolean;
  readonly arrivals: readonly Arrival[];
  close(): Promise<void>;
}

const downAnswersAfterMs = 60;

/** Answers 200 at once, or while it is down 503 after a while. */
export async function startCountingUpstream(): Promise<CountingUpstream> {
  const arrivals: Arrival[] = [];
  let inFlight = 0;
  const server = createServer((request, response) => {
    request.resume();
    inFlight++;
    arrivals.push({ atMs: performance.now(), inFlight });
    response.once('close', () => {
      inFlight--;
    });
    if (!upstream.isDown) response.writeHead(200).end('fresh');
    else setTimeout(() => response.writeHead(503).end('down'), downAnswersAfterMs);
  });
  const port = await listen(server, 0);
  const upstream: CountingUpstream = { port, isDown: false, arrivals, close: () => close(server) };
  return upstream;
}
