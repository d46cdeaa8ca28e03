import { expect, test } from 'vitest';
import { auditedStateOf } from '../../../../control-plane/domain/audit.ts';
import type { ServiceState } from '../../../../control-plane/domain/model.ts';
import { replayAudit, type Store, type TokenRecord } from '../../../../control-plane/store/store.ts';
import { commitOf, entryOf, policyOf, stateOf } from '../samples.ts';
import { databases, openClient, openStore } from './server.ts';

const newDatabase = databases();
const ALL = { limit: 1000 };

const token = (id: string): TokenRecord => ({ id, name: id, scope: 'read', service: null, sha256: 'x', createdAtMs: 1, createdBy: 'y' });

const withFlag = (version: number, admit: number): ServiceState =>
  stateOf('shop', {
    ...{ version, revision: version, policy: policyOf('shop', 'catalog') },
    features: { catalog: { name: 'catalog', state: 'TESTING', admit, step: version } as never },
  });

async function pair(): Promise<{ url: URL; one: Store; two: Store }> {
  const url = newDatabase();
  return { url, one: await openStore(url), two: await openStore(url) };
}

test('an emptied store gets back what its processes hold, under one new lineage, with an audit that tells so and leads to it', async () => {
  const { url, one, two } = await pair();
  const { lineage } = one;
  const [shop, bank] = [withFlag(5, 700), stateOf('bank', { version: 2 })];
  const gone = { deleted: true, service: 'gone', revision: 3, version: 3, deletedAtMs: 1 } as const;
  await one.putToken(token('a'), entryOf('token-created'));
  await openClient(url).flushdb();
  expect(await one.versions()).toMatchObject({ lineage: null, services: new Map() });
  expect(await Promise.all([one.renew([shop, bank], 7000), two.renew([bank, gone], 7000)])).toEqual(
    expect.arrayContaining([expect.arrayContaining(['shop']), expect.arrayContaining(['gone'])]),
  );
  expect(one.lineage).toBe(two.lineage);
  expect(one.lineage).not.toBe(lineage);
  expect(await two.versions()).toMatchObject({
    lineage: one.lineage,
    services: new Map([
      ['shop', 5],
      ['bank', 2],
      ['gone', 3],
    ]),
  });
  expect([await one.load('shop'), await one.load('bank'), await one.load('gone')]).toEqual([shop, bank, gone]);
  const { items } = await one.audit('shop', ALL);
  expect(items).toMatchObject([
    { action: 'history-restored', revision: 5, reason: { because: 'store-behind', numbers: { lineage: one.lineage } } },
  ]);
  expect(replayAudit(await one.auditSnapshot('shop'), items.toReversed())).toEqual(auditedStateOf(shop));
  expect((await two.tokens()).map(({ id }) => id)).toEqual(['a']);
  expect(await one.commit(commitOf(5, withFlag(6, 800)))).toBe('committed');
});

test('a store that is behind keeps its older audit readable; what is newer in the store stays', async () => {
  const { one } = await pair();
  await one.commit(commitOf(0, withFlag(1, 100), { audit: [entryOf('first')] }));
  await one.commit(commitOf(0, stateOf('bank', { version: 1 })));
  await one.commit(commitOf(1, stateOf('bank', { version: 2, nodes: ['new'] })));
  const held = withFlag(4, 400);
  expect(await one.renew([held, stateOf('bank', { version: 1, nodes: ['old'] })], 9000)).toEqual(['shop']);
  expect(await one.load('bank')).toMatchObject({ version: 2, nodes: ['new'] });
  const { items } = await one.audit('shop', ALL);
  expect(items.map(({ action, sequence }) => [action, sequence])).toEqual([
    ['history-restored', 2],
    ['first', 1],
  ]);
  expect(await one.auditSnapshot('shop')).toMatchObject({ throughSequence: 1 });
  expect(replayAudit(await one.auditSnapshot('shop'), items.toReversed())).toEqual(auditedStateOf(held));
});

