import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Demo, openDemo } from '../../../envoy/demo/demo.ts';
import { type Answer, isUnanswered } from '../../../envoy/demo/load.ts';
import { attemptsOf } from '../../../envoy/demo/outage-checks.ts';
import { freePorts } from '../../../envoy/demo/ports.ts';
import { readFeatures, readLatestRecovery } from '../../../envoy/demo/rest.ts';
import { pause, waitFor } from '../../../envoy/demo/wait.ts';

/** Younger proxies have no vote in opening a feature (R10). */
const ageToVoteMs = 10_500;

test('a control plane that is killed in mid-recovery goes on with that recovery when it is back', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rekindle-e2e-'));
  const answers: Answer[] = [];
  const options = { ports: await freePorts(), folder, end: new AbortController().signal, say: console.log };
  const demo = await openDemo(options, (answer) => answers.push(answer));
  onTestFinished(() => demo.close());
  const { stage } = demo;
  await pause(ageToVoteMs);

  stage.shop.setMode('catalog', { mode: 'fail', status: 503, healthyShare: 0 });
  await waitFor('two probe attempts', async () => (attemptsOf(await latest(demo)).length >= 2 ? true : null), 15_000);
  const before = await latest(demo);
  const stepBefore = await stepOf(demo, 'catalog');
  await stage.stopControlPlane('kill');
  await pause(1000);
  await stage.startControlPlane();
  expect(await stepOf(demo, 'catalog'), 'nothing lost, nothing done twice').toBe(stepBefore);
  expect(await stateOf(demo, 'catalog')).toBe('DISABLED');
  stage.shop.setMode('catalog', { mode: 'ok' });

  const ended = await waitFor(
    'the recovery to end',
    async () => {
      const recovery = await latest(demo);
      return recovery?.endedAtMs == null ? null : recovery;
    },
    35_000,
    250,
  );
  expect(ended.id).toBe(before?.id);
  expect(ended.timeline.slice(0, before?.timeline.length)).toEqual(before?.timeline);
  expect(ended.result).toMatch(/^recovered/);
  for (const feature of ['catalog', 'checkout', 'recommendations'])
    expect([feature, await stateOf(demo, feature)]).toEqual([feature, 'ENABLED']);
  await demo.stopLoad();
  expect(answers.filter(isUnanswered)).toEqual([]);
  expect(demo.death()).toBeNull();
  expect(await stage.envoy.traps()).toEqual([]);
  console.log(`${ended.id} ${ended.result} after ${ended.timeline.length} entries, ${answers.length} requests answered`);
  await demo.close();
  await rm(folder, { recursive: true });
});

function latest(demo: Demo) {
  return readLatestRecovery(demo.stage.ports.controlPlane, 'shop');
}

async function featureOf(demo: Demo, name: string) {
  return (await readFeatures(demo.stage.ports.controlPlane, 'shop')).find((feature) => feature.name === name);
}

async function stateOf(demo: Demo, name: string): Promise<string | undefined> {
  return (await featureOf(demo, name))?.state;
}

async function stepOf(demo: Demo, name: string): Promise<number | undefined> {
  return (await featureOf(demo, name))?.step;
}
