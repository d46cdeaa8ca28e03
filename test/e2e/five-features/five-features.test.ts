import { expect, onTestFinished, test } from 'vitest';
import { putPolicy } from '../../../envoy/demo/control-plane-process.ts';
import { readFeatures, readLatestRecovery } from '../../../envoy/demo/rest.ts';
import type { Stage } from '../../../envoy/demo/stage.ts';
import { pause, waitFor } from '../../../envoy/demo/wait.ts';
import { type Connection, connect } from '../connection.ts';
import { withControlPlane } from '../plugin.ts';
import { openStage } from '../stage.ts';
import { courseOf } from '../timeline.ts';

const needs = (feature: string) => ({ dependsOn: [{ feature, hard: true }] });
/** All but the catalog are pages of the shop's checkout, which never fails here. */
const features = [
  feature('catalog', 1, '/catalog', [50, 100], {}),
  feature('cart', 2, '/checkout/cart', [50, 100], needs('catalog')),
  feature('pay', 3, '/checkout/pay', [100], needs('cart')),
  feature('ship', 4, '/checkout/ship', [100], needs('cart')),
  feature('search', 5, '/checkout/search', [100], { dependsOn: [{ feature: 'catalog' }] }),
];
const policy = {
  service: 'shop',
  governance: { staleAfterMs: 6000, reportMs: 200, quietReportMs: 500 },
  recovery: { probesInFlight: 6, probesPerSecond: 50, maxRamping: 3 },
  features,
};

function feature(name: string, priority: number, prefix: string, rampPercent: number[], rest: object) {
  return {
    name,
    priority,
    routes: [{ path: { prefix } }],
    breaker: { minimumRequests: 5, consecutiveFailures: 3, openMs: 1000, openCapMs: 1000 },
    fallback: [{ static: { status: 200, body: 'standing in' } }],
    health: { windowMs: 2000, minimumRequests: 5 },
    recovery: {
      ...{ rampPercent, stableForMs: 1000, minimumSamples: 5, probes: 2 },
      backoff: { baseMs: 200, capMs: 800, jitter: 'equal' },
    },
    ...rest,
  };
}

/** Younger proxies have no vote in opening a feature (R10). */
const ageToVoteMs = 10_200;
const down = { mode: 'fail', status: 503, healthyShare: 0 } as const;

test('five features come back in order, though their parent fails again in the middle', async () => {
  const stage = await openStage({ plugin: withControlPlane(policy), controlPlane: true });
  await putPolicy(stage.ports.controlPlane, policy);
  const statuses = new Map<number, number>();
  const stop = await drive(stage, (status) => statuses.set(status, (statuses.get(status) ?? 0) + 1));
  onTestFinished(stop);
  await pause(ageToVoteMs);

  stage.shop.setMode('catalog', down);
  await becomes(stage, 'catalog', 'DISABLED');
  stage.shop.setMode('catalog', { mode: 'ok' });
  await becomes(stage, 'cart', 'TESTING', 5000);
  stage.shop.setMode('catalog', down);
  await becomes(stage, 'catalog', 'DISABLED');
  await becomes(stage, 'cart', 'DISABLED');
  stage.shop.setMode('catalog', { mode: 'ok' });
  const recovery = await waitFor(
    'the recovery to end',
    async () => {
      const latest = await readLatestRecovery(stage.ports.controlPlane, 'shop');
      return latest?.endedAtMs == null ? null : latest;
    },
    30_000,
    200,
  );
  await stop();

  expect(recovery.result).toBe('recovered');
  expect(courseOf(recovery)).toEqual([
    ...['recovery-started', 'catalog opened', 'cart pulled-back', 'pay pulled-back', 'ship pulled-back'],
    ...['catalog probe-attempt', 'catalog probes-succeeded 50 %', 'catalog step-passed 100 %', 'catalog enabled'],
    ...['cart probe-attempt', 'cart probes-succeeded 50 %'],
    ...['recovery-joined', 'catalog opened', 'cart pulled-back'],
    ...['catalog probe-attempt', 'catalog probes-succeeded 50 %', 'catalog step-passed 100 %', 'catalog enabled'],
    ...['cart probe-attempt', 'cart probes-succeeded 50 %', 'cart step-passed 100 %', 'cart enabled'],
    ...['pay probe-attempt', 'pay probes-succeeded 100 %', 'pay enabled'],
    ...['ship probe-attempt', 'ship probes-succeeded 100 %', 'ship enabled', 'recovery-ended'],
  ]);
  expect(await loweredTogether(stage)).toEqual([
    ['cart', 'catalog'],
    ['ship', 'pay', 'cart', 'catalog'],
  ]);
  expect([...statuses.keys()]).toEqual([200]);
  console.log(`${courseOf(recovery).length} entries, ${[...statuses.values()]} requests answered`);
});

/** Features that went down in one revision, as the audit lists them: leaves before their root; the latest first. */
async function loweredTogether(stage: Stage): Promise<string[][]> {
  const response = await fetch(`http://127.0.0.1:${stage.ports.controlPlane}/v1/services/shop/audit?limit=200`);
  const { items } = (await response.json()) as { items: readonly { revision: number; feature: string; to?: { state: string } }[] };
  const byRevision = new Map<number, string[]>();
  for (const { revision, feature, to } of items) {
    if (to?.state === 'DISABLED') byRevision.set(revision, [feature, ...(byRevision.get(revision) ?? [])]);
  }
  return [...byRevision.values()];
}

/** Asks for a page of each feature, some 25 times a second. */
async function drive(stage: Stage, onStatus: (status: number) => void): Promise<() => Promise<void>> {
  let ended = false;
  const paths = ['/catalog/items/1', '/checkout/cart', '/checkout/pay', '/checkout/ship', '/checkout/search'];
  const one = async (connection: Connection): Promise<void> => {
    for (let turn = 0; !ended; turn++) {
      onStatus((await connection.ask(paths[turn % paths.length]!)).status);
      await pause(12);
    }
    connection.close();
  };
  const connections = [await connect(stage), await connect(stage)];
  const loops = connections.map(one);
  return async () => {
    ended = true;
    await Promise.all(loops);
  };
}

function becomes(stage: Stage, name: string, state: string, admit?: number): Promise<true> {
  const isSo = async (): Promise<true | null> => {
    const found = (await readFeatures(stage.ports.controlPlane, 'shop')).find((each) => each.name === name);
    return found?.state === state && (admit === undefined || found.admit === admit) ? true : null;
  };
  return waitFor(`${name} to be ${state}`, isSo, 15_000, 20);
}
