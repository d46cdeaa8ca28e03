import { expect, onTestFinished, test } from 'vitest';
import { type Sample, sumIn, valueIn } from '../../../envoy/demo/prometheus.ts';
import type { Stage } from '../../../envoy/demo/stage.ts';
import { waitFor } from '../../../envoy/demo/wait.ts';
import { type Connection, connect } from '../connection.ts';
import { startFakeControlPlane } from '../control-plane-away/fake-control-plane.ts';
import { openStage } from '../stage.ts';

const item = '/catalog/items/1';
const breaker = { consecutiveFailures: 3, minimumRequests: 1000, openMs: 60_000, openCapMs: 60_000, jitter: 'none' };

/** The last one is chosen by its cluster, the others by their host; the first one is the one that the control plane knows. */
const NAMES = Array.from({ length: 32 }, (_, i) => (i === 0 ? 'shop' : `s${i}`));
const services = NAMES.map((service, i) => ({
  service,
  ...(i === 31 ? { clusters: ['shop'] } : { hosts: [`${service}.example`] }),
  policy: {
    service,
    features: [
      {
        name: 'catalog',
        routes: [{ path: { prefix: '/catalog' } }],
        breaker,
        fallback: [{ stale: {} }, { static: { status: 200, body: `this is ${service}` } }],
      },
    ],
  },
}));

/** Those whose breakers trip. */
const OPEN = ['s1', 's2', 's31'];

const as = (service: string, spared = false) => ({
  headers: { host: service === 's31' ? 'elsewhere' : `${service}.example`, ...(spared ? { 'x-shop': 'ok' } : {}) },
});
const isDegraded = (reply: { headers: Readonly<Record<string, unknown>> }): boolean => reply.headers['rekindle'] !== undefined;

test('32 services in one configuration do not see each other: breakers, copies, metrics, overrides', async () => {
  const stage = await openStage({ plugin: (configuration) => ({ ...configuration, services }) });
  const fake = await startFakeControlPlane(stage.ports.controlPlane);
  onTestFinished(() => fake.close());
  const connection = await connect(stage);

  // A copy for the third service alone, then failures for three of them. Copies are kept from a worker's first tick on, which also brings
  // its counters into the stats.
  await connection.ask('/catalog/items/2', as('s2'));
  const ticked = async () => (sumIn(await stage.envoy.metrics(), 'rekindle_requests_total', { service: 's2' }) > 0 ? true : null);
  await waitFor('the first tick', ticked, 5000);
  await connection.ask(item, as('s2'));
  stage.shop.setMode('catalog', { mode: 'fail', status: 503, healthyShare: 0 });
  for (const service of OPEN) await trip(connection, service);
  for (const service of NAMES) {
    const reply = await connection.ask(item, as(service, true));
    const isOpen = OPEN.includes(service);
    expect({ service, degraded: isDegraded(reply) }).toEqual({ service, degraded: isOpen });
    if (isOpen) expect(reply.body).toBe(service === 's2' ? '{"item":"1","price":1299}' : `this is ${service}`);
  }

  const samples = await settled(stage);
  for (const service of NAMES) {
    const refused = sumIn(samples, 'rekindle_requests_total', { service, outcome: 'refused' });
    const opened = sumIn(samples, 'rekindle_transitions_total', { service, to: 'OPEN' });
    const isOpen = OPEN.includes(service);
    expect({ service, refused, opened }).toEqual({ service, refused: isOpen ? 1 : 0, opened: isOpen ? 1 : 0 });
  }

  // A person's override for the one service that the control plane speaks of.
  await waitFor('a poll', async () => (fake.watches().length > 0 ? true : null), 40_000);
  const flags = [{ feature: 'catalog', step: 1, state: 'DISABLED', admit: 0, by: 'person' }];
  const named = { service: 'shop', lineage: 'first', revision: 1, hash: 'h1', policyRevision: 1, proxies: 1 };
  fake.give(200, JSON.stringify({ ...named, flags, policy: services[0]!.policy }));
  await waitFor('the override', async () => (isDegraded(await connection.ask(item, as('shop', true))) ? true : null), 5000);
  for (const service of NAMES.slice(3, 31)) expect(isDegraded(await connection.ask(item, as(service, true)))).toBe(false);
  expect(valueIn(await stage.envoy.metrics(), 'rekindle_feature_state', { service: 's5', state: 'DISABLED' }) ?? 0).toBe(0);
  connection.close();
});

/** The stats, once the last refusals are in them: counters are written on the tick. */
async function settled(stage: Stage): Promise<Sample[]> {
  const ask = async (): Promise<Sample[] | null> => {
    const samples = await stage.envoy.metrics();
    return sumIn(samples, 'rekindle_requests_total', { outcome: 'refused' }) >= OPEN.length ? samples : null;
  };
  return waitFor('the refusals in the stats', ask, 5000);
}

async function trip(connection: Connection, service: string): Promise<void> {
  for (let i = 0; i < 3; i++) await connection.ask(item, as(service));
}
