import { describe, expect, test } from 'vitest';
import { getPolicy, policyDraft, putPolicy, type Stage, stage } from '../fleet/stage.ts';

/** The policy of `shop` in three versions: a; a and b; a and c. */
async function threeVersions(): Promise<{ control: Stage; etags: string[] }> {
  const control = await stage();
  const etags = [await putPolicy(control, policyDraft('shop', 'a'))];
  for (const added of ['b', 'c']) {
    control.time.nowMs += 1000;
    etags.push(await putPolicy(control, policyDraft('shop', 'a', added), { 'if-match': etags.at(-1)! }));
  }
  return { control, etags };
}

const rollBack = ({ app }: Stage, revision: number, headers: Record<string, string> = {}, query = '') =>
  app.inject({ method: 'POST', url: `/v1/policies/shop/rollback${query}`, payload: { revision, reason: 'too early' }, headers });

describe('the history of a policy', () => {
  test('has every version, newest first, in pages', async () => {
    const { control } = await threeVersions();
    const first = (await control.app.inject('/v1/policies/shop/history?limit=2')).json();
    expect(first.items).toMatchObject([
      { revision: 3, features: ['a', 'c'], isPresent: true, savedAtMs: control.time.nowMs },
      { revision: 2, features: ['a', 'b'], isPresent: false },
    ]);
    const second = (await control.app.inject(`/v1/policies/shop/history?cursor=${first.next}`)).json();
    expect(second).toMatchObject({ items: [{ revision: 1, features: ['a'] }], next: null });
  });

  test('gives each version whole', async () => {
    const { control } = await threeVersions();
    const old = await control.app.inject('/v1/policies/shop/history/2');
    expect(old.json().features.map(({ name }: { name: string }) => name)).toEqual(['a', 'b']);
  });
});

describe('a rollback', () => {
  test('writes the old policy anew: a new revision, which the audit explains', async () => {
    const { control, etags } = await threeVersions();
    const response = await rollBack(control, 2, { 'if-match': etags[2]! });
    expect([response.statusCode, response.headers.etag]).toEqual([200, expect.stringMatching(/^"4-/)]);
    expect((await getPolicy(control, 'shop')).features.map(({ name }) => name)).toEqual(['a', 'b']);
    const { items } = (await control.app.inject('/v1/services/shop/audit?limit=1')).json();
    expect(items).toMatchObject([
      { action: 'policy-changed', reason: { because: 'rolled-back', numbers: { toRevision: 2, reason: 'too early' } } },
    ]);
  });

  test.for([
    { name: 'no condition', headers: {}, status: 428 },
    { name: 'an outdated ETag', headers: { 'if-match': '"1-0000000000000000"' }, status: 412 },
    { name: 'If-Match: *', headers: { 'if-match': '*' }, status: 200 },
  ])('with $name: $status', async ({ headers, status }) => {
    const { control } = await threeVersions();
    expect((await rollBack(control, 1, headers)).statusCode).toBe(status);
  });

  test('to what holds already changes nothing, however often it is sent', async () => {
    const { control, etags } = await threeVersions();
    const first = await rollBack(control, 1, { 'if-match': etags[2]! });
    const again = await rollBack(control, 1, { 'if-match': etags[2]! });
    expect([again.statusCode, again.headers.etag]).toEqual([200, first.headers.etag]);
  });

  test('does not drop a feature that is overridden, unless it is forced to', async () => {
    const { control } = await threeVersions();
    await control.app.inject({
      method: 'PUT',
      url: '/v1/services/shop/features/c/override',
      payload: { kind: 'FORCED_OPEN', reason: 'x' },
    });
    expect((await rollBack(control, 1, { 'if-match': '*' })).json()).toMatchObject({ status: 409, because: 'feature-recovers' });
    expect((await rollBack(control, 1, { 'if-match': '*' }, '?force=true')).statusCode).toBe(200);
  });

  test('brings a deleted policy back, with revisions that go on', async () => {
    const { control, etags } = await threeVersions();
    await control.app.inject({ method: 'DELETE', url: '/v1/policies/shop', headers: { 'if-match': etags[2]! } });
    expect((await control.app.inject('/v1/policies/shop/history')).json().items).toHaveLength(3);
    const response = await rollBack(control, 3);
    expect([response.statusCode, response.headers.etag]).toEqual([200, expect.stringMatching(/^"5-/)]);
  });
});

describe('a retry of a write whose answer was lost', () => {
  test('is answered as if it were the first, though its ETag is outdated by itself', async () => {
    const { control, etags } = await threeVersions();
    const again = await control.app.inject({
      method: 'PUT',
      url: '/v1/policies/shop',
      payload: policyDraft('shop', 'a', 'c'),
      headers: { 'if-match': etags[1]! },
    });
    expect([again.statusCode, again.headers.etag]).toEqual([200, etags[2]]);
  });

  test('of a creation likewise', async () => {
    const control = await stage();
    const etag = await putPolicy(control, policyDraft('shop', 'a'), { 'if-none-match': '*' });
    expect(await putPolicy(control, policyDraft('shop', 'a'), { 'if-none-match': '*' })).toBe(etag);
  });
});
