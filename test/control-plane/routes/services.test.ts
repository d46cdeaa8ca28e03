import { Value } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import { AuditView } from '../../../control-plane/contract/rest/audit.ts';
import { FeatureView } from '../../../control-plane/contract/rest/features.ts';
import { ProxyView } from '../../../control-plane/contract/rest/proxies.ts';
import { RecoverySummary, RecoveryView } from '../../../control-plane/contract/rest/recoveries.ts';
import { ServiceSummary, ServiceView } from '../../../control-plane/contract/rest/services.ts';
import { pass, SimulatedProxy } from '../fleet/simulated-proxy.ts';
import { policyDraft, putPolicy, reportOf, type Stage, stage } from '../fleet/stage.ts';

const quick = { recovery: { stableForMs: 2000, minimumSamples: 5 }, health: { minimumRequests: 5 } };
const get = async ({ app }: Stage, path: string) => (await app.inject(path)).json();

describe('what people see of a service', () => {
  test('every view holds to its schema, in peace and in an outage', async () => {
    const control = await stage();
    await putPolicy(control, policyDraft('shop', { name: 'catalog', ...quick }, 'checkout'));
    const proxies = ['a', 'b'].map((node) => new SimulatedProxy(node, 'shop'));
    for (const down of [[], ['catalog']]) {
      await pass(control, proxies, { seconds: 20, down });
      expect(Value.Errors(ServiceView, await get(control, '/v1/services/shop'))).toEqual([]);
      const { items: features } = await get(control, '/v1/services/shop/features');
      for (const feature of features) expect(Value.Errors(FeatureView, feature)).toEqual([]);
      expect(await get(control, '/v1/services/shop/features/catalog')).toEqual(features[0]);
      const { items: seen } = await get(control, '/v1/services/shop/proxies');
      for (const proxy of seen) expect(Value.Errors(ProxyView, proxy)).toEqual([]);
      expect(seen).toHaveLength(2);
      for (const summary of (await get(control, '/v1/services')).items) expect(Value.Errors(ServiceSummary, summary)).toEqual([]);
      for (const entry of (await get(control, '/v1/services/shop/audit')).items) expect(Value.Errors(AuditView, entry)).toEqual([]);
    }
    const { items } = await get(control, '/v1/services/shop/recoveries');
    expect(items).toHaveLength(1);
    expect(Value.Errors(RecoverySummary, items[0])).toEqual([]);
    expect(Value.Errors(RecoveryView, await get(control, `/v1/services/shop/recoveries/${items[0].id}`))).toEqual([]);
  });

  test('a feature tells breakers by proxy, rates per second by rung, its health and why', async () => {
    const control = await stage();
    await putPolicy(control, policyDraft('shop', { name: 'catalog', ...quick }));
    const report = (node: string, sequence: number, phase: 'OPEN' | 'CLOSED', counts: object) =>
      control.app.inject({
        method: 'POST',
        url: '/v1/services/shop/reports',
        payload: reportOf({ node, instance: node, sequence }, [{ step: 1, phase, ...counts }]),
      });
    for (const node of ['a', 'b', 'c']) await report(node, 1, 'CLOSED', {});
    control.time.nowMs += 1000;
    for (const node of ['a', 'b']) await report(node, 2, 'CLOSED', { admitted: 50, succeeded: 50 });
    await report('c', 2, 'OPEN', { admitted: 20, succeeded: 5, failed: 15, refused: 30, degraded: { stale: 25, cluster: 0, static: 20 } });
    for (let tick = 0; tick < 2; tick++) await control.ticker.tick();
    expect(await get(control, '/v1/services/shop/features/catalog')).toMatchObject({
      state: 'ENABLED',
      health: 'HEALTHY', // one proxy of three fails alone
      suspects: ['c'],
      healthReason: { because: expect.any(String), numbers: expect.any(Object) },
      breakers: { CLOSED: 2, OPEN: 1 },
      rates: { requests: 30, admitted: 24, failed: 3, degraded: { stale: 5, cluster: 0, static: 4 } },
    });
    expect(await get(control, '/v1/services/shop/proxies')).toMatchObject({
      items: [
        { node: 'a', breakers: { catalog: 'CLOSED' } },
        { node: 'b', breakers: { catalog: 'CLOSED' } },
        { node: 'c', breakers: { catalog: 'OPEN' } },
      ],
    });
    expect((await get(control, '/v1/services')).items).toMatchObject([
      { service: 'shop', proxies: 3, features: { ENABLED: 1 }, recovering: null },
    ]);
  });

  test('the audit pages back to the beginning', async () => {
    const control = await stage();
    await putPolicy(control, policyDraft('shop', 'catalog'));
    for (const kind of ['FORCED_OPEN', 'FORCED_CLOSED', 'FORCED_OPEN']) {
      await control.app.inject({ method: 'PUT', url: '/v1/services/shop/features/catalog/override', payload: { kind, reason: 'test' } });
    }
    const all = (await get(control, '/v1/services/shop/audit?limit=200')).items;
    const sequences: number[] = [];
    let next: number | null = null;
    do {
      const page: { items: { sequence: number }[]; next: number | null } = await get(
        control,
        `/v1/services/shop/audit?limit=2${next === null ? '' : `&cursor=${next}`}`,
      );
      sequences.push(...page.items.map(({ sequence }) => sequence));
      next = page.next;
    } while (next !== null);
    expect(sequences).toEqual(all.map(({ sequence }: { sequence: number }) => sequence));
    expect(sequences.at(-1)).toBe(1);
    expect(all.at(-1)).toMatchObject({ action: 'policy-created', actor: 'anonymous' });
  });
});
