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

const post = ({ app }: Stage, path: string, payload: object = { reason: 'test' }) => app.inject({ method: 'POST', url: path, payload });

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
