import { createServer } from 'node:http';
import { loopbackCluster } from '../../../envoy/demo/envoy-listeners.ts';
import type { EnvoyProcess } from '../../../envoy/demo/envoy-process.ts';
import { close, listen } from '../../../envoy/demo/http-server.ts';
import { parseMarker } from '../../../envoy/demo/load.ts';
import { sumIn } from '../../../envoy/demo/prometheus.ts';
import { waitFor } from '../../../envoy/demo/wait.ts';
import { filterOf, PATH } from './contestants.ts';
import { atLeast, type Section, times, us } from './figure.ts';
import { directResponse, type Effort, measure, planListener, proxied, startMeasured } from './side-by-side.ts';
import { cost, quantile } from './statistics.ts';

const sizes = [1024, 65_536];
/** Share of Envoy's own rate that a degraded answer must reach. */
const BAR = 0.65;

/** A copy from shared data while the breaker is OPEN, against a direct response of the same body. */
export async function degradedReplies(folder: string, effort: Effort): Promise<Section> {
  const rows: string[][] = [];
  const figures = [];
  for (const bytes of sizes) {
    const { direct, copy } = await compare(`${folder}-${bytes}`, bytes, effort);
    const size = `${bytes / 1024} KiB`;
    const rate = cost(direct) / cost(copy);
    rows.push([`direct_response, ${size}`, spread(direct), ''], [`stale copy, ${size}`, spread(copy), times(rate)]);
    figures.push(atLeast(`rate of degraded answers by CPU, of Envoy's own direct_response, ${size}`, rate, BAR, times));
  }
  return {
    title: 'Degraded answers',
    text: 'While the breaker is OPEN: the `stale` rung from shared data, beside `direct_response` with the same body. CPU time per request in us.',
    header: ['answer', 'per request', 'rate'],
    rows,
    figures,
  };
}

async function compare(folder: string, bytes: number, effort: Effort): Promise<{ direct: number[]; copy: number[] }> {
  const upstream = await startFailing(bytes);
  const plans = [
    await planListener('direct', [], directResponse(bytes)),
    await planListener('copy', [await filterOf('copy', staleCopies)], proxied),
  ] as const;
  const envoy = await startMeasured(folder, plans, [loopbackCluster('upstream', upstream.port)]);
  try {
    await tripWithCopy(envoy, plans[1].port, upstream);
    const costs = await measure(envoy, plans, PATH, effort);
    const last = await fetch(`http://127.0.0.1:${plans[1].port}${PATH}`);
    if (!isCopy(last) || (await last.text()).length !== bytes) throw new Error('the answers that were measured were no stale copies');
    return { direct: costs.get('direct') ?? [], copy: costs.get('copy') ?? [] };
  } finally {
    await envoy.stop();
    await upstream.close();
  }
}

const staleCopies = {
  mode: 'enforce',
  cache: { entries: 16, maxBodyBytes: 65_536 },
  services: [
    {
      service: 'copy',
      policy: {
        service: 'copy',
        features: [
          {
            name: 'catalog',
            routes: [{ path: { template: '/catalog/items/{id}' } }],
            breaker: { consecutiveFailures: 2, openMs: 600_000, openCapMs: 600_000, jitter: 'none' },
            fallback: [{ stale: { maxStaleMs: 3_600_000 } }],
          },
        ],
      },
    },
  ],
};

/** An upstream that answers until it is told to fail. */
interface Failing {
  readonly port: number;
  fail(): void;
  close(): Promise<void>;
}

async function startFailing(bytes: number): Promise<Failing> {
  const body = Buffer.alloc(bytes, 'x');
  let isWell = true;
  const server = createServer((_, response) => {
    const headers = { 'content-type': 'text/plain', 'content-length': bytes, 'cache-control': 'public, max-age=1, stale-if-error=3600' };
    if (isWell) response.writeHead(200, headers).end(body);
    else response.writeHead(503).end();
  });
  return {
    port: await listen(server, 0),
    fail: () => {
      isWell = false;
    },
    close: () => close(server),
  };
}

/** Lets the filter take its copy, then fails until the breaker is OPEN. */
async function tripWithCopy(envoy: EnvoyProcess, port: number, upstream: Failing): Promise<void> {
  const ask = async (): Promise<Response> => {
    const response = await fetch(`http://127.0.0.1:${port}${PATH}`);
    await response.arrayBuffer();
    return response;
  };
  await ask();
  // Copies have their lasting place once the worker has ticked, which is when it tells its counts.
  const hasTicked = async (): Promise<true | null> => (sumIn(await envoy.metrics(), 'rekindle_requests_total') > 0 ? true : null);
  await waitFor("the worker's first tick", hasTicked, 10_000);
  await ask();
  upstream.fail();
  await waitFor('the breaker to open, and the copy to be served', async () => (isCopy(await ask()) ? true : null), 10_000);
}

function isCopy(response: Response): boolean {
  const { rung, reason } = parseMarker(response.headers.get('rekindle') ?? '');
  return response.status === 200 && rung === 'stale' && reason === 'open';
}

function spread(costs: readonly number[]): string {
  return `${us(cost(costs))} (${us(quantile(costs, 0))} to ${us(quantile(costs, 1))})`;
}
