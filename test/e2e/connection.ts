import { Agent, request } from 'node:http';
import type { Stage } from '../../envoy/demo/stage.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** Monotonic ms at which the answer was complete. */
  readonly atMs: number;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One kept-alive connection to Envoy: all its requests are served by the same worker. */
export interface Connection {
  readonly worker: number;
  ask(path: string, options?: Ask): Promise<Reply>;
  close(): void;
}

/** Opens a connection and finds out, from Envoy's listener stats, which worker took it. */
export async function connect(stage: Pick<Stage, 'ports'>): Promise<Connection> {
  const before = await connectionsPerWorker(stage);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (path: string, options: Ask = {}): Promise<Reply> => askOn(agent, stage.ports.listener, path, options);
  await ask('/no-feature');
  const after = await connectionsPerWorker(stage);
  const worker = after.findIndex((count, index) => count > (before[index] ?? 0));
  if (worker < 0) throw new Error(`no worker took the connection: ${before} before, ${after} after`);
  return { worker, ask, close: () => agent.destroy() };
}

/** A connection on each of the workers 0 and 1. */
export async function connectToBoth(stage: Pick<Stage, 'ports'>): Promise<readonly [Connection, Connection]> {
  const found: Connection[] = [];
  for (let tries = 0; tries < 64; tries++) {
    const connection = await connect(stage);
    if (found[connection.worker] === undefined) found[connection.worker] = connection;
    else connection.close();
    const [first, second] = found;
    if (first !== undefined && second !== undefined) return [first, second];
  }
  throw new Error('64 connections all landed on one worker');
}

async function connectionsPerWorker(stage: Pick<Stage, 'ports'>): Promise<number[]> {
  const response = await fetch(`http://127.0.0.1:${stage.ports.admin}/stats?filter=worker_.*downstream_cx_total`);
  const counts: number[] = [];
  for (const [, address, worker, count] of (await response.text()).matchAll(
    /listener\.([^:]+)\.worker_(\d+)\.downstream_cx_total: (\d+)/g,
  )) {
    if (address?.endsWith(`_${stage.ports.listener}`)) counts[Number(worker)] = Number(count);
  }
  return counts;
}

/** Asks Envoy over the connections of an agent. */
export function askOn(agent: Agent, port: number, path: string, { method = 'GET', headers = {}, body }: Ask): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port, agent, method, path, headers: { host: 'shop.example', ...headers } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString('utf8'),
            atMs: performance.now(),
          }),
        );
      },
    );
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}
