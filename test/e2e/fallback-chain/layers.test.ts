import { expect, test } from 'vitest';
import { loopbackCluster } from '../../../envoy/demo/envoy-listeners.ts';
import { freePort } from '../../../envoy/demo/ports.ts';
import { valueIn } from '../../../envoy/demo/prometheus.ts';
import { waitFor } from '../../../envoy/demo/wait.ts';
import { always, feature, openChainStage, openUpstream } from './stage.ts';

test('what a Rekindle further in degraded passes with its marker and counts nowhere else; what it refused is not retried, and a rung further out may help', async () => {
  const shop = await openUpstream('shop', always(500, 'broken'));
  const ports = { outer: await freePort(), inner: await freePort() };
  const theirs = { static: { status: 200, body: 'theirs' } };
  const ours = { static: { status: 200, body: 'ours' } };
  const retries = { retry_on: '5xx', num_retries: 3 };
  const stage = await openChainStage({
    ports,
    listeners: [
      {
        name: 'outer',
        features: [feature('degraded', { fallback: [ours] }), feature('refused', { fallback: [ours] }), feature('bare')],
        routes: [{ match: { prefix: '/' }, route: { cluster: 'inner', retry_policy: retries } }],
      },
      {
        name: 'inner',
        features: [feature('degraded', { fallback: [theirs] }), feature('refused'), feature('bare')],
        routes: [{ match: { prefix: '/' }, route: { cluster: 'shop' } }],
      },
    ],
    clusters: [shop.cluster, loopbackCluster('inner', ports.inner)],
  });
  // Trips the breakers of the inner filter behind the outer one's back.
  for (const path of ['/degraded', '/refused', '/bare']) await stage.ask(path, { listener: 'inner' });

  for (let n = 0; n < 5; n++) {
    const passed = await stage.ask('/degraded');
    expect(passed).toMatchObject({ status: 200, body: 'theirs' });
    expect(passed.headers['rekindle']).toBe('degraded; feature="degraded"; reason=open; rung=static');
    const helped = await stage.ask('/refused');
    expect(helped).toMatchObject({ status: 200, body: 'ours' });
    expect(helped.headers['rekindle']).toBe('degraded; feature="refused"; reason=overload; rung=static');
    const told = await stage.ask('/bare');
    expect(told).toMatchObject({ status: 503, headers: { rekindle: 'refused; feature="bare"; reason=open', 'retry-after': '30' } });
  }
  const refused = (await stage.logged('/refused', 11)).filter(({ listener }) => listener === 'inner');
  expect(refused, 'one failure, and each refusal once').toHaveLength(6);
  expect(shop.arrived).toHaveLength(3);

  const counted = await waitFor(
    'the outer filter to have counted',
    async () => {
      const samples = await stage.envoy.metrics();
      return valueIn(samples, 'rekindle_requests_total', { feature: 'bare', outcome: 'ignored' }) === 5 ? samples : null;
    },
    3000,
  );
  for (const name of ['degraded', 'refused', 'bare']) {
    expect(valueIn(counted, 'rekindle_requests_total', { feature: name, outcome: 'ignored' }), name).toBe(5);
    // The one failure is the inner filter's.
    expect(valueIn(counted, 'rekindle_requests_total', { feature: name, outcome: 'failure' }), name).toBe(1);
  }
});
