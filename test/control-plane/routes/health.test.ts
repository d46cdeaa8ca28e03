import { describe, expect, test } from 'vitest';
import { CONTROL_PLANE_METRICS } from '../../../control-plane/contract/metrics.ts';
import { policyDraft, putPolicy, stage } from '../fleet/stage.ts';

describe('the process tells how it fares', () => {
  test('it is live at once, and ready once the ticker has ticked', async () => {
    const { app, ticker } = await stage();
    expect((await app.inject('/livez')).json()).toEqual({ status: 'live' });
    const before = await app.inject('/readyz');
    expect([before.statusCode, before.json().status, before.json().parts.ticker.ok]).toEqual([503, 'not-ready', false]);
    await ticker.tick();
    const after = await app.inject('/readyz');
    expect([after.statusCode, after.json()]).toEqual([200, expect.objectContaining({ status: 'ready', role: 'alone' })]);
  });

  test('a ticker that hangs makes it degraded: filters keep their watches', async () => {
    const { app, ticker, time } = await stage();
    await ticker.tick();
    time.nowMs += 6000;
    const late = await app.inject('/readyz');
    expect([late.statusCode, late.json()]).toMatchObject([
      200,
      { status: 'degraded', parts: { store: { ok: true }, ticker: { ok: false } } },
    ]);
    expect((await app.inject('/livez')).statusCode).toBe(200);
  });

  test('a store that fails or hangs makes it degraded', async () => {
    let check: () => Promise<void> = () => Promise.reject(new Error('gone'));
    const { app, ticker } = await stage({ around: (store) => Object.assign(Object.create(store), { check: () => check() }) });
    await ticker.tick();
    expect((await app.inject('/readyz')).json().parts.store).toEqual({ ok: false, detail: 'gone' });
    check = () => new Promise(() => undefined);
    expect((await app.inject('/readyz')).json().parts.store).toEqual({ ok: false, detail: 'no answer within 1000 ms' });
  });

  test('a process that was deposed stops deciding, says so, and answers on', async () => {
    const control = await stage();
    await putPolicy(control, policyDraft('shop', 'catalog'));
    await control.ticker.tick();
    await control.store.lead('another process', 5000);
    await control.ticker.tick();
    expect((await control.app.inject('/readyz')).json().parts.ticker).toEqual({ ok: false, detail: 'another process leads' });
    expect(control.lines).toContainEqual(expect.objectContaining({ msg: 'another process leads now' }));
    expect((await control.app.inject('/v1/services/shop/directive')).statusCode).toBe(200);
  });

  test('metrics are in the text format, with a series per service that ends with it', async () => {
    const control = await stage();
    const etag = await putPolicy(control, policyDraft('shop', 'catalog'));
    const metrics = async () => (await control.app.inject('/metrics')).body;
    expect(await metrics()).toContain('rekindle_fleet_revision{service="shop"} 1');
    expect(await metrics()).toMatch(/rekindle_commit_seconds_count 1/);
    await control.app.inject({ method: 'DELETE', url: '/v1/policies/shop', headers: { 'if-match': etag } });
    expect(await metrics()).not.toContain('rekindle_fleet_revision{');
  });

  test('a service that its policy leaves to the proxies is told apart from one that the fleet recovers', async () => {
    const control = await stage();
    await putPolicy(control, policyDraft('shop', 'catalog'));
    const alone = { ...policyDraft('alone', 'catalog'), recovery: { scope: 'proxy' } };
    await putPolicy(control, alone);
    const metrics = (await control.app.inject('/metrics')).body;
    expect(metrics.match(/^rekindle_acting.*$/gm)).toEqual(['rekindle_acting{service="alone"} 0', 'rekindle_acting{service="shop"} 1']);
  });
});

test('every metric of the list is there from the start, under its help', async () => {
  const { app } = await stage();
  const text = (await app.inject('/metrics')).body;
  for (const [name, { kind, help }] of Object.entries(CONTROL_PLANE_METRICS)) {
    expect(text).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`);
  }
  expect(text.match(/^# TYPE /gm)).toHaveLength(Object.keys(CONTROL_PLANE_METRICS).length);
});
