import { expect, onTestFinished, test } from 'vitest';
import { valueIn } from '../../../envoy/demo/prometheus.ts';
import type { Stage } from '../../../envoy/demo/stage.ts';
import { waitFor } from '../../../envoy/demo/wait.ts';
import { type Connection, connect } from '../connection.ts';
import { withControlPlane } from '../plugin.ts';
import { openStage } from '../stage.ts';
import { startFakeControlPlane } from './fake-control-plane.ts';

const service = { service: 'shop' };

/** Never trips, and stands in with `body` for a failure: so the body tells which policy is in force. */
const policy = (body: string) => ({
  service: 'shop',
  features: [
    {
      name: 'catalog',
      routes: [{ path: { prefix: '/catalog' } }],
      breaker: { consecutiveFailures: 0, minimumRequests: 1_000_000 },
      fallback: [{ static: { status: 200, body } }],
    },
  ],
});

const directive = (lineage: string, revision: number, body: string) => ({
  service: 'shop',
  lineage,
  revision,
  hash: `h${revision}`,
  policyRevision: revision,
  proxies: 1,
  flags: [{ feature: 'catalog', step: revision, state: 'ENABLED', admit: 10_000, by: 'recovery' }],
  policy: policy(body),
});

const good = directive('first', 7, 'seven');
const bad: { name: string; text: string }[] = [
  { name: 'truncated', text: JSON.stringify({ ...good, revision: 8 }).slice(0, -40) },
  { name: 'of wrong types', text: JSON.stringify({ ...good, revision: 8, flags: 'none' }) },
  { name: 'for another service', text: JSON.stringify({ ...good, revision: 8, service: 'bank' }) },
  { name: 'too large', text: JSON.stringify({ ...directive('first', 8, 'eight'), padding: 'x'.repeat(2 * 1024 * 1024) }) },
  { name: 'nested too deeply', text: `${'['.repeat(100_000)}` },
  { name: 'empty', text: '' },
];

test('a bad directive is counted and changes nothing, a good one afterwards is taken', async () => {
  const stage = await openStage({ plugin: withControlPlane(policy('inline')) });
  const fake = await startFakeControlPlane(stage.ports.controlPlane);
  onTestFinished(() => fake.close());
  const connection = await connect(stage);
  stage.shop.setMode('catalog', { mode: 'fail', status: 503, healthyShare: 0 });
  expect(await bodyOf(connection)).toBe('inline');

  fake.name('first', 7);
  fake.give(200, JSON.stringify(good));
  await heldRevision(stage, 7);
  expect(await bodyOf(connection)).toBe('seven');

  for (const { name, text } of bad) {
    const before = await rejected(stage);
    fake.give(200, text);
    await waitFor(`the directive ${name} to be counted`, async () => ((await rejected(stage)) > before ? true : null), 10_000);
    expect([name, await bodyOf(connection)]).toEqual([name, 'seven']);
    await heldRevision(stage, 7);
    // "Nothing new" ends the waits between tries, which grow with each refusal.
    const asked = fake.watches().length;
    fake.give(304, '');
    await waitFor(`a watch after the directive ${name}`, async () => (fake.watches().length > asked + 1 ? true : null), 10_000);
  }

  const watches = fake.watches().length;
  fake.give(404, '{}');
  await waitFor('a watch after 404', async () => (fake.watches().length > watches ? true : null), 10_000);
  expect(await bodyOf(connection), 'after 404').toBe('seven');

  const counted = await rejected(stage);
  fake.give(200, JSON.stringify(directive('first', 6, 'six')));
  await waitFor('a watch after a lower revision', async () => (fake.watches().length > watches + 1 ? true : null), 10_000);
  expect(await bodyOf(connection), 'after a lower revision of the same lineage').toBe('seven');

  fake.name('second', 3);
  fake.give(200, JSON.stringify(directive('second', 3, 'three')));
  await heldRevision(stage, 3);
  expect(await bodyOf(connection), 'a lower revision of a new lineage').toBe('three');
  const follows = async (): Promise<true | null> => (fake.watches().at(-1)?.get('lineage') === 'second' ? true : null);
  await waitFor('a watch that names the new lineage', follows, 5000);
  console.log(`${counted} bad directives counted, ${fake.watches().length} watches, ${fake.reports().length} reports`);
  connection.close();
});

async function bodyOf(connection: Connection): Promise<string> {
  const reply = await connection.ask('/catalog/items/1');
  expect(reply.status).toBe(200);
  return reply.body;
}

function heldRevision(stage: Stage, revision: number): Promise<true> {
  const held = async (): Promise<number | null> => valueIn(await stage.envoy.metrics(), 'rekindle_directive_revision', service);
  return waitFor(`revision ${revision}`, async () => ((await held()) === revision ? true : null), 15_000);
}

async function rejected(stage: Stage): Promise<number> {
  return valueIn(await stage.envoy.metrics(), 'rekindle_directives_rejected_total', service) ?? 0;
}
