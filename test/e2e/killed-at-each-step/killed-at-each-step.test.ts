import { expect, onTestFinished, test } from 'vitest';
import type { FeatureView } from '../../../control-plane/contract/rest/features.ts';
import { putPolicy } from '../../../envoy/demo/control-plane-process.ts';
import { type Answer, isUnanswered, startLoad } from '../../../envoy/demo/load.ts';
import { readFeatures, readLatestRecovery } from '../../../envoy/demo/rest.ts';
import type { Stage } from '../../../envoy/demo/stage.ts';
import { pause, waitFor } from '../../../envoy/demo/wait.ts';
import { withControlPlane } from '../plugin.ts';
import { openStage } from '../stage.ts';
import { courseOf } from '../timeline.ts';

const policy = {
  service: 'shop',
  governance: { staleAfterMs: 20_000, reportMs: 200, quietReportMs: 500 },
  recovery: { probesInFlight: 6, probesPerSecond: 50 },
  features: [
    {
      name: 'catalog',
      routes: [{ path: { prefix: '/catalog' } }],
      breaker: { minimumRequests: 5, consecutiveFailures: 3, openMs: 1000, openCapMs: 1000 },
      fallback: [{ static: { status: 200, body: 'standing in' } }],
      health: { windowMs: 2000, minimumRequests: 5 },
      recovery: {
        ...{ rampPercent: [25, 50, 100], stableForMs: 1000, minimumSamples: 5, probes: 2 },
        backoff: { baseMs: 400, capMs: 800, jitter: 'equal' },
      },
    },
  ],
};
/** Younger proxies have no vote in opening a feature (R10). */
const ageToVoteMs = 10_200;

test('killed while it waits, probes, ramps and proves itself, the same recovery goes on from that very step', async () => {
  const stage = await openStage({ plugin: withControlPlane(policy), controlPlane: true });
  await putPolicy(stage.ports.controlPlane, policy);
  const answers: Answer[] = [];
  const load = startLoad({
    port: stage.ports.listener,
    rates: { catalog: 50, checkout: 0, recommendations: 0 },
    onAnswer: (answer) => answers.push(answer),
  });
  onTestFinished(() => load.stop());
  await pause(ageToVoteMs);

  stage.shop.setMode('catalog', { mode: 'fail', status: 503, healthyShare: 0 });
  await reaches(stage, 'waiting or probing', ({ state }) => state === 'DISABLED');
  const { id } = (await latest(stage))!;
  await killAndRestart(stage);
  stage.shop.setMode('catalog', { mode: 'ok' });
  for (const admit of [2500, 5000, 10_000]) {
    await reaches(stage, `${admit} basis points`, (feature) => feature.state === 'TESTING' && feature.admit === admit);
    await killAndRestart(stage);
  }
  await reaches(stage, 'ENABLED', ({ state }) => state === 'ENABLED');
  await killAndRestart(stage);

  const ended = await waitFor(
    'the recovery to end',
    async () => {
      const recovery = await latest(stage);
      return recovery?.endedAtMs == null ? null : recovery;
    },
    15_000,
    100,
  );
  await load.stop();
  expect([ended.id, ended.result]).toEqual([id, 'recovered']);
  const course = courseOf(ended);
  expect(course.slice(0, 2)).toEqual(['recovery-started', 'catalog opened']);
  expect(course.filter((line) => !/attempt/.test(line)).slice(2)).toEqual([
    ...['catalog probes-succeeded 25 %', 'catalog step-passed 50 %', 'catalog step-passed 100 %', 'catalog enabled', 'recovery-ended'],
  ]);
  expect(answers.filter(isUnanswered)).toEqual([]);
  console.log(`${course.length} entries over five restarts, ${answers.length} requests answered`);
});

/** Without a goodbye, and back on the same store. */
async function killAndRestart(stage: Stage): Promise<void> {
  await stage.stopControlPlane('kill');
  await stage.startControlPlane();
}

function latest(stage: Stage) {
  return readLatestRecovery(stage.ports.controlPlane, 'shop');
}

function reaches(stage: Stage, what: string, isSo: (feature: FeatureView) => boolean): Promise<FeatureView> {
  const ask = async (): Promise<FeatureView | null> => {
    const [feature] = await readFeatures(stage.ports.controlPlane, 'shop');
    return feature && isSo(feature) ? feature : null;
  };
  return waitFor(`catalog to reach ${what}`, ask, 20_000, 20);
}
