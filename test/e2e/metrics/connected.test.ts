import { expect, test } from 'vitest';
import { FILTER_METRICS, filterLabels, type MetricSpec } from '../../../control-plane/contract/metrics.ts';
import { VERSION } from '../../../control-plane/version.gen.ts';
import { putPolicy } from '../../../envoy/demo/control-plane-process.ts';
import { markedIn, parseSamples, type Sample, sumIn, valueIn } from '../../../envoy/demo/prometheus.ts';
import type { Stage } from '../../../envoy/demo/stage.ts';
import { waitFor } from '../../../envoy/demo/wait.ts';
import { istioStatsConfig } from '../../envoy/istio-bootstrap.ts';
import { withControlPlane } from '../plugin.ts';
import { openStage } from '../stage.ts';

const shop = { service: 'shop' };
const catalog = { ...shop, feature: 'catalog' };
const watched = { ...shop, feature: 'recommendations' };

const health = { windowMs: 2000, minimumRequests: 5 };
const policy = {
  service: 'shop',
  governance: { staleAfterMs: 1500, reportMs: 200, quietReportMs: 500 },
  features: [
    {
      name: 'catalog',
      routes: [{ path: { prefix: '/catalog' } }],
      health,
      fallback: [{ stale: { refreshMs: 1000 } }, { static: { status: 200, body: 'standing in' } }],
    },
    {
      name: 'recommendations',
      mode: 'shadow',
      routes: [{ path: { prefix: '/recommendations' } }],
      health,
      breaker: { consecutiveFailures: 3, openMs: 60_000, openCapMs: 60_000 },
      fallback: [{ static: { status: 200, body: 'standing in' } }],
    },
  ],
};

test('with a control plane, and with the labels taken by the expressions of Istio’s bootstrap', async () => {
  const statsConfig = istioStatsConfig(filterLabels());
  const cache = { entries: 4 };
  const plugin = withControlPlane();
  const stage = await openStage({ controlPlane: true, statsConfig, plugin: (given) => ({ ...plugin(given), cache }) });
  await putPolicy(stage.ports.controlPlane, policy);
  const until = (what: string, isSo: (samples: readonly Sample[]) => boolean): Promise<readonly Sample[]> =>
    waitFor(what, async () => ifSo(await stage.envoy.metrics(), isSo), 20_000);
  const governed = await until('the proxy to be governed', (samples) => valueIn(samples, 'rekindle_governed', shop) === 1);
  expect(valueIn(governed, 'rekindle_control_plane_connected', shop)).toBe(1);
  expect(valueIn(governed, 'rekindle_build_info', { version: VERSION })).toBe(1);
  // A first proxy is news too: the revision may be one more by now.
  await waitFor('both sides to name one revision', async () => ((await held(stage)) === (await told(stage)) ? true : null), 10_000);

  // Eight copies in four slots; and a feature in shadow mode that trips.
  for (let n = 0; n < 8; n++) await ask(stage, `/catalog/items/${n}`);
  stage.shop.setMode('recommendations', { mode: 'fail', status: 500, healthyShare: 0 });
  const isJudged = (samples: readonly Sample[]) =>
    markedIn(samples, 'rekindle_feature_health', catalog, 'health') === 'HEALTHY' &&
    markedIn(samples, 'rekindle_feature_health', watched, 'health') === 'UNHEALTHY';
  const judged = await waitFor(
    'the fleet to judge both',
    async () => {
      await Promise.all([ask(stage, '/catalog/items/1'), ask(stage, '/recommendations/1')]);
      return ifSo(await stage.envoy.metrics(), isJudged);
    },
    20_000,
  );
  expect(sumIn(judged, 'rekindle_detected_total', watched), 'what would have been refused or replaced').toBeGreaterThan(3);
  expect(sumIn(judged, 'rekindle_degraded_total', watched), 'and was not').toBe(0);
  expect(valueIn(judged, 'rekindle_copies_stored_total', catalog)).toBeGreaterThanOrEqual(8);
  expect(valueIn(judged, 'rekindle_copies_evicted_total', catalog)).toBeGreaterThanOrEqual(4);

  await override(stage, { kind: 'FORCED_OPEN', reason: 'a trial', expiresInMs: 60_000 });
  await until('the override', (samples) => valueIn(samples, 'rekindle_breaker_phase', { ...catalog, phase: 'FORCED_OPEN' }) === 1);
  expect((await controlPlaneSamples(stage)).filter(({ name }) => name === 'rekindle_overrides')).toMatchObject([
    { labels: shop, value: 1 },
  ]);

  await stage.stopControlPlane('kill');
  const lost = await until('the loss of the control plane, and of the lease', (samples) => {
    const [connected, lease] = ['rekindle_control_plane_connected', 'rekindle_governed'].map((name) => valueIn(samples, name, shop));
    return connected === 0 && lease === 0;
  });
  const older = await until('the directive to age', (samples) => (valueIn(samples, 'rekindle_directive_age_seconds', shop) ?? 0) >= 3);
  expect(valueIn(older, 'rekindle_directive_revision', shop)).toBe(valueIn(lost, 'rekindle_directive_revision', shop));

  const specs = new Map<string, MetricSpec>(Object.entries(FILTER_METRICS));
  for (const { name, labels } of older) {
    const wanted = Object.keys(specs.get(name.replace(/_(bucket|sum|count)$/, ''))?.labels ?? {});
    expect([name, ...Object.keys(labels).filter((label) => label !== 'le')].sort()).toEqual([name, ...wanted].sort());
  }
});

function ifSo(samples: readonly Sample[], isSo: (samples: readonly Sample[]) => boolean): readonly Sample[] | null {
  return isSo(samples) ? samples : null;
}

async function ask(stage: Stage, path: string): Promise<void> {
  await (await fetch(`http://127.0.0.1:${stage.ports.listener}${path}`)).arrayBuffer();
}

async function held(stage: Stage): Promise<number | null> {
  return valueIn(await stage.envoy.metrics(), 'rekindle_directive_revision', shop);
}

async function told(stage: Stage): Promise<number | null> {
  return valueIn(await controlPlaneSamples(stage), 'rekindle_fleet_revision', shop);
}

async function controlPlaneSamples(stage: Stage): Promise<Sample[]> {
  return parseSamples(await (await fetch(`http://127.0.0.1:${stage.ports.controlPlane}/metrics`)).text());
}

async function override(stage: Stage, body: object): Promise<void> {
  const url = `http://127.0.0.1:${stage.ports.controlPlane}/v1/services/shop/features/catalog/override`;
  const response = await fetch(url, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`the override was refused: ${response.status} ${await response.text()}`);
}
