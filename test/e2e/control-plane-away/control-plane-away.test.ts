import { expect, test } from 'vitest';
import { putPolicy } from '../../../envoy/demo/control-plane-process.ts';
import { valueIn } from '../../../envoy/demo/prometheus.ts';
import type { Stage } from '../../../envoy/demo/stage.ts';
import { waitFor } from '../../../envoy/demo/wait.ts';
import { type Connection, connect } from '../connection.ts';
import { catalogPolicy, withControlPlane } from '../plugin.ts';
import { openStage } from '../stage.ts';

const service = { service: 'shop' };
const item = '/catalog/items/1';
const down = { mode: 'fail', status: 503, healthyShare: 0 } as const;

test('absent at the start, there, gone and back: the filter serves all the while', async () => {
  const stage = await openStage({ plugin: withControlPlane(catalogPolicy({ consecutiveFailures: 5, openMs: 500, openCapMs: 500 })) });
  const connection = await connect(stage);
  expect(await isConnected(stage)).toBe(false);
  await breakAndHeal(stage, connection);

  await stage.startControlPlane();
  const revision = await putPolicy(stage.ports.controlPlane, catalogPolicy({ consecutiveFailures: 5, openMs: 500, openCapMs: 500 }));
  // Reconnects wait up to 30 s, and both the watch and the reports have been failing since the start.
  await waitFor('the first directive', async () => (((await heldRevision(stage)) ?? 0) >= revision ? true : null), 35_000);
  await becomes(stage, true);

  await stage.stopControlPlane('kill');
  await becomes(stage, false);
  // Not always that of the policy: a first proxy is news too.
  const held = await heldRevision(stage);
  expect(held).toBeGreaterThanOrEqual(revision);
  await breakAndHeal(stage, connection);
  expect(await heldRevision(stage), 'the last directive stays').toBe(held);

  await stage.startControlPlane();
  await becomes(stage, true);
  expect((await connection.ask(item)).status).toBe(200);
  connection.close();
});

test('without a control plane and without an inline policy traffic passes', async () => {
  const stage = await openStage({ plugin: withControlPlane() });
  const connection = await connect(stage);
  const reply = await connection.ask(item);
  expect(reply.status).toBe(200);
  expect(reply.headers['rekindle']).toBeUndefined();
  connection.close();
});

/** The upstream fails and comes back; no client sees an error, and in the end the upstream answers again. */
async function breakAndHeal(stage: Stage, connection: Connection): Promise<void> {
  stage.shop.setMode('catalog', down);
  const ask = async (): Promise<string | null> => {
    const reply = await connection.ask(item);
    expect(reply.status).toBe(200);
    return /reason=([a-z]+)/.exec(String(reply.headers['rekindle']))?.[1] ?? null;
  };
  await waitFor('a refusal', async () => ((await ask()) === 'open' ? true : null), 5000, 5);
  stage.shop.setMode('catalog', { mode: 'ok' });
  await waitFor('the upstream to be asked again', async () => ((await ask()) === null ? true : null), 10_000, 5);
}

function becomes(stage: Stage, connected: boolean): Promise<true> {
  const what = connected ? 'contact with the control plane' : 'the loss of the control plane to be seen';
  return waitFor(what, async () => ((await isConnected(stage)) === connected ? true : null), 35_000);
}

async function isConnected(stage: Stage): Promise<boolean> {
  return valueIn(await stage.envoy.metrics(), 'rekindle_control_plane_connected', service) === 1;
}

async function heldRevision(stage: Stage): Promise<number | null> {
  return valueIn(await stage.envoy.metrics(), 'rekindle_directive_revision', service);
}
