import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { type Sample, sumIn } from '../../../envoy/demo/prometheus.ts';
import { waitFor } from '../../../envoy/demo/wait.ts';
import { connect } from '../connection.ts';
import { openDynamicEnvoy } from '../dynamic-envoy.ts';
import { catalogPolicy, standAlone } from '../plugin.ts';

const item = '/catalog/items/1';
const plugin = standAlone(
  catalogPolicy({ consecutiveFailures: 2, minimumRequests: 1000, openMs: 60_000, openCapMs: 60_000, jitter: 'none' }),
);

const isCounted = (samples: readonly Sample[]): boolean => sumIn(samples, 'rekindle_requests_total', { outcome: 'refused' }) > 0;

/** Trips the breaker; gives the answer to the next request, and what Envoy's log says of capabilities. */
async function refused(denied: string | null): Promise<{ marker: unknown; complaints: string[] }> {
  const edit = (text: string): string => (denied === null ? text : text.replace(new RegExp(`"${denied}": \\{\\},?`), ''));
  const dynamic = await openDynamicEnvoy({ listeners: ({ listener: port }) => [{ port, plugin }], edit });
  const connection = await connect(dynamic);
  dynamic.shop.setMode('catalog', { mode: 'fail', status: 503, healthyShare: 0 });
  for (let i = 0; i < 2; i++) await connection.ask(item);
  const { headers } = await connection.ask(item);
  connection.close();
  // Metrics are defined on the tick: once this one is counted, a tick with it is over.
  if (denied === null)
    await waitFor(
      'the refusal in the stats',
      () =>
        dynamic
          .envoy()
          .metrics()
          .then((samples) => (isCounted(samples) ? true : null)),
      5000,
    );
  const complaints = async (): Promise<string[]> => {
    const log = await readFile(dynamic.envoy().logFile, 'utf8');
    return log.split('\n').filter((line) => line.includes('restricted'));
  };
  if (denied !== null) await waitFor('a word of Envoy', async () => ((await complaints()).length > 0 ? true : null), 5000);
  return { marker: headers['rekindle'] ?? null, complaints: await complaints() };
}

test('Envoy runs the module with the list of envoy.yaml, and denies it nothing that it needs', async () => {
  const { marker, complaints } = await refused(null);
  expect(marker).toContain('reason=open');
  expect(complaints).toEqual([]);
});

test('Envoy holds the module to the list', async () => {
  const { complaints } = await refused('proxy_define_metric');
  expect(complaints[0]).toContain('proxy_define_metric');
});
