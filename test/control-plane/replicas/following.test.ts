import { describe, expect, test } from 'vitest';
import type { FleetEvent } from '../../../control-plane/fleet/events.ts';
import { policyDraft, putPolicy, reportOf } from '../fleet/stage.ts';
import { openClient, startServer } from '../store/redis/server.ts';
import { CheckedFilter } from './checked-filter.ts';
import { type Replica, replicaAt } from './stage.ts';

type Reached = Pick<Replica, 'app'>;

const read = async <T = Record<string, unknown>>({ app }: Reached, url: string) => (await app.inject(url)).json() as T;
const override = ({ app }: Reached, feature: string, admit: number, headers = {}) => {
  const url = `/v1/services/shop/features/${feature}/override`;
  return app.inject({ method: 'PUT', url, headers, payload: { kind: 'HOLD', admit, reason: 'test' } });
};
const counted = async ({ app }: Reached, metric: string) =>
  Number(new RegExp(`^${metric} (\\d+)`, 'm').exec((await app.inject('/metrics')).body)?.[1] ?? 0);

async function pair(...features: string[]) {
  const url = new URL((await startServer()).url);
  const [a, b] = [await replicaAt(url), await replicaAt(url)];
  if (features.length > 0) await putPolicy(a, policyDraft('shop', ...features));
  return { url, a, b };
}

describe('what one replica writes', () => {
  test('the other serves: a new service, its flags, its end, to the polls that wait there as well', async () => {
    const { a, b } = await pair('catalog');
    const filter = new CheckedFilter('shop');
    await expect.poll(() => filter.ask(b)).toBe(200);
    expect(filter.held).toEqual(await read(a, '/v1/services/shop/directive'));
    const waiting = filter.ask(b, 10);
    await expect.poll(() => b.fleet.watchers.count).toBe(1);
    expect((await override(a, 'catalog', 5)).statusCode).toBe(200);
    expect(await waiting).toBe(200);
    expect(filter.held).toMatchObject({ revision: 2, flags: [{ admit: 5 }] });
    await b.app.inject({ method: 'DELETE', url: '/v1/policies/shop?force=true', headers: { 'if-match': '*' } });
    await expect.poll(() => filter.ask(a)).toBe(200);
    expect(filter.held).toMatchObject({ revision: 3, deleted: true });
    await putPolicy(a, policyDraft('shop', 'cart'));
    await expect.poll(() => filter.ask(b)).toBe(200);
    expect(filter.held).toMatchObject({ revision: 4, flags: [{ feature: 'cart' }] });
  });

  test('every replica tells as events, once each; it is counted where it was written', async () => {
    const { a, b } = await pair('catalog');
    const events = new Map<Replica, FleetEvent[]>([a, b].map((replica) => [replica, []]));
    for (const [{ fleet }, told] of events) fleet.events.follow(({ event }) => told.push(event));
    for (let admit = 1; admit <= 5; admit++) await override(admit % 2 ? a : b, 'catalog', admit, admit === 1 ? {} : { 'if-match': '*' });
    const told = (replica: Replica) => events.get(replica)!.filter(({ action }) => action === 'flag-changed');
    await expect.poll(() => [told(a).length, told(b).length]).toEqual([5, 5]);
    expect(told(b)).toEqual(told(a));
    const changes = 'rekindle_flag_changes_total{service="shop",to="TESTING"}';
    expect((await counted(a, changes)) + (await counted(b, changes))).toBe(5);
  });

  test('holds at the other at once for people: an ETag, a refusal, a service that is new', async () => {
    const { a, b } = await pair();
    for (let version = 0; version < 5; version++) {
      const [here, there] = version % 2 ? [a, b] : [b, a];
      const etag = await putPolicy(here, policyDraft('shop', `f${version}`), version === 0 ? {} : { 'if-match': '*' });
      const late = await there.app.inject({ method: 'PUT', url: '/v1/policies/shop', payload: policyDraft('shop', 'x') });
      expect(late.statusCode).toBe(428);
      await putPolicy(there, policyDraft('shop', `g${version}`), { 'if-match': etag });
    }
  });

  test('and what the other writes at the same moment are both kept', async () => {
    const { a, b } = await pair('catalog', 'cart');
    for (const feature of ['catalog', 'cart']) await override(a, feature, 100);
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, index) => override(index % 2 ? a : b, index % 2 ? 'cart' : 'catalog', index + 1, { 'if-match': '*' })),
    );
    expect(results.map(({ statusCode }) => statusCode)).toEqual(results.map(() => 200));
    await expect.poll(() => [a, b].map(({ fleet }) => fleet.find('shop')!.stored.revision)).toEqual([13, 13]);
    const { items } = await a.store.audit('shop', { limit: 100 });
    expect(items.filter(({ action }) => action === 'flag-changed')).toHaveLength(12);
  });
});

