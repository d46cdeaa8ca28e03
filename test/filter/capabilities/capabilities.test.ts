import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { capabilitiesOf } from '../../../scripts/capabilities.ts';
import { projectRoot } from '../../../scripts/project-root.ts';
import type { GuestModule } from '../host/guest.ts';
import type { HttpStream } from '../host/stream.ts';
import { feature, policy, release, releasePath, type Scene, scene } from '../stream/scene.ts';
import { Restricted } from './restricted.ts';

const allowed = capabilitiesOf(readFileSync(releasePath));

test('envoy.yaml allows what the module imports and exports, and nothing else', () => {
  const text = readFileSync(join(projectRoot, 'envoy/envoy.yaml'), 'utf8');
  const found: string[] = [];
  const collect = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, member] of Object.entries(value)) {
      if (name === 'allowed_capabilities') found.push(...Object.keys(member as object));
      collect(member);
    }
  };
  collect(parse(text));
  expect(found).toEqual(allowed);
});

const STALE = { stale: { refreshMs: 100, varyHeaders: ['accept'] } };
const SPARE = { cluster: { name: 'spare', timeoutMs: 500 } };
const FEATURES = [
  feature('catalog', { fallback: [STALE, { static: { status: 200, body: 'sorry' } }], failure: { slowMs: 200 } }),
  feature('cart', { fallback: [SPARE] }),
  feature('calm', { breaker: { consecutiveFailures: 0, minimumRequests: 1_000_000 }, fallback: [SPARE] }),
  feature('shared', { breaker: { consecutiveFailures: 0, minimumRequests: 1_000_000 }, fallback: [] }),
];
const ROUTES = [
  { name: 'spare', cluster: 'spare', header: { name: 'x-rekindle-fallback', value: 'spare' } },
  { name: 'default', cluster: 'upstream' },
];

/** All that a proxy does that anybody can see, in a scene in which each capability has its part. */
function told(module: GuestModule): string {
  try {
    return seen(module);
  } catch (error) {
    return `refused: ${error}`;
  }
}

function seen(module: GuestModule): string {
  const it = scene({
    module,
    connected: true,
    features: FEATURES,
    configuration: { fallbackClusters: ['spare'] },
    routes: ROUTES,
    seed: 3,
  });
  it.mayTrap = true;
  it.fleet.publish('shop', { policy: policy(FEATURES) });
  it.advance(2000);
  const streams = requests(it);
  it.advance(4000);
  it.proxy.removePlugin(it.proxy.addPlugin({ configuration: JSON.stringify({ services: [{ service: 'other' }] }) }));
  it.proxy.removePlugin(0);
  it.advance(1000);
  const { logs, metrics, shared, arrivals, vmId } = it.proxy;
  return JSON.stringify({
    answers: streams.map(({ client, over }) => [client.status, client.body, client.headers?.pairs, over]),
    arrived: arrivals.map(({ cluster, headers }) => [cluster, headers.pairs]),
    reports: it.fleet.reports,
    memory: it.proxy.workers.map(({ vm }) => vm.memory.byteLength),
    logs,
    stats: metrics.names.map((name) => [name, String(metrics.series(0, name).value), metrics.series(0, name).samples]),
    shared: shared.keys(vmId).map((key) => [key, Buffer.from(shared.get(vmId, key)!.bytes).toString('base64')]),
  });
}

function requests(it: Scene): HttpStream[] {
  const streams: HttpStream[] = [];
  const send = (...args: Parameters<Scene['send']>): void => void streams.push(it.send(...args));
  const copy = { status: 200, headers: { 'cache-control': 'max-age=60, stale-if-error=60', 'content-length': '4' }, body: 'copy' };
  send({ path: '/catalog/1', headers: { 'x-rekindle-fallback': 'spare' } }, copy);
  send({ path: '/catalog/2' }, { status: 200, body: 'with trailers', trailers: { 'x-a': 'b' } });
  // Time runs from the end of the request, which may come in trailers.
  for (const end of ['body', 'trailers']) {
    const stream = it.proxy.request({ path: '/catalog/4', method: 'POST', open: true });
    stream.sendBody('half', end === 'body');
    if (end === 'trailers') stream.sendTrailers({ 'x-a': 'b' });
    it.advance(70);
    stream.upstream?.answer({ status: 200, body: 'x' });
    streams.push(stream);
  }
  send({ path: '/catalog/1' }, { status: 503, headers: { 'content-length': '3' }, body: 'bad' });
  send({ path: '/catalog/3' }, (upstream) => upstream.fail('timeout'));
  for (let i = 0; i < 6; i++) send({ path: '/catalog/5' }, { status: 500 });
  for (let i = 0; i < 4; i++) send({ path: '/cart' }, { status: 500 });
  send({ path: '/cart', method: 'POST', body: 'x' }, { status: 200, body: 'from spare' });
  it.proxy.clusters.set('spare', (call) => call.respond({ status: streams.length % 2 === 0 ? 200 : 500, body: 'by call' }));
  for (let i = 0; i < 3; i++) {
    send({ path: '/calm' }, { status: 503, headers: { 'content-length': '3' }, body: 'bad' });
    it.advance(100);
  }
  // Streams that nobody closes pile up.
  for (let i = 0; i < 1500; i++) it.good('/shared');
  return streams;
}

const whole = told(release);

test('the scene is one that repeats', () => {
  expect(told(release)).toBe(whole);
  expect(whole).toMatch(/^{/);
});

test.for(allowed)('without %s something is missing', (capability) => {
  expect(told(new Restricted(release, capability))).not.toBe(whole);
});
