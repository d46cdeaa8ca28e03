import { createServer } from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { close, listen } from '../../../envoy/demo/http-server.ts';
import { freePort } from '../../../envoy/demo/ports.ts';
import { sumIn } from '../../../envoy/demo/prometheus.ts';
import { pause, waitFor } from '../../../envoy/demo/wait.ts';
import { buildTrapping, POISON, TRAP_HEADER } from '../../fuzz/planted.ts';
import { type Ask, type Connection, connect, type Reply } from '../connection.ts';
import { startFakeControlPlane } from '../control-plane-away/fake-control-plane.ts';
import { type DynamicEnvoy, openDynamicEnvoy } from '../dynamic-envoy.ts';
import { withControlPlane } from '../plugin.ts';

const item = '/catalog/items/1';
const breaker = { consecutiveFailures: 3, minimumRequests: 1000, openMs: 60_000, openCapMs: 60_000, jitter: 'none' };
const IDLE_SECONDS = 3;
const down = { mode: 'fail', status: 503, healthyShare: 0 } as const;
/** The shop spares this request, so that it never trips a breaker. */
const spared: Ask = { headers: { 'x-shop': 'ok' } };

const policy = (body = 'standing in') => ({
  service: 'shop',
  features: [
    { name: 'catalog', routes: [{ path: { prefix: '/catalog' } }], breaker, fallback: [{ stale: {} }, { static: { status: 200, body } }] },
    { name: 'checkout', routes: [{ path: { prefix: '/checkout' } }] },
    {
      name: 'recommendations',
      routes: [{ path: { prefix: '/recommendations' } }],
      breaker: { consecutiveFailures: 0, minimumRequests: 1_000_000 },
      fallback: [{ cluster: { name: 'recommendations-fallback', timeoutMs: 10_000 } }],
    },
  ],
});

/** Envoy with a build of the filter that traps on demand; its fallback cluster never answers. */
async function open(): Promise<DynamicEnvoy> {
  const hanging = createServer(() => undefined);
  const port = await freePort();
  await listen(hanging, port);
  onTestFinished(() => close(hanging));
  const edit = (text: string): string => {
    const document = JSON.parse(text.replace('"stream_idle_timeout": "30s"', `"stream_idle_timeout": "${IDLE_SECONDS}s"`));
    const cluster = document.static_resources.clusters.find(({ name }: { name: string }) => name === 'recommendations-fallback');
    cluster.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address.socket_address.port_value = port;
    return JSON.stringify(document);
  };
  const plugin = withControlPlane(policy());
  return openDynamicEnvoy({ listeners: (ports) => [{ port: ports.listener, plugin }], module: await buildTrapping(), edit });
}

/** Several connections that one worker serves, and one that the other serves. */
async function sort(dynamic: DynamicEnvoy, count: number): Promise<{ readonly here: Connection[]; readonly there: Connection }> {
  const byWorker: Connection[][] = [[], []];
  for (let tries = 0; tries < 80; tries++) {
    const connection = await connect(dynamic);
    byWorker[connection.worker]?.push(connection);
    const [first = [], second = []] = byWorker;
    const [here, others] = first.length >= second.length ? [first, second] : [second, first];
    if (here.length >= count && others[0] !== undefined) return { here, there: others[0] };
  }
  throw new Error('80 connections did not sort themselves');
}

