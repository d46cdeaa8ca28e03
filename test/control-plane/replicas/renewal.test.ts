import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import { replay } from '../../../control-plane/domain/audit.ts';
import { policyDraft, putPolicy } from '../fleet/stage.ts';
import { startServer } from '../store/redis/server.ts';
import { CheckedFilter } from './checked-filter.ts';
import { type Replica, replicaAt } from './stage.ts';

const hold = async ({ app }: Replica, admit: number) => {
  const url = '/v1/services/shop/features/catalog/override';
  const payload = { kind: 'HOLD', admit, reason: 'test' };
  return (await app.inject({ method: 'PUT', url, payload, headers: admit > 1 ? { 'if-match': '*' } : {} })).statusCode;
};
const held = ({ fleet }: Replica) => fleet.find('shop')?.directive.name;
const shares = ({ fleet }: Replica) => fleet.find('shop')?.state?.features['catalog']?.override?.admit;

/** Two replicas that hold the third revision of a service, and a filter that has it. */
async function stocked() {
  const server = await startServer();
  const url = new URL(server.url);
  const redis = new Redis(server.url);
  onTestFinished(() => redis.disconnect());
  const a = await replicaAt(url);
  const b = await replicaAt(url);
  await putPolicy(a, policyDraft('shop', 'catalog'));
  await hold(a, 1);
  const early = await copyOf(redis);
  await hold(b, 2);
  await expect.poll(() => held(a)?.revision).toBe(3);
  const filter = new CheckedFilter('shop');
  await filter.ask(a);
  expect(filter.held).toMatchObject({ revision: 3 });
  return { url, redis, a, b, filter, early };
}

type Copy = readonly (readonly [key: string, bytes: Buffer])[];

/** All that a Redis holds, as a snapshot would have it. */
async function copyOf(redis: Redis): Promise<Copy> {
  return Promise.all((await redis.keys('*')).map(async (key) => [key, await redis.dumpBuffer(key)] as const));
}

async function putBack(redis: Redis, copy: Copy): Promise<void> {
  const transaction = redis.multi().flushall();
  for (const [key, bytes] of copy) transaction.restore(key, 0, bytes);
  await transaction.exec();
}

/** What the audit says since its last snapshot is what holds. */
async function expectReplayed({ store }: Replica): Promise<void> {
  const snapshot = await store.auditSnapshot('shop');
  const { items } = await store.audit('shop', { limit: 100 });
  const since = [...items].reverse().filter(({ sequence }) => sequence > (snapshot?.throughSequence ?? 0));
  const told = replay(snapshot?.state ?? {}, since);
  const stored = (await store.load('shop'))!;
  if ('deleted' in stored) throw new Error('the service is deleted');
  expect(Object.keys(told)).toEqual(Object.keys(stored.features));
  expect(told['catalog']).toMatchObject({ admit: stored.features['catalog']!.override!.admit, by: 'person' });
}

describe('a store that has lost what replicas remember (R5)', () => {
  test.for([
    { name: 'is empty', lose: (redis: Redis, _: Copy) => redis.flushall() },
    { name: 'is an older one, by a snapshot', lose: (redis: Redis, early: Copy) => putBack(redis, early) },
  ])('$name: one new lineage, the newest state back, and filters told', async ({ lose }) => {
    const { redis, a, b, filter, early } = await stocked();
    const before = held(a)!;
    await lose(redis, early);
    await Promise.all([a.replicas!.following.look(), b.replicas!.following.look()]);
    await expect.poll(() => held(a)?.lineage === held(b)?.lineage && held(a)?.lineage).not.toBe(before.lineage);
    for (const replica of [b, a, b]) await filter.ask(replica);
    expect(filter.held).toMatchObject({ lineage: held(a)!.lineage, revision: 3, flags: [{ admit: 2, by: 'person' }] });
    expect(filter.lineages.size).toBe(2);
    const { items } = await a.store.audit('shop', { limit: 10 });
    expect(items.map(({ action }) => action)).toContain('history-restored');
    await expectReplayed(a);
    expect(await hold(b, 7)).toBe(200);
    await expect.poll(() => shares(a)).toBe(7);
    await filter.ask(a);
    expect(filter.held).toMatchObject({ revision: 4 });
    await expectReplayed(b);
  });

  test('and no replica remembers it, but a filter does: it is told under a new lineage', async () => {
    const { url, redis, a, b, filter, early } = await stocked();
    const before = held(a)!;
    await a.app.close();
    await b.app.close();
    await putBack(redis, early);
    const after = await replicaAt(url);
    expect(held(after)).toMatchObject({ lineage: before.lineage, revision: 2 });
    expect(await filter.ask(after)).toBe(200);
    expect(filter.held).toMatchObject({ revision: 2 });
    expect(filter.held!.lineage).not.toBe(before.lineage);
    const other = await replicaAt(url);
    expect(await filter.ask(other)).toBe(304);
  });

  test('is empty and nobody remembers: the service is unknown, which tells filters to keep what they have', async () => {
    const { url, redis, a, b, filter } = await stocked();
    await a.app.close();
    await b.app.close();
    await redis.flushall();
    expect(await filter.ask(await replicaAt(url))).toBe(404);
  });

  test('a filter that names revisions which nobody can have makes no second lineage', async () => {
    const { a, b, filter } = await stocked();
    const before = held(a)!;
    filter.held = { ...filter.held!, revision: 1_000_000 };
    const liar = async (replica: Replica, lineage: string) => {
      const url = `/v1/services/shop/directive?lineage=${lineage}&revision=1000000&hash=x`;
      return (await replica.app.inject(url)).json<{ lineage: string }>();
    };
    const { lineage } = await liar(a, before.lineage);
    expect(lineage).not.toBe(before.lineage);
    const response = await a.app.inject(`/v1/services/shop/directive?lineage=${lineage}&revision=1000000&hash=x`);
    expect(response.statusCode).toBe(304);
    expect(held(a)!.lineage).toBe(lineage);
    await expect.poll(() => held(b)?.lineage).toBe(lineage);
  });

  test('a tombstone comes back as well', async () => {
    const { redis, a, b } = await stocked();
    await a.app.inject({ method: 'DELETE', url: '/v1/policies/shop?force=true', headers: { 'if-match': '*' } });
    await expect.poll(() => b.fleet.find('shop')?.state).toBeNull();
    await redis.flushall();
    await b.replicas!.following.look();
    expect(await b.store.load('shop')).toMatchObject({ deleted: true });
    await expect.poll(() => held(a)?.lineage).toBe(held(b)!.lineage);
    expect((await a.app.inject('/v1/services/shop/directive')).json()).toMatchObject({ deleted: true });
  });
});