test('the audit can be cut afterwards as before, and still leads to the present state', async () => {
  const url = newDatabase();
  const one = await openStore(url, { keep: { auditEntries: 3, auditMs: 1e12, endedRecoveries: 3, policyVersions: 3 } });
  await one.commit(commitOf(0, withFlag(1, 100), { audit: [entryOf('first'), entryOf('second')] }));
  await one.renew([withFlag(4, 400)], 9000);
  const flag = (revision: number, admit: number) => ({
    ...{ ...entryOf('flag-changed'), feature: 'catalog', revision },
    to: { state: 'TESTING', admit, by: 'recovery' } as const,
  });
  for (let version = 5; version < 10; version++) {
    await one.commit(commitOf(version - 1, withFlag(version, version * 100), { audit: [flag(version, version * 100)] }));
    const { items } = await one.audit('shop', ALL);
    expect(items.length).toBeLessThanOrEqual(3);
    expect(replayAudit(await one.auditSnapshot('shop'), items.toReversed())).toMatchObject({
      catalog: { admit: version * 100, step: version },
    });
  }
});

test('a process that has not entered the new lineage writes and leads nothing, whoever asks; it enters by the same call', async () => {
  const { one, two } = await pair();
  await one.commit(commitOf(0, stateOf('shop')));
  const old = (await two.lead('two', 60_000))!;
  await one.renew([], 1000);
  expect(await two.commit(commitOf(1, stateOf('shop', { version: 2 })))).toBe('fenced');
  expect(await two.commit(commitOf(1, stateOf('shop', { version: 2 }), { fence: old }))).toBe('fenced');
  expect(await two.commit(commitOf(0, stateOf('other')))).toBe('fenced');
  expect(await two.lead('two', 60_000)).toBeNull();
  await expect(two.putToken(token('b'), entryOf('x'))).rejects.toThrow(/another history/);
  expect((await two.versions()).lineage).toBe(one.lineage);
  expect(await two.renew([stateOf('shop')], 1000)).toEqual([]);
  expect(two.lineage).toBe(one.lineage);
  expect(await two.commit(commitOf(1, stateOf('shop', { version: 2 })))).toBe('committed');
  expect((await two.lead('two', 60_000))!.counter).toBeGreaterThan(old.counter);
});

test('a store that was set back before a renewal does not lead back to the lineage of then', async () => {
  const { url, one, two } = await pair();
  const redis = openClient(url);
  const dump = await redis.get('rekindle:{fleet}:lineage');
  await one.renew([], 1000);
  await two.renew([], 1000);
  const lineage = one.lineage;
  await redis.set('rekindle:{fleet}:lineage', dump!);
  await two.renew([], 1000);
  expect([dump, lineage]).not.toContain(two.lineage);
  await one.renew([], 1000);
  expect(one.lineage).toBe(two.lineage);
});

test('a token that was revoked does not come back, one that the store forgot does', async () => {
  const { url, one } = await pair();
  await one.putToken(token('a'), entryOf('x'));
  const redis = openClient(url);
  const before = await redis.hgetall('rekindle:{fleet}:tokens');
  await one.putToken(token('b'), entryOf('x'));
  await one.removeToken('a', entryOf('x'));
  await redis.del('rekindle:{fleet}:tokens');
  await redis.hset('rekindle:{fleet}:tokens', before);
  await redis.hset('rekindle:{fleet}:access', 'changes', 1);
  await one.renew([], 1000);
  expect((await one.tokens()).map(({ id }) => id)).toEqual(['b']);
});

test('what was written under the new lineage is not replaced by what another process held before it', async () => {
  const { url, one, two } = await pair();
  await openClient(url).flushdb();
  await one.renew([withFlag(4, 400)], 7000);
  await one.commit(commitOf(4, withFlag(5, 500)));
  const held = { ...withFlag(7, 300), revision: 4 };
  expect(await two.renew([held], 7000)).toEqual([]);
  expect(await two.load('shop')).toEqual(withFlag(5, 500));
});

test('a store that has lost access tokens is not believed to have none, and gets them back even where no service was lost', async () => {
  const { url, one, two } = await pair();
  await one.putToken(token('a'), entryOf('token-created'));
  const older = await openClient(url).hgetall('rekindle:{fleet}:access');
  await one.putToken(token('b'), entryOf('token-created'));
  await one.removeToken('a', entryOf('token-revoked'));
  await openClient(url).hset('rekindle:{fleet}:access', older);
  await openClient(url).del('rekindle:{fleet}:tokens');
  await expect(one.tokens()).rejects.toThrow('the store has lost access tokens');
  expect([(await one.versions()).areTokensLost, (await two.versions()).areTokensLost]).toEqual([true, false]);
  await one.renew([], 7000);
  expect((await two.tokens()).map(({ id }) => id)).toEqual(['b']);
  expect((await one.versions()).areTokensLost).toBe(false);
  await openClient(url).del('rekindle:{fleet}:tokens');
  await expect(one.tokens()).rejects.toThrow('the store has lost access tokens');
});