test('a trap costs the streams in flight on its worker, and nothing else', { timeout: 60_000 }, async () => {
  const dynamic = await open();
  const { shop } = dynamic;
  const { here, there } = await sort(dynamic, 5);
  const [plain, paused, killer, after] = here as [Connection, Connection, Connection, Connection];
  shop.setMode('catalog', down);
  for (let i = 0; i < 3; i++) await there.ask(item);
  await waitFor(
    'the other worker to follow',
    async () => ((await after.ask(item, spared)).headers['rekindle'] === undefined ? null : true),
    5000,
  );

  shop.setMode('checkout', { mode: 'slow', delayMs: 1000, healthyShare: 0 });
  shop.setMode('recommendations', down);
  const inFlight = timed(plain.ask('/checkout'));
  const held = timed(paused.ask('/recommendations'));
  const elsewhere = timed(there.ask('/checkout'));
  await waitFor(
    'the requests at the shop',
    async () => (shop.counts().checkout >= 2 && shop.counts().recommendations >= 1 ? true : null),
    5000,
  );
  // The upstream's 503 has come back, and the call-out is on its way.
  await pause(200);

  const trapped = await timed(killer.ask('/checkout', { headers: { [TRAP_HEADER]: '1', 'x-shop': 'ok' } }));
  let refused = 0;
  const again = await timed(
    waitFor(
      'the worker to serve again',
      async () => {
        const reply = await after.ask(item, spared);
        if (reply.status === 200) return reply;
        refused++;
        return null;
      },
      5000,
      10,
    ),
  );
  const [lost, idle, spare] = [await inFlight, await held, await elsewhere];
  console.log(
    `trap: ${trapped.reply.status}; in flight on its worker: ${lost.reply.status}; paused on a call-out: ${idle.reply.status} after ${idle.ms} ms ` +
      `(stream_idle_timeout ${IDLE_SECONDS} s); in flight on the other worker: ${spare.reply.status}; served again after ${again.ms} ms, ${refused} refused meanwhile`,
  );
  expect(trapped.reply.status).toBe(503);
  expect(lost.reply.status).toBe(503);
  expect(idle.reply.status).toBeGreaterThanOrEqual(408);
  expect(idle.ms).toBeLessThanOrEqual((IDLE_SECONDS + 2) * 1000);
  expect(spare.reply.status).toBe(200);
  expect(again.ms).toBeLessThanOrEqual(1000);
  // The fresh VM's first answer: the breaker of the proxy is still OPEN.
  expect(again.reply.headers['rekindle']).toContain('reason=open');
  expect(await dynamic.envoy().traps()).not.toEqual([]);
});

test('a poison directive kills one VM; the lease moves within 5 s, and the next leader leaves the poison alone', {
  timeout: 60_000,
}, async () => {
  const dynamic = await open();
  const fake = await startFakeControlPlane(dynamic.ports.controlPlane);
  onTestFinished(() => fake.close());
  const { shop, ports } = dynamic;
  await waitFor('a first poll', async () => (fake.watches().length > 0 ? true : null), 40_000);
  fake.name('first', 1);
  fake.give(200, directive(1, 'good'));
  await waitFor('a poll that waits', async () => (fake.watches().at(-1)?.get('revision') === '1' ? true : null), 5000);

  const polls = fake.watches().length;
  const poisoned = performance.now();
  fake.give(200, directive(2, POISON));
  await waitFor('another leader', async () => (fake.watches().length > polls ? true : null), 8000);
  const movedMs = Math.round(performance.now() - poisoned);
  fake.give(200, directive(2, POISON));
  const rejected = async (): Promise<number> =>
    sumIn(await dynamic.envoy().metrics(), 'rekindle_directives_rejected_total', { service: 'shop' });
  await waitFor('the poison to be refused', async () => ((await rejected()) > 0 ? true : null), 5000);
  const traps = (await dynamic.envoy().traps()).length;
  console.log(`poison directive: ${traps} trap, the next leader polled after ${movedMs} ms and refused it`);
  expect(movedMs).toBeLessThanOrEqual(5000);
  expect(traps).toBe(1);

  shop.setMode('catalog', down);
  const body = async (): Promise<string> => (await fetch(`http://127.0.0.1:${ports.listener}${item}`)).text();
  await waitFor('the last good directive', async () => ((await body()) === 'good' ? true : null), 5000);
});

test('a poison copy kills one VM; from then on the next rung answers', { timeout: 60_000 }, async () => {
  const dynamic = await open();
  const { here, there } = await sort(dynamic, 1);
  const path = `/catalog/items/${POISON}`;
  // Stored by one worker, read by the other one.
  await there.ask(path);
  dynamic.shop.setMode('catalog', down);
  const first = await here[0]!.ask(path);
  expect(first.status).toBe(503);
  const next = await waitFor(
    'the worker to serve again',
    async () => {
      const reply = await here[0]!.ask(path);
      return reply.status === 200 ? reply : null;
    },
    5000,
    300,
  );
  expect(next.body).toBe('standing in');
  expect(await dynamic.envoy().traps()).toHaveLength(1);
});

function directive(revision: number, text: string): string {
  const named = { service: 'shop', lineage: 'first', revision, hash: `h${revision}`, policyRevision: revision, proxies: 1 };
  return JSON.stringify({ ...named, flags: [], policy: policy(text) });
}

async function timed(asked: Promise<Reply>): Promise<{ readonly reply: Reply; readonly ms: number }> {
  const startedAtMs = performance.now();
  const reply = await asked;
  return { reply, ms: Math.round(performance.now() - startedAtMs) };
}
