import { describe, expect, test } from 'vitest';
import { policyDraft, putPolicy, type Stage, stage } from '../fleet/stage.ts';

async function withShop(): Promise<Stage> {
  const control = await stage();
  await putPolicy(control, policyDraft('shop', 'a', 'b'));
  return control;
}

const force = ({ app }: Stage, key: string, payload: object = { kind: 'HOLD', admit: 100, reason: 'x' }, feature = 'a') =>
  app.inject({
    method: 'PUT',
    url: `/v1/services/shop/features/${feature}/override`,
    payload,
    headers: { 'idempotency-key': key },
  });
const revision = async ({ app }: Stage): Promise<number> => (await app.inject('/v1/services/shop')).json().revision;

describe('a change that is sent again with its Idempotency-Key', () => {
  test('is not made again: the first answer comes again, and says so', async () => {
    const control = await withShop();
    const first = await force(control, 'k1');
    const before = await revision(control);
    control.time.nowMs += 5000;
    const again = await force(control, 'k1');
    expect([again.statusCode, again.body]).toEqual([first.statusCode, first.body]);
    expect([first.headers['idempotency-replayed'], again.headers['idempotency-replayed']]).toEqual([undefined, 'true']);
    expect(await revision(control)).toBe(before);
    expect(again.headers['content-type']).toBe(first.headers['content-type']);
  });

  test('is made again with another key', async () => {
    const control = await withShop();
    await force(control, 'k1');
    expect((await force(control, 'k2', { kind: 'HOLD', admit: 200, reason: 'x' })).headers['idempotency-replayed']).toBeUndefined();
  });

  test.for([
    { name: 'another body', payload: { kind: 'HOLD', admit: 200, reason: 'x' }, feature: 'a' },
    { name: 'another resource', payload: undefined, feature: 'b' },
  ])('is refused for $name', async ({ payload, feature }) => {
    const control = await withShop();
    await force(control, 'k1');
    expect((await force(control, 'k1', payload, feature)).json()).toMatchObject({ status: 422, code: 'REKINDLE_IDEMPOTENCY_KEY_REUSED' });
  });

  test('is told to wait while the first is on its way', async () => {
    const control = await withShop();
    const both = await Promise.all([force(control, 'k1'), force(control, 'k1')]);
    expect(both.map(({ statusCode }) => statusCode).sort()).toEqual([200, 409]);
    expect(both.find(({ statusCode }) => statusCode === 409)!.json().code).toBe('REKINDLE_IDEMPOTENCY_KEY_IN_USE');
  });

  test('is tried anew if it failed', async () => {
    const control = await withShop();
    expect((await force(control, 'k1', undefined, 'c')).statusCode).toBe(404);
    expect((await force(control, 'k1')).statusCode).toBe(200);
  });

  test('is forgotten after an hour', async () => {
    const control = await withShop();
    await force(control, 'k1');
    control.time.nowMs += 3_600_001;
    expect((await force(control, 'k1')).headers['idempotency-replayed']).toBeUndefined();
  });

  test('shows no secret twice', async () => {
    const { app } = await stage();
    const create = (headers: Record<string, string>) =>
      app.inject({
        method: 'POST',
        url: '/v1/tokens',
        payload: { name: 'root', scope: 'admin' },
        headers: { 'idempotency-key': 'k1', ...headers },
      });
    const { token } = (await create({})).json();
    expect((await create({ authorization: `Bearer ${token}` })).json()).toMatchObject({ status: 409, because: 'token-name-taken' });
  });

  test.for(['', 'a b', 'x'.repeat(129), 'é'])('needs a sound key, not %j', async (key) => {
    const control = await withShop();
    expect((await force(control, key)).json()).toMatchObject({ status: 400, errors: [{ path: 'headers.idempotency-key' }] });
  });
});
