import { expect, onTestFinished, test } from 'vitest';
import type { FeatureState } from '../../../control-plane/contract/names.ts';
import { putPolicy } from '../../../envoy/demo/control-plane-process.ts';
import { type Answer, isUnanswered, startLoad } from '../../../envoy/demo/load.ts';
import { valueIn } from '../../../envoy/demo/prometheus.ts';
import { readFeatures, readLatestRecovery } from '../../../envoy/demo/rest.ts';
import type { Stage } from '../../../envoy/demo/stage.ts';
import { waitFor } from '../../../envoy/demo/wait.ts';
import { DOWN, POLICY, RATES } from '../../compatibility/play.ts';
import { OLDER, OLDER_MODULE, startReplay } from '../../compatibility/replay.ts';
import { withControlPlane } from '../plugin.ts';
import { openStage } from '../stage.ts';

test(`a filter of ${OLDER} beside today's control plane: trips, degrades, is opened and brought back by the fleet`, async () => {
  const stage = await openStage({ module: OLDER_MODULE, controlPlane: true, plugin: withControlPlane() });
  await putPolicy(stage.ports.controlPlane, POLICY);
  // That version loses the copies that come before a worker's first tick, and the directive comes after it.
  const revision = async () => valueIn(await stage.envoy.metrics(), 'rekindle_directive_revision', { service: 'shop' });
  await waitFor('the directive', async () => ((await revision()) ? true : null), 35_000);
  const clients = startClients(stage);
  await clients.see('the shop', null);

  stage.shop.setMode('catalog', DOWN);
  await clients.see('the trip of the proxy', 'open');
  const becomes = (state: FeatureState) =>
    waitFor(state, async () => ((await readFeatures(stage.ports.controlPlane, 'shop'))[0]?.state === state ? true : null), 30_000);
  await becomes('DISABLED');
  await clients.see('the flag of the fleet', 'disabled');
  stage.shop.setMode('catalog', { mode: 'ok' });
  await becomes('ENABLED');
  await clients.seeOnly('the shop', null);

  const proxies = await fetch(`http://127.0.0.1:${stage.ports.controlPlane}/v1/services/shop/proxies`);
  expect(await proxies.json()).toMatchObject({ items: [{ version: OLDER, isCurrent: true }] });
  expect((await readLatestRecovery(stage.ports.controlPlane, 'shop'))?.timeline.map(({ event }) => event)).toContain('probes-succeeded');
  expect(clients.answers.filter(isUnanswered)).toEqual([]);
});

test(`today's filter beside what a control plane of ${OLDER} has said: trips, degrades, probes by permit, follows the ramp back`, async () => {
  const stage = await openStage({ plugin: withControlPlane() });
  const replay = await startReplay(stage.ports.controlPlane);
  onTestFinished(() => replay.close());
  const gauge = async (name: string): Promise<number | null> =>
    valueIn(await stage.envoy.metrics(), `rekindle_${name}`, { service: 'shop' });
  await waitFor('the recorded directive', async () => ((await gauge('directive_revision')) ? true : null), 35_000);
  const clients = startClients(stage);
  await clients.see('the shop', null);

  stage.shop.setMode('catalog', DOWN);
  await clients.see('the trip of the proxy', 'open');
  replay.advanceTo('DISABLED');
  await clients.see('the recorded flag', 'disabled');
  await waitFor('a lease by the recorded replies', async () => ((await gauge('governed')) === 1 ? true : null), 10_000);
  stage.shop.setMode('catalog', { mode: 'ok' });
  const before = stage.shop.counts().catalog;
  await waitFor('probes by the recorded permits', async () => (stage.shop.counts().catalog > before ? true : null), 10_000);
  replay.advanceTo('TESTING 5000');
  await clients.see('a share that is kept back', 'share');
  await clients.see('a share that passes', null);
  replay.advanceTo('ENABLED 10000');
  await clients.seeOnly('the shop', null);

  expect(await gauge('directives_rejected_total')).toBeNull();
  expect(await gauge('control_plane_connected')).toBe(1);
  expect(clients.answers.filter(isUnanswered)).toEqual([]);
});

interface Clients {
  readonly answers: readonly Answer[];
  /** Waits for an answer, from now on, for this reason; null: the upstream's own. */
  see(what: string, reason: string | null): Promise<void>;
  /** Waits until the last fifty answers are of this kind. */
  seeOnly(what: string, reason: string | null): Promise<void>;
}

function startClients(stage: Stage): Clients {
  const answers: Answer[] = [];
  const load = startLoad({ port: stage.ports.listener, rates: RATES, onAnswer: (answer) => answers.push(answer) });
  onTestFinished(() => load.stop());
  const wait = async (what: string, isSo: () => boolean): Promise<void> => {
    await waitFor(`${what} to be seen by clients`, async () => (isSo() ? true : null), 30_000);
  };
  return {
    answers,
    see: (what, reason) => {
      const from = answers.length;
      return wait(what, () => answers.slice(from).some((answer) => answer.reason === reason));
    },
    seeOnly: (what, reason) => {
      const from = answers.length;
      return wait(what, () => answers.length - from >= 50 && answers.slice(-50).every((answer) => answer.reason === reason));
    },
  };
}
