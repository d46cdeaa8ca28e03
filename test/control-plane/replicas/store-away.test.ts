import { Redis } from 'ioredis';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ReportReply } from '../../../control-plane/contract/report.ts';
import type { Readiness } from '../../../control-plane/contract/rest/health.ts';
import type { Problem } from '../../../control-plane/contract/rest/problem.ts';
import { policyDraft, putPolicy, reportOf } from '../fleet/stage.ts';
import { startServer, type TestServer } from '../store/redis/server.ts';
import { CheckedFilter } from './checked-filter.ts';
import { type Replica, replicaAt } from './stage.ts';

const write = ({ app }: Replica, feature = 'catalog') =>
  app.inject({ method: 'PUT', url: `/v1/services/shop/features/${feature}/override`, payload: { kind: 'FORCED_OPEN', reason: 'test' } });
const readiness = async ({ app }: Replica) => {
  const response = await app.inject('/readyz');
  return { code: response.statusCode, ...response.json<Readiness>() };
};
const report = async ({ app }: Replica, sequence: number) =>
  (await app.inject({ method: 'POST', url: '/v1/services/shop/reports', payload: reportOf({ sequence }) })).json<ReportReply>();

async function stocked() {
  const server = await startServer();
  const url = new URL(server.url);
  const a = await replicaAt(url, { ticks: true });
  await putPolicy(a, policyDraft('shop', 'catalog', 'cart'));
  const b = await replicaAt(url, { ticks: true });
  await expect
    .poll(async () => [(await readiness(a)).status, (await readiness(b)).status], { timeout: 10_000 })
    .toEqual(['ready', 'ready']);
  return { server, url, a, b };
}

const command = async (server: TestServer, ...words: [string, ...string[]]) => {
  const redis = new Redis(server.url);
  onTestFinished(() => redis.disconnect());
  return redis.call(...words);
};

describe('a store that cannot be used', () => {
  test.for([
    { name: 'is killed', because: 'store-unreachable', fail: (server: TestServer) => server.kill() },
    { name: 'is read-only', because: 'store-read-only', fail: (server: TestServer) => command(server, 'REPLICAOF', '127.0.0.1', '1') },
    { name: 'is full', because: 'store-full', fail: (server: TestServer) => command(server, 'CONFIG', 'SET', 'maxmemory', '1') },
    { name: 'hangs', because: 'store-timeout', fail: (server: TestServer) => command(server, 'CLIENT', 'PAUSE', '20000', 'ALL') },
  ])('$name: changes are refused with the cause, all else goes on from memory', async ({ because, fail }) => {
    const { server, a, b } = await stocked();
    const filter = new CheckedFilter('shop');
    await filter.ask(b);
    await fail(server);
    for (const replica of [a, b]) {
      await expect.poll(async () => (await write(replica)).json<Problem>().because, { timeout: 5000 }).toBe(because);
      const startedMs = performance.now();
      const refused = await write(replica);
      expect([refused.statusCode, refused.json<Problem>().code]).toEqual([503, 'REKINDLE_STORE_FAILED']);
      expect([because, 'store-unreachable']).toContain(refused.json<Problem>().because); // while it connects anew it knows no better
      expect(performance.now() - startedMs).toBeLessThan(2500);
      expect(await filter.ask(replica)).toBe(304);
      expect(await report(replica, 1)).toMatchObject({ lineage: filter.held!.lineage, revision: 1 });
      for (const url of ['/v1/services/shop', '/v1/services/shop/features/catalog/why', '/v1/policies/shop'])
        expect((await replica.app.inject(url)).statusCode, url).toBe(200);
    }
    await expect
      .poll(() => readiness(b), { timeout: 8000 })
      .toMatchObject({ code: 200, status: 'degraded', parts: { store: { ok: false } } });
  });

  test('comes back: replicas follow and write again without a restart, and nobody leads meanwhile', { timeout: 30_000 }, async () => {
    const { server, a, b } = await stocked();
    const before = a.fleet.find('shop')!.directive.name;
    await server.kill();
    await expect.poll(() => [a.ticker.isLeader, b.ticker.isLeader], { timeout: 5000 }).toEqual([false, false]);
    const early = (await report(a, 1)).governorAgeMs;
    await expect.poll(async () => (await report(a, 2)).governorAgeMs, { timeout: 5000 }).toBeGreaterThan(early);
    await server.restart();
    await expect.poll(async () => (await write(b)).statusCode, { timeout: 10_000 }).toBe(200);
    await expect.poll(() => a.fleet.find('shop')!.stored.revision, { timeout: 10_000 }).toBe(before.revision + 1);
    await expect.poll(async () => (await readiness(a)).status, { timeout: 10_000 }).toBe('ready');
    expect([a.ticker.isLeader, b.ticker.isLeader].filter(Boolean)).toHaveLength(1);
    const metrics = (await a.app.inject('/metrics')).body;
    expect(metrics).toContain('rekindle_store_answers 1');
  });
});
