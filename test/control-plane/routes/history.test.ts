import { describe, expect, test } from 'vitest';
import type { Report } from '../../../control-plane/contract/report.ts';
import { policyDraft, putPolicy, reportOf, START_MS, type Stage, stage } from '../fleet/stage.ts';

const send = ({ app }: Stage, payload: Report) => app.inject({ method: 'POST', url: '/v1/services/shop/reports', payload });

/** A shop of which two proxies reported for 20 s; `node-2` began to fail after ten. */
async function withTraffic(): Promise<Stage> {
  const control = await stage();
  await putPolicy(control, policyDraft('shop', 'catalog', 'checkout'));
  for (let second = 1; second <= 20; second++) {
    control.time.nowMs += 1000;
    for (const node of ['node-1', 'node-2']) {
      const failed = node === 'node-2' ? 10 * Math.max(0, second - 10) : 0;
      const succeeded = 10 * second - failed;
      const identity = { node, instance: `${node}-1`, sequence: second, uptimeMs: second * 1000 };
      await send(control, reportOf(identity, [{ step: 1, admitted: 10 * second, succeeded, failed }]));
    }
  }
  return control;
}

const at = (second: number) => START_MS + second * 1000;

describe('the history of a feature', () => {
  test('has a window per second with traffic, of all proxies or of one', async () => {
    const { app } = await withTraffic();
    const all = (await app.inject('/v1/services/shop/features/catalog/history')).json();
    expect(all).toMatchObject({ service: 'shop', feature: 'catalog', node: null, nowMs: at(20) });
    expect(all.windows).toHaveLength(20);
    expect(all.windows[19]).toMatchObject({ atMs: at(20), lengthMs: 1000, admitted: 20, succeeded: 10, failed: 10, late: false });
    expect(all.unknown).toEqual([{ fromMs: at(20) - 3_600_000, toMs: at(1), because: 'not-heard' }]);
    const one = (await app.inject(`/v1/services/shop/features/catalog/history?node=node-2&sinceMs=${at(18)}`)).json();
    expect(one.windows.map((window: { failed: number }) => window.failed)).toEqual([10, 10, 10]);
    expect((await app.inject('/v1/services/shop/features/checkout/history')).json().windows).toEqual([]);
    expect((await app.inject('/v1/services/shop/features/nonsense/history')).json().code).toBe('REKINDLE_FEATURE_UNKNOWN');
  });

  test('from a moment to come is that of this moment, and so is what is replayed from it', async () => {
    const { app } = await withTraffic();
    const query = `?sinceMs=${at(3600)}`;
    const history = (await app.inject(`/v1/services/shop/features/catalog/history${query}`)).json();
    expect(history).toMatchObject({ windows: [{ atMs: at(20) }], unknown: [] });
    const payload = policyDraft('shop', 'catalog');
    const simulated = (await app.inject({ method: 'POST', url: `/v1/policies/shop/simulate${query}`, payload })).json();
    expect(simulated).toMatchObject({ fromMs: at(20), toMs: at(20), features: [{ unknown: [] }] });
  });

  test('ends with its service', async () => {
    const control = await withTraffic();
    const etag = (await control.app.inject('/v1/policies/shop')).headers.etag as string;
    await control.app.inject({ method: 'DELETE', url: '/v1/policies/shop', headers: { 'if-match': etag } });
    await putPolicy(control, policyDraft('shop', 'catalog'));
    expect((await control.app.inject('/v1/services/shop/features/catalog/history')).json().windows).toEqual([]);
  });
});

describe('a draft policy is replayed', () => {
  const simulate = ({ app }: Stage, draft: object, query = '') =>
    app.inject({ method: 'POST', url: `/v1/policies/shop/simulate${query}`, payload: draft });
  const breaker = { minimumRequests: 20, failureRatePercent: 50, consecutiveFailures: 0, windowMs: 5000, buckets: 5 };

  test('as one proxy it stays closed, as the failing one it trips, and nothing is changed', async () => {
    const control = await withTraffic();
    const draft = policyDraft('shop', { name: 'catalog', breaker: { ...breaker, failureRatePercent: 60 } });
    const all = (await simulate(control, draft)).json();
    expect(all).toMatchObject({ service: 'shop', node: null, toMs: at(20) });
    expect(all.features).toMatchObject([{ feature: 'catalog', requests: 400, firstTrip: null, scale: 1, caveats: [] }]);
    const one = (await simulate(control, draft, '?node=node-2')).json();
    expect(one.features[0].firstTrip).toEqual({
      fromMs: at(13),
      toMs: at(14),
      because: 'failure-rate',
      certainByMs: at(14),
      numbers: { observedPercent: 60, limitPercent: 60, samples: 50 },
    });
    expect((await control.app.inject('/v1/services/shop')).json().revision).toBe(1);
  });

  test('says what a reader must bear in mind', async () => {
    const control = await withTraffic();
    const failure = { slowMs: 30, statuses: [{ from: 503, to: 503 }] };
    const draft = policyDraft('shop', { name: 'catalog', mode: 'shadow', failure }, 'brand-new');
    const { features } = (await simulate(control, draft)).json();
    expect(features[0].caveats).toEqual(['failure-rules-differ', 'slow-by-buckets', 'order-not-recorded', 'mode-not-enforce']);
    expect(features[1]).toMatchObject({ firstTrip: null, requests: 0, caveats: ['feature-is-new', 'order-not-recorded'] });
  });

  test('a wrong draft, an unknown service or proxy is a problem', async () => {
    const control = await withTraffic();
    expect((await simulate(control, { service: 'shop', features: [{ name: 'catalog' }] })).statusCode).toBe(422);
    expect((await simulate(control, policyDraft('shop', 'catalog'), '?node=nobody')).json().code).toBe('REKINDLE_PROXY_UNKNOWN');
    const other = await control.app.inject({
      method: 'POST',
      url: '/v1/policies/other/simulate',
      payload: policyDraft('other', 'catalog'),
    });
    expect(other.json().code).toBe('REKINDLE_SERVICE_UNKNOWN');
  });
});
