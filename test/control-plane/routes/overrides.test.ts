import { describe, expect, test } from 'vitest';
import { policyDraft, putPolicy, type Stage, stage } from '../fleet/stage.ts';

const url = '/v1/services/shop/features/catalog/override';

async function withShop(): Promise<Stage> {
  const control = await stage();
  await putPolicy(control, policyDraft('shop', 'catalog', { name: 'checkout', dependsOn: [{ feature: 'catalog' }] }));
  await control.ticker.tick();
  return control;
}

const set = ({ app }: Stage, payload: object, headers: Record<string, string> = {}) => app.inject({ method: 'PUT', url, payload, headers });
const flagOf = async ({ app }: Stage) => (await app.inject('/v1/services/shop/directive')).json().flags[0];

describe('an override', () => {
  test.for([
    { kind: 'FORCED_OPEN', body: {}, flag: { state: 'DISABLED', admit: 0 } },
    { kind: 'FORCED_CLOSED', body: {}, flag: { state: 'ENABLED', admit: 10_000 } },
    { kind: 'HOLD', body: { admit: 2500 }, flag: { state: 'TESTING', admit: 2500 } },
  ])("$kind reaches filters as a person's flag, an hour long unless said otherwise", async ({ kind, body, flag }) => {
    const control = await withShop();
    const response = await set(control, { kind, reason: 'vendor maintenance', ...body });
    expect(response.statusCode).toBe(200);
    const { nowMs } = control.time;
    expect(response.json()).toMatchObject({
      name: 'catalog',
      ...flag,
      by: 'person',
      override: { kind, reason: 'vendor maintenance', author: 'anonymous', createdAtMs: nowMs, expiresAtMs: nowMs + 3_600_000 },
    });
    expect(await flagOf(control)).toMatchObject({ ...flag, by: 'person', expiresInMs: 3_600_000 });
  });

  test('ends by itself', async () => {
    const control = await withShop();
    await set(control, { kind: 'FORCED_CLOSED', reason: 'test', expiresInMs: 60_000 });
    control.time.nowMs += 59_000;
    await control.ticker.tick();
    expect(await flagOf(control)).toMatchObject({ by: 'person', expiresInMs: 1000 });
    control.time.nowMs += 1000;
    await control.ticker.tick();
    expect(await flagOf(control)).toMatchObject({ by: 'recovery', state: 'ENABLED' });
    const { items } = (await control.app.inject('/v1/services/shop/audit')).json();
    expect(items.find(({ action }: { action: string }) => action === 'override-left')).toMatchObject({
      actor: 'recovery',
      feature: 'catalog',
    });
  });

  test('that never ends must be asked for by that word', async () => {
    const control = await withShop();
    const response = await set(control, { kind: 'FORCED_CLOSED', reason: 'test', expiresInMs: 'never' });
    expect(response.json().override.expiresAtMs).toBeNull();
    expect(await flagOf(control)).not.toHaveProperty('expiresInMs');
    expect((await set(control, { kind: 'FORCED_CLOSED', reason: 'test', expiresInMs: 31 * 24 * 3_600_000 })).statusCode).toBe(422);
  });

  test('is audited with who, why and what it changed, and survives a restart', async () => {
    const control = await withShop();
    await set(control, { kind: 'FORCED_OPEN', reason: 'vendor maintenance' });
    const { items } = (await control.app.inject('/v1/services/shop/audit')).json();
    expect(items).toContainEqual(
      expect.objectContaining({
        actor: 'anonymous',
        action: 'flag-changed',
        feature: 'catalog',
        to: { state: 'DISABLED', admit: 0, by: 'person' },
      }),
    );
    expect(JSON.stringify(items)).toContain('vendor maintenance');
    const after = await control.restart();
    expect(await flagOf(after)).toMatchObject({ state: 'DISABLED', by: 'person', expiresInMs: 3_600_000 });
  });

  test('that is taken back by hand says so', async () => {
    const control = await withShop();
    await set(control, { kind: 'FORCED_CLOSED', reason: 'test' });
    const response = await control.app.inject({ method: 'DELETE', url: `${url}?reason=done`, headers: { 'if-match': '*' } });
    expect(response.json()).toMatchObject({ override: null, by: 'recovery', state: 'ENABLED' });
    expect((await control.app.inject({ method: 'DELETE', url })).statusCode).toBe(404);
  });

  test("is not replaced or ended unseen: 428 without its ETag, 412 with another's", async () => {
    const control = await withShop();
    const first = await set(control, { kind: 'FORCED_CLOSED', reason: 'ann' });
    const etag = first.headers.etag as string;
    const read = await control.app.inject(url);
    expect([read.headers.etag, read.json()]).toMatchObject([etag, { kind: 'FORCED_CLOSED', reason: 'ann' }]);
    expect((await set(control, { kind: 'FORCED_OPEN', reason: 'bob' })).json()).toMatchObject({
      status: 428,
      code: 'REKINDLE_PRECONDITION_REQUIRED',
    });
    const replaced = await set(control, { kind: 'FORCED_OPEN', reason: 'bob' }, { 'if-match': etag });
    expect(replaced.statusCode).toBe(200);
    expect(replaced.headers.etag).not.toBe(etag);
    const stale = { 'if-match': etag };
    expect((await set(control, { kind: 'FORCED_OPEN', reason: 'eve' }, stale)).json()).toMatchObject({ status: 412 });
    expect((await control.app.inject({ method: 'DELETE', url, headers: stale })).json()).toMatchObject({ status: 412 });
    expect((await control.app.inject({ method: 'DELETE', url })).json()).toMatchObject({ status: 428 });
    expect((await set(control, { kind: 'FORCED_OPEN', reason: 'x' }, { 'if-none-match': '*' })).json()).toMatchObject({ status: 412 });
    const now = { 'if-match': replaced.headers.etag as string };
    expect((await control.app.inject({ method: 'DELETE', url, headers: now })).statusCode).toBe(200);
    expect((await control.app.inject(url)).json()).toMatchObject({ status: 404, code: 'REKINDLE_OVERRIDE_UNKNOWN' });
  });
});
