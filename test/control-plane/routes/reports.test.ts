import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../../control-plane/contract/limits.ts';
import type { Report, ReportReply } from '../../../control-plane/contract/report.ts';
import { policyDraft, putPolicy, reportOf, type Stage, stage } from '../fleet/stage.ts';

const send = ({ app }: Stage, payload: Report) => app.inject({ method: 'POST', url: '/v1/services/shop/reports', payload });

async function withShop(): Promise<Stage> {
  const control = await stage();
  await putPolicy(control, policyDraft('shop', { name: 'catalog', health: { minimumRequests: 5 } }));
  return control;
}

describe('a report', () => {
  test('is answered with the name of the directive, the age of the leader and permits', async () => {
    const control = await withShop();
    await control.ticker.tick();
    control.time.nowMs += 700;
    const response = await send(control, reportOf());
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual({ lineage: control.store.lineage, revision: 1, governorAgeMs: 700, permits: [], health: [] });
  });

  test('before the first tick nobody governs', async () => {
    const control = await withShop();
    expect((await send(control, reportOf())).json()).toMatchObject({ governorAgeMs: LIMITS.durationMs });
  });

  test('of a service whose fleet only watches tells proxies to rely on themselves', async () => {
    const control = await stage();
    await putPolicy(control, { ...policyDraft('shop', 'catalog'), autopilot: 'off' } as { service: string });
    await control.ticker.tick();
    expect((await send(control, reportOf())).json()).toMatchObject({ governorAgeMs: LIMITS.durationMs });
  });

  test('of an unknown or deleted service is a 404, which means: keep what you have', async () => {
    const control = await stage();
    expect((await send(control, reportOf())).json()).toMatchObject({ status: 404, code: 'REKINDLE_SERVICE_UNKNOWN' });
    const etag = await putPolicy(control, policyDraft('shop', 'catalog'));
    await control.app.inject({ method: 'DELETE', url: '/v1/policies/shop', headers: { 'if-match': etag } });
    expect((await send(control, reportOf())).statusCode).toBe(404);
  });

  test('that comes twice counts once and gets the same answer', async () => {
    const control = await withShop();
    await control.ticker.tick();
    await send(control, reportOf({ sequence: 1 }, [{ step: 1 }]));
    control.time.nowMs += 1000;
    const second = reportOf({ sequence: 2 }, [{ step: 1, admitted: 50, succeeded: 50 }]);
    const answers = [await send(control, second), await send(control, second), await send(control, second)];
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    const { rates } = (await control.app.inject('/v1/services/shop/features/catalog')).json();
    expect(rates.admitted).toBe(10); // 50 in the 5 s that rates are taken over
    const metrics = (await control.app.inject('/metrics')).body;
    expect(metrics).toContain('rekindle_reports_total{service="shop",status="accepted"} 2');
    expect(metrics).toContain('rekindle_reports_total{service="shop",status="duplicate"} 2');
  });

  test('that is larger than allowed is refused before it is read', async () => {
    const control = await withShop();
    const features = Array.from({ length: 3000 }, () => ({ feature: 'catalog' }));
    const response = await send(control, reportOf({}, features));
    expect(response.json()).toMatchObject({ status: 413, code: 'REKINDLE_BODY_TOO_LARGE' });
  });
});

describe('permits', () => {
  test('reach proxies with demand while a feature is probed; a lost answer is given again', async () => {
    const control = await withShop();
    const { time } = control;
    const failing = (sequence: number) =>
      reportOf({ sequence }, [{ step: 1, phase: 'OPEN', admitted: 30, failed: 30, refused: 10 * sequence }]);
    for (let sequence = 1; sequence <= 4; sequence++) {
      await send(control, failing(sequence));
      await control.ticker.tick();
      time.nowMs += 1000;
    }
    const { step, state } = (await control.app.inject('/v1/services/shop/features/catalog')).json();
    expect(state).toBe('DISABLED');
    let reply: ReportReply | null = null;
    let sent: Report | null = null;
    for (let sequence = 5; sequence <= 30 && !reply?.permits.some(({ count }) => count > 0); sequence++) {
      sent = reportOf({ sequence, revision: step }, [{ step, phase: 'OPEN', refused: 10 * sequence }]);
      reply = (await send(control, sent)).json() as ReportReply;
      await control.ticker.tick();
      time.nowMs += 1000;
    }
    expect(reply!.permits).toEqual([{ feature: 'catalog', step, count: expect.any(Number), ttlMs: expect.any(Number) }]);
    expect(reply!.permits[0]!.count).toBeLessThanOrEqual(5);
    expect((await send(control, sent!)).json()).toMatchObject({ permits: reply!.permits });
    expect((await control.app.inject('/metrics')).body).toMatch(/rekindle_permits_in_flight\{group="shop"\} [1-5]/);
  });
});
