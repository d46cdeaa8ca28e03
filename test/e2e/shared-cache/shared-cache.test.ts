import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { putPolicy } from '../../../envoy/demo/control-plane-process.ts';
import { loopback, type PluginJson } from '../../../envoy/demo/envoy-configuration.ts';
import { type EnvoyProcess, envoyReady, launchEnvoy } from '../../../envoy/demo/envoy-process.ts';
import { close, listen } from '../../../envoy/demo/http-server.ts';
import { freePort } from '../../../envoy/demo/ports.ts';
import type { Stage } from '../../../envoy/demo/stage.ts';
import { waitFor } from '../../../envoy/demo/wait.ts';
import { projectRoot } from '../../../scripts/project-root.ts';
import { findEnvoy } from '../../../scripts/servers.ts';
import { withControlPlane } from '../plugin.ts';
import { openRedis, openStage } from '../stage.ts';

const LARGEST_COPY = 256 * 1024;
const policy = {
  service: 'shop',
  features: [
    {
      name: 'catalog',
      routes: [{ path: { prefix: '/catalog' } }],
      breaker: { consecutiveFailures: 3, openMs: 60_000, openCapMs: 60_000 },
      fallback: [{ stale: { timeoutMs: 150 } }, { static: { status: 200, body: 'standing in' } }],
    },
  ],
};
const sharing = (configuration: PluginJson): PluginJson => ({
  ...configuration,
  services: [{ service: 'shop', policy }],
  cache: { shared: true, maxBodyBytes: 262_144 },
});

/** Another Envoy of the same service, which has seen nothing. */
async function secondEnvoy(
  stage: Stage,
  shopPort: number,
  controlPlanePort = stage.ports.controlPlane,
): Promise<{ envoy: EnvoyProcess; port: number }> {
  const port = await freePort();
  const folder = join(stage.folder, `envoy-${port}`);
  await mkdir(folder, { recursive: true });
  const envoy = await launchEnvoy((await findEnvoy()).path, folder, {
    nodeId: 'shop-proxy-2',
    listenerPort: port,
    adminPort: await freePort(),
    shop: loopback(shopPort),
    fallback: loopback(stage.shop.fallbackPort),
    controlPlanes: [loopback(controlPlanePort)],
    module: join(projectRoot, 'build/rekindle.wasm'),
    plugin: sharing,
  });
  onTestFinished(async () => {
    const traps = await envoy.traps();
    await envoy.stop();
    expect(traps).toEqual([]);
  });
  await envoyReady(envoy);
  return { envoy, port };
}

interface Page {
  readonly status: number;
  readonly body: string;
  readonly marker: string;
  readonly age: number;
  readonly ms: number;
}

/** As of one shop, whichever Envoy is asked: the host is part of a copy's key. */
async function get(port: number, path: string): Promise<Page> {
  const startedAtMs = performance.now();
  const asking = request({ host: '127.0.0.1', port, path, agent: false, headers: { host: 'shop.example' } }).end();
  const [answer] = (await once(asking, 'response')) as [IncomingMessage];
  const body = (await answer.toArray()).join('');
  const { age, rekindle } = answer.headers;
  return { status: answer.statusCode!, body, marker: String(rekindle ?? ''), age: Number(age ?? -1), ms: performance.now() - startedAtMs };
}

/** Fails requests for other pages until the breaker refuses all. */
async function trip(port: number): Promise<void> {
  await waitFor(
    'the breaker to open',
    async () => ((await get(port, '/catalog/items/trip')).marker.includes('reason=open') ? true : null),
    10_000,
  );
}

/** Copies that the control plane has taken. */
async function shared(stage: Stage): Promise<number> {
  const metrics = await (await fetch(`http://127.0.0.1:${stage.ports.controlPlane}/metrics`)).text();
  return Number(/rekindle_shared_copies_total\{service="shop",result="put"\} (\d+)/.exec(metrics)?.[1] ?? 0);
}

test('a proxy that has never seen a page serves it stale from the copy of another one', async () => {
  const stage = await openStage({ controlPlane: true, plugin: sharing });
  await putPolicy(stage.ports.controlPlane, policy);
  const first = await get(stage.ports.listener, '/catalog/items/1');
  expect(first.status).toBe(200);
  await waitFor('the copy to be shared', async () => ((await shared(stage)) === 1 ? true : null), 10_000);

  stage.shop.setMode('catalog', { mode: 'fail', status: 503, healthyShare: 0 });
  const second = await secondEnvoy(stage, stage.shop.port);
  await trip(second.port);
  const page = await get(second.port, '/catalog/items/1');
  expect(page).toMatchObject({ status: 200, body: first.body });
  expect(page.marker).toContain('reason=open; rung=stale');
  expect(page.age).toBeGreaterThanOrEqual(0);
  expect((await get(second.port, '/catalog/items/2')).body).toBe('standing in');

  // Gone for good: what was fetched is served on, what was not falls through at once.
  await stage.stopControlPlane('kill');
  expect(await get(second.port, '/catalog/items/1')).toMatchObject({ status: 200, body: first.body });
  const missing = await get(second.port, '/catalog/items/3');
  expect(missing.body).toBe('standing in');
  expect(missing.ms).toBeLessThan(1000);
});

