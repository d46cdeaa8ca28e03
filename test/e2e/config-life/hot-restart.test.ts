import { get } from 'node:http';
import { expect, test } from 'vitest';
import { type Answer, startLoad } from '../../../envoy/demo/load.ts';
import { parseSamples, type Sample, sumIn } from '../../../envoy/demo/prometheus.ts';
import { HEALTHY } from '../../../envoy/demo/shop-mode.ts';
import { waitFor } from '../../../envoy/demo/wait.ts';
import { connect } from '../connection.ts';
import { openDynamicEnvoy } from '../dynamic-envoy.ts';
import { catalogPolicy, standAlone } from '../plugin.ts';

const PHASES = ['CLOSED', 'OPEN', 'HALF_OPEN', 'FORCED_OPEN', 'FORCED_CLOSED'];
const breaker = { consecutiveFailures: 3, minimumRequests: 1000, openMs: 60_000, openCapMs: 60_000, jitter: 'none' };

/** Two features, of which one will be OPEN when the second process starts. */
function policy(): object {
  const { service, features } = catalogPolicy(breaker);
  return { service, features: [...features, { name: 'checkout', routes: [{ path: { prefix: '/checkout' } }] }] };
}

/** Phases that the gauges show for each feature, with their values. */
function phases(samples: readonly Sample[]): Record<string, Record<string, number>> {
  const of = (feature: string) => {
    const values = PHASES.map((phase) => [phase, sumIn(samples, 'rekindle_breaker_phase', { feature, phase })] as const);
    return [feature, Object.fromEntries(values.filter(([, value]) => value > 0))] as const;
  };
  return Object.fromEntries(['catalog', 'checkout'].map(of));
}

/** Over a connection of its own: a kept one would go on asking the old process. */
function statsOf(adminPort: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = get({ host: '127.0.0.1', port: adminPort, path: '/stats/prometheus?filter=rekindle_', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', () => resolve(text)).once('error', reject);
    });
    asked.once('error', reject);
  });
}

test('a hot restart: no request fails; gauges of both processes add up, then the new one is left alone', async () => {
  const dynamic = await openDynamicEnvoy({ listeners: ({ listener: port }) => [{ port, plugin: standAlone(policy()) }] });
  const { ports, shop } = dynamic;
  const shown = async (): Promise<ReturnType<typeof phases>> => phases(parseSamples(await statsOf(ports.admin)));
  const until = (what: string, wanted: ReturnType<typeof phases>, within = 15_000) =>
    waitFor(what, async () => (JSON.stringify(await shown()) === JSON.stringify(wanted) ? true : null), within);

  const connection = await connect({ ports });
  shop.setMode('catalog', { mode: 'fail', status: 503, healthyShare: 0 });
  for (let i = 0; i < 3; i++) await connection.ask('/catalog/items/1');
  connection.close();
  await until('OPEN in the first process', { catalog: { OPEN: 1 }, checkout: { CLOSED: 1 } });
  shop.setMode('catalog', HEALTHY);

  const answers: Answer[] = [];
  const load = startLoad({
    port: ports.listener,
    rates: { catalog: 50, checkout: 50, recommendations: 0 },
    onAnswer: (answer) => answers.push(answer),
  });
  const { parent } = await dynamic.restart();
  // The new process starts without the old one's memory: CLOSED. Until the old one ends the stats show both, and 2 where they agree.
  await until('both processes in the stats', { catalog: { CLOSED: 1, OPEN: 1 }, checkout: { CLOSED: 2 } });
  const { code } = await parent.exited;
  expect(code).toBe(0);
  await until('the new process alone', { catalog: { CLOSED: 1 }, checkout: { CLOSED: 1 } });
  await load.stop();
  const failed = answers.filter(({ status }) => status !== 200);
  console.log(`${answers.length} requests over a hot restart: ${failed.length} failed`);
  expect(failed).toEqual([]);
});
