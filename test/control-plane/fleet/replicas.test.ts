import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { buildControlPlane } from '../../../control-plane/app.ts';
import { tickService } from '../../../control-plane/fleet/tick.ts';
import { Deposed } from '../../../control-plane/fleet.ts';
import { OPEN_ACCESS, policyDraft, putPolicy, START_MS, type Stage, stage } from './stage.ts';

/** Another control plane on the same store, as a replica will be. */
async function beside(control: Stage) {
  const replica = await buildControlPlane({
    store: control.store,
    clock: () => control.time.nowMs,
    random: () => 0.5,
    log: pino({ level: 'silent' }),
    holder: 'replica',
    tickMs: 250,
    maxWatchers: 10,
    copyBudgetBytes: 0,
    access: OPEN_ACCESS,
  });
  onTestFinished(() => replica.app.close());
  return replica;
}

const override = ({ app }: Pick<Stage, 'app'>, feature: string, headers: Record<string, string> = {}) =>
  app.inject({
    ...{ method: 'PUT', url: `/v1/services/shop/features/${feature}/override`, headers },
    payload: { kind: 'FORCED_OPEN', reason: 'test' },
  });
const flags = async ({ app }: Pick<Stage, 'app'>) => (await app.inject('/v1/services/shop/directive')).json();

describe('a write that another process was faster with', () => {
  test('is decided anew on what is stored now: nothing is lost, nothing is done twice', async () => {
    const control = await stage();
    await putPolicy(control, policyDraft('shop', 'a', 'b'));
    const replica = await beside(control);
    expect((await override(control, 'a')).statusCode).toBe(200);
    expect((await override(replica, 'b')).statusCode).toBe(200);
    expect(await flags(replica)).toMatchObject({ revision: 3, flags: [{ state: 'DISABLED' }, { state: 'DISABLED' }] });
    expect((await override(control, 'a', { 'if-match': '*' })).statusCode).toBe(200);
    expect(await flags(control)).toMatchObject({
      revision: 4,
      flags: [
        { state: 'DISABLED', step: 4 },
        { state: 'DISABLED', step: 3 },
      ],
    });
  });

  test('holds its caller to the ETag of what is stored now', async () => {
    const control = await stage();
    const etag = await putPolicy(control, policyDraft('shop', 'a'));
    const replica = await beside(control);
    await putPolicy(control, policyDraft('shop', 'a', 'b'), { 'if-match': etag });
    const late = {
      method: 'PUT',
      url: '/v1/policies/shop',
      payload: policyDraft('shop', 'a', 'c'),
      headers: { 'if-match': etag },
    } as const;
    expect((await replica.app.inject(late)).statusCode).toBe(412);
  });

  test('of a ticker that was deposed is not written', async () => {
    const control = await stage();
    await putPolicy(control, policyDraft('shop', 'a'));
    await override(control, 'a');
    await control.ticker.tick();
    const replica = await beside(control);
    await replica.ticker.tick();
    const before = await control.store.load('shop');
    control.time.nowMs += 3_600_001; // the override runs out, which the next leader has to write
    await control.ticker.tick();
    expect(await control.store.load('shop')).toEqual(before);
    await replica.ticker.tick();
    await replica.ticker.tick();
    expect((await control.store.load('shop'))!.revision).toBe(before!.revision + 1);
  });

  test('of a leader that slept through its deposition is refused by the store', async () => {
    const control = await stage();
    await putPolicy(control, policyDraft('shop', 'a'));
    await override(control, 'a');
    await control.ticker.tick();
    const fence = (await control.store.lead(control.holder, 5000))!;
    await control.store.lead('another process', 5000);
    control.time.nowMs += 3_600_001; // the override runs out: there is something to write
    const { service } = control.fleet.found('shop');
    const leadership = { fence, sinceMs: START_MS };
    await expect(tickService(control.fleet, service, { present: leadership }, leadership, [])).rejects.toThrow(Deposed);
    expect(await flags(control)).toMatchObject({ revision: 2, flags: [{ state: 'DISABLED' }] });
  });
});
