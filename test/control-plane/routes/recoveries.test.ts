import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../../control-plane/contract/limits.ts';
import { pass, SimulatedProxy } from '../fleet/simulated-proxy.ts';
import { policyDraft, putPolicy, type Stage, stage } from '../fleet/stage.ts';

const quick = { recovery: { stableForMs: 2000, minimumSamples: 5 }, health: { minimumRequests: 5 } };
const url = '/v1/services/shop/recoveries';

async function inOutage(): Promise<{ control: Stage; proxies: SimulatedProxy[]; id: string }> {
  const control = await stage();
  await putPolicy(control, policyDraft('shop', { name: 'catalog', ...quick }));
  const proxies = ['a', 'b', 'c'].map((node) => new SimulatedProxy(node, 'shop'));
  await pass(control, proxies, { seconds: 15 });
  await pass(control, proxies, { seconds: 15, down: ['catalog'] });
  const { items } = (await control.app.inject(url)).json();
  return { control, proxies, id: items[0].id };
}

const post = ({ app }: Stage, path: string, payload: object = { reason: 'test' }, headers: Record<string, string> = { 'if-match': '*' }) =>
  app.inject({ method: 'POST', url: path, payload, headers });

describe('aborting a recovery', () => {
  test('ends governance: proxies are told to rely on themselves; the recovery is listed with its result', async () => {
    const { control, proxies, id } = await inOutage();
    const response = await post(control, `${url}/${id}/abort`, { reason: 'we do it by hand' });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({ id, result: 'aborted', endedAtMs: control.time.nowMs });
    expect(JSON.stringify(response.json().timeline)).toContain('we do it by hand');
    const reply = await proxies[0]!.live(control, new Set(['catalog']));
    expect(reply.governorAgeMs).toBe(LIMITS.durationMs);
    expect((await control.app.inject(url)).json().items).toMatchObject([{ id, result: 'aborted' }]);
  });

  test('a page of one holds one, and the next one goes on behind it', async () => {
    const { control, id } = await inOutage();
    await post(control, `${url}/${id}/abort`);
    const started = (await post(control, url)).json().id;
    const first = (await control.app.inject(`${url}?limit=1`)).json();
    expect(first.items).toMatchObject([{ id: started }]);
    const second = (await control.app.inject(`${url}?limit=1&cursor=${first.next}`)).json();
    expect(second).toMatchObject({ items: [{ id }], next: null });
  });

  test('twice is refused, an unknown one is not found', async () => {
    const { control, id } = await inOutage();
    await post(control, `${url}/${id}/abort`);
    expect((await post(control, `${url}/${id}/abort`)).json()).toMatchObject({
      status: 409,
      code: 'REKINDLE_REFUSED',
      because: 'recovery-ended',
    });
    expect((await post(control, `${url}/nope/abort`)).json()).toMatchObject({ status: 404, code: 'REKINDLE_RECOVERY_UNKNOWN' });
  });
});

describe('starting a recovery', () => {
  test('has nothing to do while all is ENABLED', async () => {
    const control = await stage();
    await putPolicy(control, policyDraft('shop', 'catalog'));
    expect((await post(control, url)).json()).toMatchObject({ status: 409, because: 'nothing-to-recover' });
  });

  test('is refused while one runs', async () => {
    const { control } = await inOutage();
    expect((await post(control, url)).json()).toMatchObject({ status: 409, because: 'already-running' });
  });

  test('after an abort takes up what is still lowered, under its own id and place', async () => {
    const { control, proxies, id } = await inOutage();
    await post(control, `${url}/${id}/abort`);
    const response = await post(control, url, { reason: 'vendor says it is fixed' });
    expect(response.statusCode).toBe(201);
    const started = response.json();
    expect(started).toMatchObject({ service: 'shop', startedBy: 'anonymous', endedAtMs: null, result: null, plan: [['catalog']] });
    expect(started.id).not.toBe(id);
    expect(response.headers.location).toBe(`${url}/${started.id}`);
    expect((await control.app.inject(response.headers.location as string)).json()).toEqual(started);
    await pass(control, proxies, { seconds: 300, until: () => control.fleet.found('shop').state.recovery?.endedAtMs !== null });
    const { items } = (await control.app.inject(url)).json();
    expect(items.map(({ id: each, result }: { id: string; result: string }) => [each, result])).toEqual([
      [started.id, 'recovered'],
      [id, 'aborted'],
    ]);
  });
});

