import { expect, onTestFinished, test } from 'vitest';
import { type Answer, startLoad } from '../../../envoy/demo/load.ts';
import { freePort } from '../../../envoy/demo/ports.ts';
import { waitFor } from '../../../envoy/demo/wait.ts';
import { connect } from '../connection.ts';
import { startFakeControlPlane } from '../control-plane-away/fake-control-plane.ts';
import { openDynamicEnvoy } from '../dynamic-envoy.ts';
import { catalogPolicy, standAlone, withControlPlane } from '../plugin.ts';

const item = '/catalog/items/1';
const breaker = { consecutiveFailures: 3, minimumRequests: 1000, openMs: 60_000, openCapMs: 60_000, jitter: 'none' };
/** An inline policy that says which one it is. */
const policy = (body: string) => {
  const { service, features } = catalogPolicy(breaker);
  return { service, features: features.map((feature) => ({ ...feature, fallback: [{ static: { status: 200, body } }] })) };
};

test('another configuration of the listener under load: no request fails, an OPEN breaker stays open, a bad one changes nothing', async () => {
  const dynamic = await openDynamicEnvoy({ listeners: ({ listener: port }) => [{ port, plugin: standAlone(policy('first')) }] });
  const { ports, shop } = dynamic;
  const first = await connect({ ports });
  shop.setMode('catalog', { mode: 'fail', status: 503, healthyShare: 0 });
  for (let i = 0; i < 3; i++) await first.ask(item);
  first.close();

  const answers: Answer[] = [];
  const load = startLoad({
    port: ports.listener,
    rates: { catalog: 100, checkout: 50, recommendations: 0 },
    onAnswer: (answer) => answers.push(answer),
  });
  // The other worker obeys the trip within a tick; what it let through until then does not count.
  await waitFor('both workers to obey', async () => (answers.length > 20 ? true : null), 5000);
  const arrived = shop.counts().catalog;
  for (const name of ['second', 'third']) {
    expect(await dynamic.update([{ port: ports.listener, plugin: standAlone(policy(name)) }])).toBe('taken');
    await waitFor(`the policy named ${name}`, async () => ((await body(ports.listener)) === name ? true : null), 5000);
    await rootsLeft(ports.admin);
  }
  expect(await dynamic.update([{ port: ports.listener, plugin: () => '{"services":[' }])).toBe('refused');
  expect(await body(ports.listener)).toBe('third');
  await load.stop();

  const failed = answers.filter(({ status, rung }) => status !== 200 && rung === null);
  console.log(`${answers.length} requests over two listener updates and a refused one: ${failed.length} failed`);
  expect(answers.length).toBeGreaterThan(300);
  expect(failed).toEqual([]);
  expect(shop.counts().catalog).toBe(arrived);
});

test('the root that speaks with the control plane goes with its calls in flight: another one goes on', async () => {
  const other = await freePort();
  const plugin = withControlPlane(policy('inline'));
  const second = withControlPlane({ ...policy('inline'), mode: 'enforce' });
  const dynamic = await openDynamicEnvoy({
    listeners: (ports) => [
      { port: ports.listener, plugin },
      { port: other, plugin: second },
    ],
  });
  const { ports, shop } = dynamic;
  const fake = await startFakeControlPlane(ports.controlPlane);
  onTestFinished(() => fake.close());
  await waitFor('a first poll', async () => (fake.watches().length > 0 ? true : null), 40_000);
  fake.name('first', 1);
  fake.give(200, directive(1, 'one'));
  await waitFor('a poll that waits', async () => (fake.watches().at(-1)?.get('revision') === '1' ? true : null), 5000);
  const polls = fake.watches().length;
  const reports = fake.reports().length;

  // The newest root acts for the service: that of the other listener, which goes now.
  expect(await dynamic.update([{ port: ports.listener, plugin }])).toBe('taken');
  await waitFor('a poll from another root', async () => (fake.watches().length > polls ? true : null), 15_000);
  fake.name('first', 2);
  fake.give(200, directive(2, 'two'));
  shop.setMode('catalog', { mode: 'fail', status: 503, healthyShare: 0 });
  await waitFor('the next directive', async () => ((await body(ports.listener)) === 'two' ? true : null), 5000);
  await waitFor('a report', async () => (fake.reports().length > reports ? true : null), 10_000);
});

function directive(revision: number, text: string): string {
  const named = { service: 'shop', lineage: 'first', revision, hash: `h${revision}`, policyRevision: revision, proxies: 1 };
  return JSON.stringify({ ...named, flags: [], policy: policy(text) });
}

async function body(port: number): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}${item}`)).text();
}

/** Waits until the listeners of before have drained and gone. */
async function rootsLeft(adminPort: number): Promise<void> {
  const draining = async (): Promise<true | null> => {
    const text = await (await fetch(`http://127.0.0.1:${adminPort}/stats?filter=draining`)).text();
    return /total_(listeners|filter_chains)_draining: [1-9]/.test(text) ? null : true;
  };
  await waitFor('the old listener to be gone', draining, 10_000);
}
