import { describe, expect, test } from 'vitest';
import type { WhyView } from '../../../control-plane/contract/rest/why.ts';
import { SimulatedProxy } from '../fleet/simulated-proxy.ts';
import { policyDraft, putPolicy, START_MS } from '../fleet/stage.ts';
import { startServer } from '../store/redis/server.ts';
import { type Replica, replicaAt } from './stage.ts';

const policy = policyDraft('shop', { name: 'catalog', health: { minimumRequests: 5 }, recovery: { stableForMs: 3000, minimumSamples: 5 } });
const NOTHING = new Set<string>();
const DOWN = new Set(['catalog']);

/** Two replicas on one store, at a time that is moved by hand; `a` leads. */
async function pair() {
  const url = new URL((await startServer()).url);
  const time = { nowMs: START_MS };
  const a = await replicaAt(url, { time });
  await putPolicy(a, policy);
  const b = await replicaAt(url, { time });
  await a.ticker.tick();
  return { a, b, time };
}

/** Every report goes to another replica than the one before it; then the leader ticks once all replicas know them. */
async function pass(
  replicas: readonly [Replica, Replica],
  time: { nowMs: number },
  proxies: readonly SimulatedProxy[],
  down: ReadonlySet<string>,
) {
  time.nowMs += 1000;
  const turn = time.nowMs / 1000;
  for (const [index, proxy] of proxies.entries()) await proxy.live(replicas[(turn + index) % 2]!, down);
  await expect
    .poll(() => replicas.map((replica) => newestReports(replica, proxies, time.nowMs)), { interval: 5 })
    .toEqual([proxies.length, proxies.length]);
  for (const { ticker } of replicas) await ticker.tick();
  const [first, second] = replicas;
  await expect
    .poll(() => first.fleet.find('shop')!.stored.version === second.fleet.find('shop')!.stored.version, { interval: 5 })
    .toBe(true);
}

function newestReports({ fleet }: Replica, proxies: readonly SimulatedProxy[], nowMs: number): number {
  const { service, state } = fleet.found('shop');
  const { proxies: seen } = service.bookOf(state).view(nowMs);
  return seen.filter(({ node, lastReportAgeMs }) => lastReportAgeMs === 0 && proxies.some((proxy) => proxy.node === node)).length;
}

const why = async ({ app }: Replica) => (await app.inject('/v1/services/shop/features/catalog/why')).json() as WhyView;

describe('a fleet whose proxies report now here, now there', () => {
  test('opens, probes within its budget and recovers as with one replica, and every replica gives the same reasons', {
    timeout: 60_000,
  }, async () => {
    const { a, b, time } = await pair();
    const proxies = [new SimulatedProxy('n1', 'shop'), new SimulatedProxy('n2', 'shop'), new SimulatedProxy('n3', 'shop')];
    const states: string[] = [];
    let asked = 0;
    for (let second = 0; second < 120 && states.at(-1) !== 'recovered'; second++) {
      await pass([a, b], time, proxies, second < 15 ? DOWN : NOTHING);
      const { state } = a.fleet.found('shop');
      const flag = state.features['catalog']!;
      states.push(state.recovery?.result ?? `${flag.state} ${flag.admit}`);
      if (b.fleet.permits.outstanding('shop', time.nowMs) > 0) throw new Error('a follower has granted permits');
      asked = Math.max(asked, a.fleet.permits.outstanding('shop', time.nowMs));
      await expect.poll(async () => (await why(b)).because, { interval: 5 }).toEqual((await why(a)).because);
    }
    expect(states.at(-1), states.join(', ')).toBe('recovered');
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThanOrEqual(a.fleet.found('shop').state.policy.recovery.probesInFlight);
    expect(b.lines.filter(({ level }) => Number(level) >= 40)).toEqual([]);
  });

  test('goes on under another leader, who knows what the old one knew, and grants nothing while its permits may be out', {
    timeout: 60_000,
  }, async () => {
    const { a, b, time } = await pair();
    const proxies = [new SimulatedProxy('n1', 'shop'), new SimulatedProxy('n2', 'shop'), new SimulatedProxy('n3', 'shop')];
    const until = async (replicas: readonly [Replica, Replica], down: ReadonlySet<string>, holds: () => boolean) => {
      for (let second = 0; second < 180 && !holds(); second++) await pass(replicas, time, proxies, down);
      expect(holds()).toBe(true);
    };
    await until([a, b], DOWN, () => a.fleet.permits.outstanding('shop', time.nowMs) > 0);
    const { recovery } = a.fleet.found('shop').state;
    const permitsUntilMs = a.fleet.permits.untilMs;
    await a.app.close();
    await pass([b, b], time, proxies, DOWN);
    expect([b.ticker.isLeader, b.fleet.find('shop')!.holding]).toEqual([true, null]);
    await until([b, b], DOWN, () => b.fleet.permits.untilMs > 0);
    expect(time.nowMs).toBeGreaterThan(permitsUntilMs);
    await until([b, b], NOTHING, () => b.fleet.found('shop').state.recovery?.result === 'recovered');
    expect(b.fleet.found('shop').state.recovery?.id).toBe(recovery!.id);
  });
});