describe('stepping in', () => {
  test('needs the ETag of the recovery as it was last seen: 428 without, 412 with an older one', async () => {
    const { control, id } = await inOutage();
    const { headers } = await control.app.inject(`${url}/${id}`);
    const pause = (conditions: Record<string, string>) => post(control, `${url}/${id}/pause`, { reason: 'wait' }, conditions);
    expect((await pause({})).json()).toMatchObject({ status: 428, code: 'REKINDLE_PRECONDITION_REQUIRED' });
    const paused = await pause({ 'if-match': headers.etag as string });
    expect([paused.statusCode, paused.headers.etag]).not.toEqual([200, headers.etag]);
    expect((await post(control, `${url}/${id}/resume`, { reason: 'on' }, { 'if-match': headers.etag as string })).json()).toMatchObject({
      status: 412,
      detail: expect.stringContaining(id),
    });
    const resumed = await post(control, `${url}/${id}/resume`, { reason: 'on' }, { 'if-match': paused.headers.etag as string });
    expect(resumed.statusCode).toBe(200);
  });

  test('a pause: no probe goes out, nothing rises, it ends by itself, and its time is told apart', async () => {
    const { control, proxies, id } = await inOutage();
    const paused = await post(control, `${url}/${id}/pause`, { reason: 'vendor looks', expiresInMs: 60_000 });
    const { nowMs } = control.time;
    expect(paused.json()).toMatchObject({
      interventions: 1,
      pauses: [{ fromMs: nowMs, endedAtMs: null, expiresAtMs: nowMs + 60_000, author: 'anonymous', reason: 'vendor looks' }],
    });
    await pass(control, proxies, { seconds: 2 });
    const before = proxies.reduce((sum, proxy) => sum + (proxy.sent['catalog'] ?? 0), 0);
    await pass(control, proxies, { seconds: 50 });
    expect(proxies.reduce((sum, proxy) => sum + (proxy.sent['catalog'] ?? 0), 0)).toBe(before);
    const feature = (await control.app.inject('/v1/services/shop/features/catalog')).json();
    expect(feature).toMatchObject({ state: 'DISABLED', recovery: { reason: { because: 'paused', numbers: { author: 'anonymous' } } } });
    await pass(control, proxies, { seconds: 300, until: () => control.fleet.found('shop').state.recovery?.endedAtMs !== null });
    const { items } = (await control.app.inject(url)).json();
    expect(items[0]).toMatchObject({ id, result: 'recovered', pausedMs: 60_000, interventions: 1 });
    const metrics = (await control.app.inject('/metrics')).body;
    expect(metrics).toContain('rekindle_recovery_paused_seconds_total{service="shop"} 60');
    expect(metrics).toMatch(/rekindle_recovery_events_total\{service="shop",event="probe-attempt"\} [1-9]/);
    const took = items[0].endedAtMs - items[0].startedAtMs;
    expect(metrics).toContain(`rekindle_recovery_seconds_sum{result="recovered"} ${took / 1000 - 60}`);
  });

  test('promote skips the backoff once; roll back takes a share down to what had passed, and both are told with who and why', async () => {
    const { control, proxies, id } = await inOutage();
    const state = () => control.fleet.found('shop').state.features['catalog']!;
    await pass(control, proxies, { seconds: 60, down: ['catalog'], until: () => state().recovery?.phase === 'waiting' });
    expect((await post(control, `${url}/${id}/promote`, { reason: 'it is back', features: ['catalog'] })).statusCode).toBe(200);
    await control.ticker.tick();
    expect(state().recovery?.phase).toBe('probing');
    await pass(control, proxies, { seconds: 60, until: () => state().admit >= 2500 });
    const { admit } = state();
    const rolled = await post(control, `${url}/${id}/rollback`, { reason: 'orders are wrong' });
    expect(rolled.statusCode).toBe(200);
    expect(state().admit).toBeLessThan(admit);
    expect(rolled.json().timeline.filter(({ event }: { event: string }) => /promoted|rolled-back/.test(event))).toMatchObject([
      { event: 'promoted', feature: 'catalog', reason: { numbers: { who: 'anonymous', why: 'it is back' } } },
      { event: 'rolled-back', feature: 'catalog', reason: { numbers: { why: 'orders are wrong', fromPercent: admit / 100 } } },
    ]);
    const audit = (await control.app.inject('/v1/services/shop/audit')).json();
    expect(audit.items.find(({ action }: { action: string }) => action === 'rolled-back')).toMatchObject({ actor: 'anonymous' });
  });

  test.for([
    { verb: 'resume', body: {}, because: 'not-paused' },
    { verb: 'promote', body: { features: ['nonsense'] }, because: 'unknown-feature' },
    { verb: 'rollback', body: { features: ['catalog'] }, because: 'nothing-to-roll-back' },
  ])('$verb is refused as 409 with its reason: $because', async ({ verb, body, because }) => {
    const { control, id } = await inOutage();
    expect((await post(control, `${url}/${id}/${verb}`, { reason: 'test', ...body })).json()).toMatchObject({ status: 409, because });
  });

  test('a recovery that has ended is left alone', async () => {
    const { control, id } = await inOutage();
    await post(control, `${url}/${id}/abort`);
    for (const verb of ['pause', 'resume', 'promote', 'rollback', 'abort']) {
      expect((await post(control, `${url}/${id}/${verb}`)).json()).toMatchObject({ status: 409, because: 'recovery-ended' });
    }
  });

  test('what has no effect is refused as invalid', async () => {
    const { control, id } = await inOutage();
    expect((await post(control, `${url}/${id}/pause`, { reason: 'x', expiresInMs: 10 })).statusCode).toBe(422);
    expect((await post(control, `${url}/${id}/promote`, { reason: 'x', features: [] })).statusCode).toBe(422);
    expect((await post(control, `${url}/${id}/promote`, {})).statusCode).toBe(422);
    expect((await post(control, url, { reason: 'x', features: ['nonsense'] })).json()).toMatchObject({ because: 'unknown-feature' });
  });
});
