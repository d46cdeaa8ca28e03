import { expect, test } from 'vitest';
import { sumIn, valueIn } from '../../../envoy/demo/prometheus.ts';
import type { Stage } from '../../../envoy/demo/stage.ts';
import { pause, waitFor } from '../../../envoy/demo/wait.ts';
import { type Connection, connect, connectToBoth, type Reply } from '../connection.ts';
import { standAlone } from '../plugin.ts';
import { openStage } from '../stage.ts';

const item = '/catalog/items/1';
const down = { mode: 'fail', status: 503, healthyShare: 0 } as const;
const attempts = 4;
/** Three retries, soon after one another. */
const shopRoute = {
  timeout: '10s',
  retry_policy: { retry_on: '5xx', num_retries: 3, retry_back_off: { base_interval: '0.005s', max_interval: '0.01s' } },
};

const policy = (breaker: object, failure: object = {}) => ({
  service: 'shop',
  features: [
    { name: 'catalog', routes: [{ path: { prefix: '/catalog' } }], breaker, failure, fallback: [{ static: { status: 200, body: 'x' } }] },
  ],
});

test('a window that worsens loses its retries before it trips', async () => {
  const breaker = { consecutiveFailures: 0, minimumRequests: 20, failureRatePercent: 50, openMs: 60_000, openCapMs: 60_000 };
  const stage = await openStage({ plugin: standAlone(policy(breaker)), shopRoute });
  const connection = await connect(stage);
  stage.shop.setMode('catalog', down);
  const seen: number[] = [];
  for (let request = 0; request < 21; request++) seen.push(await attemptsFor(stage, () => connection.ask(item)));
  connection.close();

  console.log(`attempts at the shop, request by request: ${seen.join(' ')}`);
  // Half the way to the trip is ten failures of ten; the breaker trips at twenty.
  expect(seen.slice(0, 10)).toEqual(Array(10).fill(attempts));
  expect(seen.slice(10, 20)).toEqual(Array(10).fill(1));
  expect(seen[20], 'OPEN').toBe(0);
  const withheld = async (): Promise<true | null> =>
    valueIn(await stage.envoy.metrics(), 'rekindle_retries_withheld_total', { feature: 'catalog' }) === 10 ? true : null;
  await waitFor('the ten to be counted', withheld, 2000);
});

test('while HALF_OPEN the upstream sees no more attempts than probes, over both workers', async () => {
  const probes = 2;
  const halfOpen = { probes, successPercent: 100, timeoutMs: 2000 };
  const breaker = { consecutiveFailures: 5, openMs: 400, openFactor: 1, openCapMs: 400, jitter: 'none', halfOpen };
  const stage = await openStage({ plugin: standAlone(policy(breaker)), shopRoute });
  const both = await connectToBoth(stage);
  stage.shop.setMode('catalog', down);
  await waitFor('a refusal', async () => (isRefused(await both[0].ask(item)) ? true : null), 5000, 1);
  await waitFor('the other worker to follow', async () => (isRefused(await both[1].ask(item)) ? true : null), 1000, 1);

  const trialsBefore = await trialsOf(stage);
  const before = stage.shop.counts().catalog;
  await Promise.all(both.map((connection) => keepAsking(connection, 4000)));
  await pause(200);
  const trials = (await trialsOf(stage)) - trialsBefore;
  const arrived = stage.shop.counts().catalog - before;
  for (const connection of both) connection.close();
  console.log(`${trials} trials of ${probes} probes, ${arrived} attempts at the shop`);
  expect(trials).toBeGreaterThanOrEqual(4);
  expect(arrived).toBeGreaterThanOrEqual(trials - 1);
  // A trial that had begun when the count was taken may still have its probes to give.
  expect(arrived).toBeLessThanOrEqual((trials + 1) * probes);
});

test('a hanging upstream trips by age, and holds no more probes than it may', async () => {
  const probes = 3;
  const halfOpen = { probes, successPercent: 100, timeoutMs: 500 };
  const breaker = { consecutiveFailures: 0, minimumRequests: 10, openMs: 300, openFactor: 1, openCapMs: 300, jitter: 'none', halfOpen };
  const stage = await openStage({ plugin: standAlone(policy(breaker, { slowMs: 300 })), shopRoute: { ...shopRoute, timeout: '8s' } });
  stage.shop.setMode('catalog', { mode: 'hang', healthyShare: 0 });
  const connections = await Promise.all(Array.from({ length: 20 }, () => connect(stage)));
  const startedAtMs = performance.now();
  const hanging = connections.map((connection) => connection.ask(item).catch(() => null));
  const asking = await connect(stage);
  await waitFor('a refusal', async () => (isRefused(await asking.ask(item, { headers: { 'x-shop': 'ok' } })) ? true : null), 5000, 10);
  const trippedMs = performance.now() - startedAtMs;
  expect(trippedMs, 'no request has ended yet').toBeLessThan(1500);

  const before = stage.shop.counts().catalog;
  const trialsBefore = await trialsOf(stage);
  await keepOpening(stage, 5000);
  const trials = (await trialsOf(stage)) - trialsBefore;
  const held = stage.shop.counts().catalog - before;
  console.log(`tripped after ${Math.round(trippedMs)} ms; ${trials} trials, ${held} probes held by the shop`);
  expect(trials).toBeGreaterThanOrEqual(3);
  // None of them has ended: the route gives them up after 8 s. The first trial has its three, each further one a single probe.
  expect(held).toBeLessThanOrEqual(probes + trials);
  await stage.stop();
  await Promise.all(hanging);
  for (const connection of [...connections, asking]) connection.close();
});

async function attemptsFor(stage: Stage, ask: () => Promise<Reply>): Promise<number> {
  const before = stage.shop.counts().catalog;
  await ask();
  return stage.shop.counts().catalog - before;
}

const isRefused = (reply: Reply): boolean => /reason=open/.test(String(reply.headers['rekindle']));

async function trialsOf(stage: Stage): Promise<number> {
  return sumIn(await stage.envoy.metrics(), 'rekindle_transitions_total', { feature: 'catalog', to: 'HALF_OPEN' });
}

async function keepAsking(connection: Connection, durationMs: number): Promise<void> {
  for (const endAtMs = performance.now() + durationMs; performance.now() < endAtMs; await pause(10)) await connection.ask(item);
}

/** Asks on a connection of its own every 20 ms, and waits for none. */
async function keepOpening(stage: Stage, durationMs: number): Promise<void> {
  const url = `http://127.0.0.1:${stage.ports.listener}${item}`;
  for (const endAtMs = performance.now() + durationMs; performance.now() < endAtMs; await pause(20)) {
    void fetch(url).then(
      (response) => response.body?.cancel(),
      () => undefined,
    );
  }
}
