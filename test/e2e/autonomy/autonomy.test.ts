import { expect, onTestFinished, test } from 'vitest';
import { valueIn } from '../../../envoy/demo/prometheus.ts';
import type { Stage } from '../../../envoy/demo/stage.ts';
import { pause, waitFor } from '../../../envoy/demo/wait.ts';
import { type Connection, connect } from '../connection.ts';
import { type FakeControlPlane, startFakeControlPlane } from '../control-plane-away/fake-control-plane.ts';
import { withControlPlane } from '../plugin.ts';
import { openStage } from '../stage.ts';

const item = '/catalog/items/1';
const blendS = 10;

const policy = {
  service: 'shop',
  governance: { staleAfterMs: 1500, reportMs: 200, quietReportMs: 500 },
  features: [
    {
      name: 'catalog',
      routes: [{ path: { prefix: '/catalog' } }],
      breaker: { openMs: 300, openCapMs: 300, rampMs: 500, halfOpen: { probes: 2, successPercent: 100 } },
      fallback: [{ static: { status: 200, body: 'standing in' } }],
    },
  ],
};
const directive = {
  service: 'shop',
  lineage: 'first',
  revision: 7,
  hash: 'h7',
  policyRevision: 7,
  proxies: 1,
  flags: [{ feature: 'catalog', step: 7, state: 'DISABLED', admit: 0, by: 'recovery' }],
  policy,
};

test('the lease lapses while polls are answered; when it is back the share moves to the fleet’s without a jump', async () => {
  const stage = await openStage({ plugin: withControlPlane(policy) });
  const fake = await direct(stage);
  const connection = await connect(stage);
  await waitFor('the flag to govern', async () => ((await reasonOf(connection)) === 'disabled' ? true : null), 10_000);

  // Longer than the open time: a governed proxy does not half-open by itself (R2).
  const before = stage.shop.counts().catalog;
  for (let n = 0; n < 50; n++) {
    expect(await reasonOf(connection)).toBe('disabled');
    await pause(20);
  }
  expect(stage.shop.counts().catalog).toBe(before);

  const watches = fake.watches().length;
  fake.confirmAfter(100);
  fake.refuseReports();
  await waitFor('the proxy to recover by itself', async () => ((await reasonOf(connection)) === null ? true : null), 10_000);
  const isThrough = async (): Promise<true | null> => {
    await reasonOf(connection);
    return (await gauge(stage, 'admit_ratio')) === 10_000 ? true : null;
  };
  await waitFor('the ramp to end', isThrough, 5000, 10);
  expect(fake.watches().length, 'polls were answered all the while').toBeGreaterThan(watches + 5);
  expect(await gauge(stage, 'governed')).toBe(0);
  expect(await gauge(stage, 'directive_revision'), 'the last directive stays').toBe(7);

  fake.name('first', 7);
  await waitFor('the lease to be back', async () => ((await gauge(stage, 'governed')) === 1 ? true : null), 35_000, 10);
  const shares = await sharesPerSecond(stage, connection, blendS + 2);
  connection.close();
  console.log(`admitted per second after contact returned: ${shares.map((share) => share.toFixed(2)).join(' ')}`);
  for (const [second, share] of shares.entries()) {
    const expected = Math.max(0, 1 - (second + 0.5) / blendS);
    expect(Math.abs(share - expected), `second ${second}: ${share} admitted, ${expected} on the line`).toBeLessThanOrEqual(0.3);
  }
  expect(shares.at(-1)).toBe(0);
});

test('mode off in the plugin configuration passes everything, though the directive says DISABLED', async () => {
  const stage = await openStage({ plugin: (configuration) => ({ ...(withControlPlane(policy)(configuration) as object), mode: 'off' }) });
  const fake = await direct(stage);
  const connection = await connect(stage);
  const before = stage.shop.counts().catalog;
  for (let n = 0; n < 50; n++) {
    expect(await reasonOf(connection)).toBeNull();
    await pause(20);
  }
  expect(stage.shop.counts().catalog - before).toBe(50);
  expect(fake.watches(), 'and asks nobody').toEqual([]);
  connection.close();
});

async function direct(stage: Stage): Promise<FakeControlPlane> {
  const fake = await startFakeControlPlane(stage.ports.controlPlane);
  onTestFinished(() => fake.close());
  fake.name('first', 7);
  fake.give(200, JSON.stringify(directive));
  return fake;
}

async function reasonOf(connection: Connection): Promise<string | null> {
  const reply = await connection.ask(item);
  expect(reply.status).toBe(200);
  return /reason=([a-z]+)/.exec(String(reply.headers['rekindle']))?.[1] ?? null;
}

async function gauge(stage: Stage, name: string): Promise<number | null> {
  return valueIn(await stage.envoy.metrics(), `rekindle_${name}`, { service: 'shop' });
}

async function sharesPerSecond(stage: Stage, connection: Connection, seconds: number): Promise<number[]> {
  const shares: number[] = [];
  for (let second = 0; second < seconds; second++) {
    const before = stage.shop.counts().catalog;
    let asked = 0;
    for (const endAtMs = performance.now() + 1000; performance.now() < endAtMs; asked++) {
      await connection.ask(item);
      await pause(8);
    }
    shares.push((stage.shop.counts().catalog - before) / asked);
  }
  return shares;
}
