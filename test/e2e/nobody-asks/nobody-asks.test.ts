import { expect, onTestFinished, test } from 'vitest';
import { putPolicy } from '../../../envoy/demo/control-plane-process.ts';
import { startLoad } from '../../../envoy/demo/load.ts';
import { readFeatures, readLatestRecovery } from '../../../envoy/demo/rest.ts';
import type { Arrival } from '../../../envoy/demo/shop.ts';
import type { Stage } from '../../../envoy/demo/stage.ts';
import { pause, waitFor } from '../../../envoy/demo/wait.ts';
import { withControlPlane } from '../plugin.ts';
import { openStage } from '../stage.ts';
import { courseOf } from '../timeline.ts';

/** Probes of one attempt, and in flight. */
const probes = 2;
const policy = {
  service: 'shop',
  governance: { staleAfterMs: 6000, reportMs: 200, quietReportMs: 500 },
  recovery: { probesInFlight: probes },
  features: [
    {
      name: 'catalog',
      routes: [{ path: { prefix: '/catalog' } }],
      breaker: { minimumRequests: 5, consecutiveFailures: 3, openMs: 30_000 },
      fallback: [{ static: { status: 200, body: 'standing in' } }],
      health: { windowMs: 2000, minimumRequests: 5 },
      recovery: { rampPercent: [50, 100], stableForMs: 1000, minimumSamples: 5, probes, backoff: { baseMs: 200, capMs: 400 } },
      probe: { request: { cluster: 'shop', path: '/catalog/items/1', authority: 'shop.example', timeoutMs: 500 } },
    },
  ],
};
/** Of the feature's health: no request of before is in sight after it. */
const windowMs = 2000;

test('an outage at night: probe requests alone bring the feature back', async () => {
  const plugin = withControlPlane(policy);
  const stage = await openStage({ plugin: (written) => ({ ...plugin(written), probeClusters: ['shop'] }), controlPlane: true });
  await putPolicy(stage.ports.controlPlane, policy);
  const load = startLoad({ port: stage.ports.listener, rates: { catalog: 40, checkout: 0, recommendations: 0 }, onAnswer: () => {} });
  onTestFinished(() => load.stop());
  stage.shop.setMode('catalog', { mode: 'fail', status: 503, healthyShare: 0 });
  await becomes(stage, 'DISABLED', 15_000);
  await load.stop();
  const arrivals: Arrival[] = [];
  stage.shop.onArrival((arrival) => arrivals.push(arrival));
  const before = (await courseSoFar(stage)).length;

  await pause(windowMs);
  await waitFor('a probe request', async () => (arrivals.length > 0 ? true : null), 8000, 20);
  stage.shop.setMode('catalog', { mode: 'ok' });
  await becomes(stage, 'ENABLED', 10_000);

  const course = await courseSoFar(stage);
  expect(course.at(-1)).toBe('catalog enabled');
  // The attempt that was under way when the traffic stopped may have had its permits left.
  const attempts = 1 + course.slice(before).filter((event) => event === 'catalog probe-attempt').length;
  expect(arrivals.length).toBeGreaterThanOrEqual(probes);
  expect(arrivals.length).toBeLessThanOrEqual(probes * attempts);
  for (const { path, headers } of arrivals) {
    expect([path, headers.host, headers['user-agent']]).toEqual(['/catalog/items/1', 'shop.example', 'rekindle-probe']);
  }
  const isServed = async (): Promise<true | null> => {
    const { headers } = await fetch(`http://127.0.0.1:${stage.ports.listener}/catalog/items/1`);
    return headers.has('rekindle') ? null : true;
  };
  await waitFor("the upstream's own answer", isServed, 2000, 20);
  console.log(`${arrivals.length} probe requests in ${attempts} attempts; ${course.join(', ')}`);
});

async function courseSoFar(stage: Stage): Promise<string[]> {
  const recovery = await readLatestRecovery(stage.ports.controlPlane, 'shop');
  return recovery === null ? [] : courseOf(recovery);
}

function becomes(stage: Stage, state: string, withinMs: number): Promise<true> {
  const isSo = async (): Promise<true | null> => {
    const [feature] = await readFeatures(stage.ports.controlPlane, 'shop');
    return feature?.state === state ? true : null;
  };
  return waitFor(`the catalog to be ${state}`, isSo, withinMs, 50);
}
