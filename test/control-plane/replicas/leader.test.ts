import { describe, expect, test } from 'vitest';
import type { ReportReply } from '../../../control-plane/contract/report.ts';
import type { Store } from '../../../control-plane/store/store.ts';
import { policyDraft, putPolicy, reportOf, START_MS } from '../fleet/stage.ts';
import { startServer } from '../store/redis/server.ts';
import { type Replica, replicaAt } from './stage.ts';

const age = async ({ app }: Replica, sequence: number) =>
  (await app.inject({ method: 'POST', url: '/v1/services/shop/reports', payload: reportOf({ sequence }) })).json<ReportReply>()
    .governorAgeMs;

describe('the leader', () => {
  test('that is gone is followed by another one within 5 s, at once if it says goodbye', { timeout: 20_000 }, async () => {
    const url = new URL((await startServer()).url);
    const a = await replicaAt(url, { ticks: true });
    await expect.poll(() => a.ticker.isLeader).toBe(true);
    const b = await replicaAt(url, { ticks: true });
    const c = await replicaAt(url, { ticks: true });
    await a.ticker.stop(); // as if it hung: it keeps its lease until that runs out
    const lostAtMs = performance.now();
    await expect.poll(() => b.ticker.isLeader || c.ticker.isLeader, { timeout: 10_000, interval: 20 }).toBe(true);
    expect(performance.now() - lostAtMs).toBeLessThan(5000);
    const [next, last] = b.ticker.isLeader ? [b, c] : [c, b];
    await next.app.close();
    const leftAtMs = performance.now();
    await expect.poll(() => last.ticker.isLeader, { timeout: 10_000, interval: 20 }).toBe(true);
    expect(performance.now() - leftAtMs).toBeLessThan(1500);
  });

  test('that hangs governs nobody: the age of its tick grows at every replica', async () => {
    const time = { nowMs: START_MS };
    const url = new URL((await startServer()).url);
    const a = await replicaAt(url, { time });
    await putPolicy(a, policyDraft('shop', 'catalog'));
    const b = await replicaAt(url, { time });
    const seen = () => b.fleet.find('shop')?.tickedAtMs;
    await a.ticker.tick();
    await expect.poll(seen).toBe(time.nowMs);
    time.nowMs += 1000;
    await a.ticker.tick();
    await expect.poll(seen).toBe(time.nowMs);
    expect([await age(a, 1), await age(b, 2)]).toEqual([0, 0]);
    time.nowMs += 15_000; // nothing ticks, and both answer on
    expect([await age(a, 3), await age(b, 4)]).toEqual([15_000, 15_000]);
  });

  test('is believed by what the store keeps as well, for messages may be lost; the first sight tells no tick', async () => {
    const time = { nowMs: START_MS };
    const url = new URL((await startServer()).url);
    const deaf = (store: Store): Store =>
      Object.assign(Object.create(store), { bus: { publish: () => undefined, subscribe: () => () => undefined } });
    const a = await replicaAt(url, { time });
    await putPolicy(a, policyDraft('shop', 'catalog'));
    await a.ticker.tick();
    const b = await replicaAt(url, { time, around: deaf });
    await b.replicas!.following.look();
    expect(b.fleet.find('shop')!.tickedAtMs).toBeNull();
    await a.ticker.tick();
    await b.replicas!.following.look();
    expect(b.fleet.find('shop')!.tickedAtMs).toBe(time.nowMs);
    await putPolicy(a, policyDraft('cart', 'pay'));
    await b.replicas!.following.look();
    expect(b.fleet.find('cart')?.stored.version).toBe(1);
  });

  test('whose lease ran out while it slept changes nothing, tells nothing and grants nothing afterwards', { timeout: 20_000 }, async () => {
    const url = new URL((await startServer()).url);
    let asleep: Promise<void> = Promise.resolve();
    const sleepy = (store: Store): Store =>
      Object.assign(Object.create(store), {
        lead: async (holder: string, ttlMs: number) => {
          const fence = await store.lead(holder, ttlMs);
          await asleep;
          return fence;
        },
      });
    const time = { nowMs: START_MS };
    const a = await replicaAt(url, { time, around: sleepy });
    await putPolicy(a, policyDraft('shop', 'catalog'));
    await a.ticker.tick();
    const override = { kind: 'FORCED_OPEN', reason: 'test', expiresInMs: 60_000 };
    await a.app.inject({ method: 'PUT', url: '/v1/services/shop/features/catalog/override', payload: override });
    let wake: () => void = () => undefined;
    asleep = new Promise((resolve) => {
      wake = resolve;
    });
    const tick = a.ticker.tick(); // it has the lease, and is stopped right then
    const b = await replicaAt(url, { time });
    await expect.poll(async () => b.ticker.tick().then(() => b.ticker.isLeader), { timeout: 10_000, interval: 200 }).toBe(true);
    time.nowMs += 61_000; // the override is over: whoever leads has something to write
    const version = (await b.store.load('shop'))!.version;
    wake();
    await tick;
    expect(a.ticker.isLeader).toBe(false);
    expect((await b.store.versions()).announced).toContain(b.holder);
    expect((await b.store.load('shop'))!.version).toBe(version);
    await expect.poll(async () => b.ticker.tick().then(() => b.fleet.find('shop')!.stored.version)).toBeGreaterThan(version);
  });
});
