import { createServer, type ServerResponse } from 'node:http';
import { close, listen, sendJson } from '../http-server.ts';

/** An upstream with a fixed number of slots and an endless queue before them: what has arrived is worked off, whether or not anybody still waits for it. */
export interface QueueingUpstream {
  readonly port: number;
  /** Monotonic ms, as of `performance.now()`, at which each request arrived. */
  readonly arrivals: readonly number[];
  /** Arrivals that were not the first attempt at a request. */
  retries(): number;
  /** Requests that wait for a slot. */
  queued(): number;
  /** Time in ms that requests which start from now on take. */
  setServiceMs(serviceMs: number): void;
  close(): Promise<void>;
}

export async function startQueueingUpstream(port: number, slots: number, serviceMs: number): Promise<QueueingUpstream> {
  const arrivals: number[] = [];
  const waiting: ServerResponse[] = [];
  let retries = 0;
  let busy = 0;
  let takesMs = serviceMs;

  const work = (response: ServerResponse): void => {
    busy++;
    setTimeout(() => {
      busy--;
      if (!response.destroyed) sendJson(response, 200, { item: 1, price: 1299 }, 'public, max-age=1, stale-if-error=600');
      const next = waiting.shift();
      if (next !== undefined) work(next);
    }, takesMs);
  };
  const server = createServer((request, response) => {
    request.resume();
    arrivals.push(performance.now());
    if (Number(request.headers['x-envoy-attempt-count'] ?? 1) > 1) retries++;
    if (busy < slots) work(response);
    else waiting.push(response);
  });
  return {
    port: await listen(server, port),
    arrivals,
    retries: () => retries,
    queued: () => waiting.length,
    setServiceMs: (ms) => {
      takesMs = ms;
    },
    close: () => close(server),
  };
}
