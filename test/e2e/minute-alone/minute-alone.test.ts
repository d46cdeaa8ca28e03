import { expect, onTestFinished, test } from 'vitest';
import { putPolicy } from '../../../envoy/demo/control-plane-process.ts';
import { type Answer, isUnanswered, startLoad } from '../../../envoy/demo/load.ts';
import { markedIn, valueIn } from '../../../envoy/demo/prometheus.ts';
import { readFeatures, readLatestRecovery } from '../../../envoy/demo/rest.ts';
import type { Stage } from '../../../envoy/demo/stage.ts';
import { pause, waitFor } from '../../../envoy/demo/wait.ts';
import { withControlPlane } from '../plugin.ts';
import { openStage } from '../stage.ts';

const policy = {
  service: 'shop',
  governance: { staleAfterMs: 1500, reportMs: 200, quietReportMs: 500 },
  features: [
    {
      name: 'catalog',
      routes: [{ path: { prefix: '/catalog' } }],
      breaker: {
        ...{ minimumRequests: 5, consecutiveFailures: 3, openMs: 500, openCapMs: 4000, rampMs: 2000 },
        halfOpen: { probes: 2, successPercent: 100, timeoutMs: 2000 },
      },
      fallback: [{ static: { status: 200, body: 'standing in' } }],
    },
  ],
};
const minuteMs = 60_000;
/** Two probes for each time that it half-opens, at least half of openCapMs apart once the wait has grown to it. */
const mostProbes = 2 * (4 + minuteMs / 2000);

test('a minute of outage without a control plane: the proxy protects, probes ever more rarely, and recovers by itself', async () => {
  const stage = await openStage({ plugin: withControlPlane(policy), controlPlane: true });
  const revision = await putPolicy(stage.ports.controlPlane, policy);
  const held = async (): Promise<true | null> => ((await gauge(stage, 'rekindle_directive_revision')) === revision ? true : null);
  await waitFor('the directive', held, 10_000);
  const answers: Answer[] = [];
  const load = startLoad({
    port: stage.ports.listener,
    rates: { catalog: 40, checkout: 0, recommendations: 0 },
    onAnswer: (answer) => answers.push(answer),
  });
  onTestFinished(() => load.stop());
  await stage.stopControlPlane('kill');

  const failedAtMs = performance.now();
  stage.shop.setMode('catalog', { mode: 'fail', status: 503, healthyShare: 0 });
  await phaseIs(stage, 'OPEN', 2000);
  const before = stage.shop.counts().catalog;
  await pause(minuteMs - (performance.now() - failedAtMs));
  const probes = stage.shop.counts().catalog - before;
  const healedAtMs = performance.now();
  stage.shop.setMode('catalog', { mode: 'ok' });
  await phaseIs(stage, 'CLOSED', 8000);
  const closedAfterMs = performance.now() - healedAtMs;

  await stage.startControlPlane();
  await waitFor('contact', async () => ((await gauge(stage, 'rekindle_governed')) === 1 ? true : null), 35_000);
  const [feature] = await readFeatures(stage.ports.controlPlane, 'shop');
  expect([feature?.state, feature?.admit]).toEqual(['ENABLED', 10_000]);
  expect(await readLatestRecovery(stage.ports.controlPlane, 'shop')).toBeNull();
  await load.stop();

  expect(probes).toBeGreaterThan(4);
  expect(probes).toBeLessThanOrEqual(mostProbes);
  expect(answers.filter(isUnanswered)).toEqual([]);
  const during = answers.filter(({ sentAtMs }) => sentAtMs > failedAtMs + 2000 && sentAtMs < healedAtMs);
  expect(during.filter(({ rung }) => rung !== 'static')).toEqual([]);
  const settled = answers.filter(({ sentAtMs }) => sentAtMs > healedAtMs + closedAfterMs + 3000);
  expect(settled.filter(({ rung }) => rung !== null)).toEqual([]);
  console.log(`${probes} probes in a minute, CLOSED ${Math.round(closedAfterMs)} ms after it, ${answers.length} requests answered`);
});

async function gauge(stage: Stage, name: string): Promise<number | null> {
  return valueIn(await stage.envoy.metrics(), name, { service: 'shop' });
}

function phaseIs(stage: Stage, phase: string, withinMs: number): Promise<true> {
  const labels = { service: 'shop', feature: 'catalog' };
  const isSo = async (): Promise<true | null> =>
    markedIn(await stage.envoy.metrics(), 'rekindle_breaker_phase', labels, 'phase') === phase ? true : null;
  return waitFor(`the breaker to be ${phase}`, isSo, withinMs, 20);
}