test('messages that nobody understands end in the log', async () => {
  const { a, b } = await pair('catalog');
  const bodies = ['{}', 'null', '{"number":1,"reports":[{}]}', '{"number":1,"service":"shop","report":{}}', '{"service":"shop"}'];
  const messages = ['', '{', 'null', '{"format":2}', ...bodies.map((body) => `{"format":1,"from":"x","body":${body}}`)];
  for (const channel of ['changes', 'announcements', 'reports', 'live', 'tokens', `asks:${b.holder}`, `answers:${b.holder}`])
    for (const message of messages) a.store.bus!.publish(channel, message);
  await override(a, 'catalog', 5);
  await expect.poll(() => b.fleet.find('shop')?.stored.revision).toBe(2);
  expect(b.lines.filter(({ level }) => Number(level) > 40)).toEqual([]);
});

test('a service that cannot be read keeps no replica from starting and no other service from changing, and is told once', async () => {
  const { url, a, b } = await pair('catalog');
  await putPolicy(a, policyDraft('bank', 'loans'));
  await expect.poll(() => b.fleet.find('bank')?.stored.version).toBe(1);
  const head = 'rekindle:{service:shop}:head';
  const redis = openClient(url);
  const state = (await redis.hget(head, 'state'))!;
  await redis.hset(head, { state: '{', version: 2 });
  await expect.poll(() => b.replicas!.following.failure?.message, { timeout: 3000 }).toBe('1 services cannot be read: shop');
  for (const replica of [a, b, await replicaAt(url)]) {
    await putPolicy(replica, policyDraft('bank', 'cards'), { 'if-match': '*' });
    const refused = await replica.app.inject({
      method: 'PUT',
      url: '/v1/policies/shop',
      payload: policyDraft('shop', 'x'),
      headers: { 'if-match': '*' },
    });
    expect(refused.json()).toMatchObject({ status: 503, because: 'store-broken' });
    expect(refused.json().detail).toContain('the state of shop in the store cannot be read');
  }
  expect(b.lines.filter(({ msg }) => msg === 'the store failed')).toHaveLength(1);
  await redis.hset(head, { state, version: 1 });
  await expect.poll(() => b.replicas!.following.failure, { timeout: 3000 }).toBe(null);
});

describe('reports', () => {
  const send = ({ app }: Reached, sequence: number, admitted: number) => {
    const payload = reportOf({ sequence, uptimeMs: sequence * 1000 }, [{ admitted, succeeded: admitted, step: 1 }]);
    return app.inject({ method: 'POST', url: '/v1/services/shop/reports', payload });
  };
  const seen = ({ fleet }: Replica) => {
    const { service, state } = fleet.found('shop');
    const { proxies, features } = service.bookOf(state).view(fleet.clock());
    return { proxies: proxies.length, admitted: Math.round((features['catalog']?.admittedPerSecond ?? 0) * 5) };
  };

  test('of a proxy that goes from replica to replica within a step count once, everywhere, repeated or not', async () => {
    const { a, b } = await pair('catalog');
    await expect.poll(() => b.fleet.find('shop')?.stored.version).toBe(1);
    for (let sequence = 1; sequence <= 6; sequence++) {
      const [here, there] = sequence % 2 ? [a, b] : [b, a];
      await send(here, sequence, 10 * sequence);
      if (sequence === 1) await expect.poll(() => seen(there).proxies).toBe(1); // where it began matters, and a batch takes a moment
      if (sequence % 3 === 0) await send(there, sequence, 10 * sequence);
    }
    await expect
      .poll(() => [seen(a), seen(b)])
      .toEqual([
        { proxies: 1, admitted: 60 },
        { proxies: 1, admitted: 60 },
      ]);
    await expect.poll(() => counted(b, 'rekindle_relayed_reports_total{status="accepted"}')).toBeGreaterThan(0);
    expect(await counted(b, 'rekindle_relay_batches_lost_total')).toBe(0);
  });
});
