import { expect, test } from 'vitest';
import { putPolicy } from '../../../envoy/demo/control-plane-process.ts';
import { valueIn } from '../../../envoy/demo/prometheus.ts';
import { waitFor } from '../../../envoy/demo/wait.ts';
import { ISTIO_EXAMPLES } from '../../../envoy/istio/examples.ts';
import { connectionManagers, type MeshProxy } from './istiod.ts';
import { gateway, sidecar } from './proxies.ts';
import { builtModule, get, type MeshStage, openMesh, type Reply } from './stage.ts';

const down = { mode: 'fail', status: 500, healthyShare: 0 } as const;
const isDegraded = ({ headers }: Reply, more: string) =>
  String(headers['rekindle']).startsWith('degraded') && String(headers['rekindle']).includes(more);

/** Asks until the breaker is open, on each of the two workers: as many new connections in a row do not all reach one of them. */
async function opened(port: number, path: string, headers: Record<string, string> = {}): Promise<Reply> {
  let inARow = 0;
  return waitFor(
    `${path} to be refused`,
    async () => {
      const reply = await get(port, path, headers);
      inARow = isDegraded(reply, 'reason=open') ? inARow + 1 : 0;
      return inARow > 12 ? reply : null;
    },
    10_000,
    5,
  );
}

test('inbound: degraded answers, the fallback cluster and the control plane are reached, on declared ports and others', async () => {
  const { ports, shop, envoy, atFallback } = await openMesh({ example: 'envoyfilter-inbound', build: sidecar, controlPlane: true });
  expect(await get(ports.inbound, '/checkout')).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' } });

  const { services } = ISTIO_EXAMPLES['envoyfilter-inbound'] as { services: readonly { policy: { service: string } }[] };
  const revision = await putPolicy(ports.controlPlane, { ...services[0]!.policy, recovery: { scope: 'proxy' } } as { service: string });
  await waitFor(
    'the directive',
    async () => {
      const held = valueIn(await envoy.metrics(), 'rekindle_directive_revision');
      return held !== null && held >= revision ? held : null;
    },
    15_000,
  );

  shop.setMode('checkout', down);
  expect(await get(ports.inbound, '/checkout')).toMatchObject({ status: 503, body: 'Please try again.' });
  expect(isDegraded(await opened(ports.undeclared, '/checkout'), 'rung=static')).toBe(true);

  expect(await get(ports.inbound, '/recommendations', { 'x-rekindle-fallback': cluster })).toMatchObject({
    body: expect.stringContaining('for-you'),
  });
  expect(atFallback).toEqual([]);
  shop.setMode('recommendations', down);
  const rerouted = await opened(ports.inbound, '/recommendations');
  expect(isDegraded(rerouted, 'rung=cluster')).toBe(true);
  expect(rerouted.body).toContain('fallback');
  expect(atFallback.at(-1)).toMatchObject({ 'x-rekindle-fallback': cluster });
});

const cluster = 'outbound|80||recommendations-fallback.demo.svc.cluster.local';

test('a fallback cluster that the proxy does not have: the next rung answers', async () => {
  const change = (proxy: MeshProxy) =>
    proxy.clusters.splice(
      proxy.clusters.findIndex(({ name }) => name === cluster),
      1,
    );
  const { ports, shop } = await openMesh({ example: 'envoyfilter-inbound', build: sidecar, change });
  shop.setMode('recommendations', down);
  expect(isDegraded(await opened(ports.inbound, '/recommendations'), 'rung=static')).toBe(true);
});

test('ECDS: where the agent cannot fetch the module requests are denied; with the module they are served', async () => {
  const { ports, shop, agent, proxy } = await openMesh({ example: 'envoyfilter-inbound-http', build: sidecar, download: null });
  expect((await get(ports.inbound, '/checkout')).status).toBe(403);
  agent.deliver(proxy, builtModule);
  await waitFor('the filter', async () => ((await get(ports.inbound, '/checkout')).status === 200 ? true : null), 10_000);
  shop.setMode('checkout', down);
  expect(isDegraded(await opened(ports.inbound, '/checkout'), 'rung=static')).toBe(true);
});

test('ECDS: a proxy that takes no substitute answers 500 to everything, which is why type_urls names it', async () => {
  const { ports } = await openMesh({ example: 'envoyfilter-inbound-http', build: sidecar, download: null, change: dropSubstitute });
  expect((await get(ports.inbound, '/checkout')).status).toBe(500);
});

test('outbound: services are told apart by their hosts', async () => {
  const { ports, shop } = await openMesh({ example: 'envoyfilter-outbound', build: sidecar, more: { services: twoServices } });
  shop.setMode('checkout', down);
  const payments = { host: 'payments.example.com' };
  expect(isDegraded(await opened(ports.outbound, '/checkout', payments), 'feature="all"')).toBe(true);
  const rates = await get(ports.outbound, '/checkout', { host: 'rates.demo.svc.cluster.local', 'x-shop': 'ok' });
  expect(rates).toMatchObject({ status: 200, headers: expect.not.objectContaining({ rekindle: expect.anything() }) });
  expect((await get(ports.inbound, '/checkout')).headers['rekindle']).toBeUndefined();
});

const twoServices = ['payments.example.com', 'rates.demo.svc.cluster.local'].map((host) => {
  const service = host.split('.')[0]!;
  const feature = { name: 'all', routes: [{ path: { prefix: '/' } }], fallback: [{ static: { status: 200, body: 'standing in' } }] };
  return { service, hosts: [host], policy: { service, features: [feature] } };
});

test.each(['wasmplugin-inbound', 'trafficextension-inbound'])('%s: its configuration reaches the module', async (example) => {
  const { ports, shop } = await openMesh({ example, build: sidecar });
  shop.setMode('checkout', down);
  expect(isDegraded(await opened(ports.inbound, '/checkout'), 'rung=static')).toBe(true);
});

const web = { host: 'shop.example.com', origin: 'https://web.example.com' };
const preflight = { ...web, 'access-control-request-method': 'POST' };
const allowed = ({ headers }: Reply) => headers['access-control-allow-origin'];

test('a gateway with CORS: the innermost place keeps its headers on what failed and on what is refused, and preflights pass', async () => {
  const stage = await openMesh({ example: 'envoyfilter-gateway', build: gateway });
  expect(await corsOf(stage)).toEqual({ healthy: web.origin, failed: web.origin, refused: web.origin, preflight: 200 });
});

test('before cors none of them has any, and preflights of a refused feature fail', async () => {
  const stage = await openMesh({ example: 'envoyfilter-gateway-before-cors', build: gateway });
  expect(await corsOf(stage)).toEqual({ healthy: web.origin, failed: undefined, refused: undefined, preflight: 503 });
});

async function corsOf({ ports, shop }: MeshStage) {
  const healthy = await get(ports.gateway, '/checkout', web);
  shop.setMode('checkout', down);
  const failed = await get(ports.gateway, '/checkout', web);
  expect(isDegraded(failed, 'reason=failure')).toBe(true);
  const refused = await opened(ports.gateway, '/checkout', web);
  const { status } = await get(ports.gateway, '/checkout', preflight, 'OPTIONS');
  return { healthy: allowed(healthy), failed: allowed(failed), refused: allowed(refused), preflight: status };
}

/** As in the sample that a real Istio took: only the filter's own type. */
function dropSubstitute(proxy: ReturnType<typeof sidecar>): void {
  for (const { http_filters } of proxy.listeners.flatMap(({ listener }) => connectionManagers(listener))) {
    for (const { config_discovery: discovery } of http_filters) discovery?.type_urls.pop();
  }
}
