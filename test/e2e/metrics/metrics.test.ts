import { expect, test } from 'vitest';
import { FILTER_METRICS } from '../../../control-plane/contract/metrics.ts';
import { sumIn, valueIn } from '../../../envoy/demo/prometheus.ts';
import { pause, waitFor } from '../../../envoy/demo/wait.ts';
import { connect } from '../connection.ts';
import { catalogPolicy, standAlone } from '../plugin.ts';
import { openStage } from '../stage.ts';

test('Prometheus sees the metrics of the contract with their labels', async () => {
  const breaker = { consecutiveFailures: 3, openMs: 60_000, openCapMs: 60_000 };
  const stage = await openStage({ plugin: standAlone(catalogPolicy(breaker)) });
  const connection = await connect(stage);
  for (let n = 0; n < 10; n++) await connection.ask('/catalog/items/1');
  stage.shop.setMode('catalog', { mode: 'fail', status: 500, healthyShare: 0 });
  for (let n = 0; n < 3; n++) await connection.ask('/catalog/items/1');
  await waitFor('a refusal', async () => ((await connection.ask('/catalog/items/1')).headers['rekindle'] ? true : null), 1000);
  for (let n = 0; n < 4; n++) await connection.ask('/catalog/items/1');
  await pause(200);
  connection.close();

  const samples = await waitFor(
    'the histogram, which Envoy merges every 5 s',
    async () => {
      const present = await stage.envoy.metrics();
      return (valueIn(present, 'rekindle_upstream_ms_count', { feature: 'catalog' }) ?? 0) > 0 ? present : null;
    },
    8000,
  );
  const catalog = { service: 'shop', feature: 'catalog' };
  expect(valueIn(samples, 'rekindle_requests_total', { ...catalog, outcome: 'success' })).toBe(10);
  expect(valueIn(samples, 'rekindle_requests_total', { ...catalog, outcome: 'failure' })).toBe(3);
  expect(valueIn(samples, 'rekindle_requests_total', { ...catalog, outcome: 'refused' })).toBe(5);
  expect(valueIn(samples, 'rekindle_degraded_total', { ...catalog, rung: 'static', reason: 'failure' })).toBe(3);
  expect(valueIn(samples, 'rekindle_degraded_total', { ...catalog, rung: 'static', reason: 'open' })).toBe(5);
  expect(valueIn(samples, 'rekindle_transitions_total', { ...catalog, to: 'OPEN' })).toBe(1);
  expect(valueIn(samples, 'rekindle_breaker_phase', { ...catalog, phase: 'OPEN' })).toBe(1);
  expect(sumIn(samples, 'rekindle_breaker_phase', catalog)).toBe(1);
  expect(valueIn(samples, 'rekindle_feature_state', { ...catalog, state: 'ENABLED' })).toBe(1);
  expect(valueIn(samples, 'rekindle_unmatched_total')).toBeGreaterThanOrEqual(1);
  expect(valueIn(samples, 'rekindle_upstream_ms_count', catalog)).toBe(13);

  const specs = new Map(Object.entries(FILTER_METRICS).map(([name, { labels }]) => [name, Object.keys(labels).sort()]));
  for (const { name, labels } of samples) {
    const spec = specs.get(name.replace(/_(bucket|sum|count)$/, ''));
    const present = Object.keys(labels).filter((label) => label !== 'le');
    expect([name, present.sort()]).toEqual([name, spec]);
  }
});
