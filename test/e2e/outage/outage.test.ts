import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Check } from '../../../envoy/demo/outage-checks.ts';
import { freePort, freePorts } from '../../../envoy/demo/ports.ts';
import { type PrometheusProcess, startPrometheus } from '../../../envoy/demo/prometheus-process.ts';
import { runOutage } from '../../../envoy/demo/scenario-outage.ts';
import type { Dashboard, Panel } from '../../../scripts/dashboards/dashboard.ts';
import { FLEET } from '../../../scripts/dashboards/fleet.ts';
import { SERVICE } from '../../../scripts/dashboards/service.ts';
import { rulesOf } from '../../../scripts/metrics-page.ts';

let folder: string;
let prometheus: PrometheusProcess;
let checks: Check[];
const fromMs = Date.now();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rekindle-e2e-'));
  const ports = await freePorts();
  const places = { port: await freePort(), folder: join(folder, 'prometheus') };
  prometheus = await startPrometheus({ ...places, envoyAdminPort: ports.admin, controlPlanePort: ports.controlPlane });
  checks = await runOutage({ ports, folder, end: new AbortController().signal, say: console.log });
}, 100_000);

afterAll(async () => {
  await prometheus.stop();
  await rm(folder, { recursive: true });
});

test('an outage takes its course: trip, degraded answers, fleet-wide opening, probes, ramp, return in order', () => {
  expect(checks.filter(({ passed }) => !passed)).toEqual([]);
  expect(checks.length).toBeGreaterThan(10);
});

describe.for([FLEET, SERVICE])('$title', ({ rows, variables }: Dashboard) => {
  test.for(rows.flatMap(({ panels }): readonly Panel[] => panels))('$title: no query is wrong or empty', async ({ queries }) => {
    for (const { expr } of queries) {
      const series = await prometheus.queryRange(filledIn(expr), fromMs);
      const values = series.flatMap((one) => one.values.map(([, value]) => Number(value))).filter((value) => !Number.isNaN(value));
      expect(values.length, expr).toBeGreaterThan(0);
    }
  });

  test.for([...variables])('choice of $name', async ({ name, of }) => {
    expect(await prometheus.labelValues(filledIn(of), name)).toEqual(
      name === 'service' ? ['shop'] : ['catalog', 'checkout', 'recommendations'],
    );
  });
});

test.for(rulesOf('recording'))('$record is recorded', async ({ record = '' }) => {
  expect((await prometheus.queryRange(record, fromMs)).length).toBeGreaterThan(0);
});

test('what is recorded tells the course: catalog fell to nothing, rose by steps, and passes all again', async () => {
  const [series] = await prometheus.queryRange('service_feature:rekindle_admit:ratio{feature="catalog"}', fromMs);
  const seen = new Set(series?.values.map(([, value]) => Number(value)));
  expect([...seen]).toEqual(expect.arrayContaining([0, 1]));
  expect([...seen].filter((ratio) => ratio > 0 && ratio < 1).length).toBeGreaterThan(0);
});

test('the open feature is about to raise its alert, and nothing else is amiss', async () => {
  const series = await prometheus.queryRange('ALERTS', fromMs);
  // A scrape before the servers are up, and after they ended, finds no leader and no answer.
  const startAndEnd = ['RekindleNoLeader', 'RekindleControlPlaneLost', 'RekindleUngoverned'];
  const names = new Set(series.map(({ metric }) => metric['alertname'] ?? '').filter((name) => !startAndEnd.includes(name)));
  expect(names).toContain('RekindleFeatureOpen');
  names.delete('RekindleFeatureOpen');
  names.delete('RekindleRecoverySlow'); // pending for its half hour
  names.delete('RekindleProxyBehind'); // pending where a flag changed between the scrapes of the two servers
  expect([...names]).toEqual([]);
  expect(series.filter(({ metric }) => metric['alertstate'] === 'firing').map(({ metric }) => metric['alertname'])).toEqual([]);
});

test('Prometheus has nothing to complain of', () => {
  expect(readFileSync(prometheus.logFile, 'utf8')).not.toMatch(/level=error|level=warn.*(rule|Error)/i);
});

/** The expression as Grafana sends it, with the demo's service chosen. */
function filledIn(expr: string): string {
  return expr.replaceAll('$__rate_interval', '5s').replaceAll('$service', 'shop').replaceAll('$feature', '.+');
}