test('a copy that a proxy has shared at one replica stands in at a proxy that talks to the other', async () => {
  const redis = await openRedis();
  const stage = await openStage({ controlPlane: true, plugin: withControlPlane(policy), redisUrl: redis.url });
  await putPolicy(stage.ports.controlPlane, policy);
  const first = await secondEnvoy(stage, stage.shop.port);
  const seen = await get(first.port, '/catalog/items/1');
  await waitFor('the copy to be shared', async () => ((await shared(stage)) === 1 ? true : null), 10_000);

  stage.shop.setMode('catalog', { mode: 'fail', status: 503, healthyShare: 0 });
  const second = await secondEnvoy(stage, stage.shop.port, stage.ports.replica);
  await trip(second.port);
  const page = await get(second.port, '/catalog/items/1');
  expect(page).toMatchObject({ status: 200, body: seen.body });
  expect(page.marker).toContain('reason=open; rung=stale');

  // Without the store there are no new copies; what is at hand, and the next rung, answer on.
  await redis.kill();
  expect(await get(second.port, '/catalog/items/1')).toMatchObject({ status: 200, body: seen.body });
  expect((await get(second.port, '/catalog/items/2')).body).toBe('standing in');
});

test('a control plane that answers too late costs the time of the rung, and the next rung answers', async () => {
  const stage = await openStage({ plugin: sharing });
  stage.shop.setMode('catalog', { mode: 'fail', status: 503, healthyShare: 0 });
  const slow = createServer(() => undefined);
  const slowPort = await listen(slow, 0);
  onTestFinished(() => close(slow));
  const { port } = await secondEnvoy(stage, stage.shop.port, slowPort);
  // While it is closed, failed answers are not held for a question, since a static reply is at hand.
  await trip(port);
  const asked: Page[] = [];
  for (let i = 0; i < 20; i++) asked.push(await get(port, `/catalog/items/${i}`));
  expect(asked.map(({ body }) => body)).toEqual(asked.map(() => 'standing in'));
  // Nobody is asked again for a second after nobody answered.
  const waited = asked.filter(({ ms }) => ms >= 140);
  expect(waited.length).toBeLessThanOrEqual(4);
  const times = asked.map(({ ms }) => ms).sort((a, b) => a - b);
  console.log(`with a hanging control plane: slowest ${Math.round(times.at(-1)!)} ms, median ${Math.round(times[10]!)} ms`);
  expect(times.at(-2)!).toBeLessThanOrEqual(250);
});

test('what is larger than a shared copy may be stays with its proxy', async () => {
  const stage = await openStage({ controlPlane: true });
  await putPolicy(stage.ports.controlPlane, policy);
  const sizes: Record<string, number> = { '/catalog/small': 1000, '/catalog/large': 200_000, '/catalog/largest': LARGEST_COPY };
  let healthy = true;
  const upstream = createServer((incoming, response) => {
    incoming.resume();
    if (healthy) response.writeHead(200, { 'cache-control': 'public, max-age=600' }).end('x'.repeat(sizes[incoming.url!] ?? 1));
    else response.writeHead(503).end();
  });
  const upstreamPort = await listen(upstream, 0);
  onTestFinished(() => close(upstream));
  const first = await secondEnvoy(stage, upstreamPort);
  for (const path of Object.keys(sizes)) expect((await get(first.port, path)).body).toHaveLength(sizes[path]!);
  await waitFor('two copies to be shared', async () => ((await shared(stage)) === 2 ? true : null), 10_000);

  healthy = false;
  const second = await secondEnvoy(stage, upstreamPort);
  await trip(second.port);
  const [small, large, largest] = await Promise.all(Object.keys(sizes).map((path) => get(second.port, path)));
  expect([small!.body.length, large!.body.length, largest!.body]).toEqual([1000, 200_000, 'standing in']);
  expect(await get(first.port, '/catalog/largest')).toMatchObject({ status: 200, age: expect.any(Number) });
});
