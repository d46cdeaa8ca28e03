import { expect, test } from 'vitest';
import { type Bus, type Store, StoreFault } from '../../../control-plane/store/store.ts';
import { OPEN_ACCESS, policyDraft, putPolicy, reportOf } from '../fleet/stage.ts';
import { startServer } from '../store/redis/server.ts';
import { CheckedFilter } from './checked-filter.ts';
import { type Replica, replicaAt } from './stage.ts';

/** A network between a replica and its store that can be cut. */
class Cable {
  isCut = false;

  readonly around = (store: Store): Store => {
    const bus = this.cuttable(store.bus!);
    return new Proxy(store, {
      get: (_, name) => {
        if (name === 'bus') return bus;
        const member = Reflect.get(store, name, store) as unknown;
        if (typeof member !== 'function' || name === 'clock' || name === 'close') return member;
        return (...args: unknown[]) =>
          this.isCut ? Promise.reject(new StoreFault('unreachable', 'cut off', false)) : member.apply(store, args);
      },
    });
  };

  private cuttable(bus: Bus): Bus {
    return {
      publish: (channel, message) => {
        if (!this.isCut) bus.publish(channel, message);
      },
      subscribe: (channel, receive) =>
        bus.subscribe(channel, (message) => {
          if (!this.isCut) receive(message);
        }),
    };
  }
}

const hold = ({ app }: Replica, admit: number, headers = {}) => {
  const payload = { kind: 'HOLD', admit, reason: 'test' };
  return app.inject({ method: 'PUT', url: '/v1/services/shop/features/catalog/override', payload, headers });
};

test('a filter that comes to a replica which is cut off and behind keeps what it has, until that replica has it too', async () => {
  const url = new URL((await startServer()).url);
  const cable = new Cable();
  const a = await replicaAt(url);
  await putPolicy(a, policyDraft('shop', 'catalog'));
  const b = await replicaAt(url, { around: cable.around });
  cable.isCut = true;
  await hold(a, 5);
  const filter = new CheckedFilter('shop');
  await filter.ask(a);
  expect(filter.held).toMatchObject({ revision: 2 });
  expect(b.fleet.find('shop')!.stored.revision).toBe(1);
  expect(await filter.ask(b)).toBe(304);
  const waiting = filter.ask(b, 20);
  await expect.poll(() => b.fleet.watchers.count).toBe(1);
  cable.isCut = false;
  expect(await waiting).toBe(200);
  expect(filter.held).toMatchObject({ revision: 2 });
  await hold(a, 7, { 'if-match': '*' });
  await expect.poll(() => filter.ask(b)).toBe(200);
  expect(filter.held).toMatchObject({ revision: 3, flags: [{ admit: 7 }] });
});

test('a filter that is faster than the messages gets no older directive either: the replica looks before it answers', async () => {
  const url = new URL((await startServer()).url);
  const deaf = (store: Store): Store =>
    Object.assign(Object.create(store), { bus: { publish: () => undefined, subscribe: () => () => undefined } });
  const a = await replicaAt(url);
  await putPolicy(a, policyDraft('shop', 'catalog'));
  const b = await replicaAt(url, { around: deaf });
  const filter = new CheckedFilter('shop');
  for (let admit = 1; admit <= 10; admit++) {
    await hold(a, admit, admit === 1 ? {} : { 'if-match': '*' });
    await filter.ask(a);
    expect(await filter.ask(b)).toBe(304);
    expect(b.fleet.find('shop')!.stored.revision).toBe(admit + 1);
  }
});

test('nodes of one token are counted over all replicas', async () => {
  const url = new URL((await startServer()).url);
  const access = { ...OPEN_ACCESS, nodesPerToken: 2 };
  const [a, b] = [await replicaAt(url, { access }), await replicaAt(url, { access })];
  await putPolicy(a, policyDraft('shop', 'catalog'));
  await expect.poll(() => b.fleet.find('shop')?.stored.version).toBe(1);
  const admin = await a.app.inject({ method: 'POST', url: '/v1/tokens', payload: { name: 'admin', scope: 'admin' } });
  const secret = admin.json<{ token: string }>().token;
  const payload = { name: 'sidecars', scope: 'filter', service: 'shop' };
  const made = await a.app.inject({ method: 'POST', url: '/v1/tokens', payload, headers: { authorization: `Bearer ${secret}` } });
  const headers = { authorization: `Bearer ${made.json<{ token: string }>().token}` };
  await expect.poll(() => b.access.list().length).toBe(2);
  const report = async ({ app }: Replica, node: string) =>
    (await app.inject({ method: 'POST', url: '/v1/services/shop/reports', payload: reportOf({ node, instance: node }), headers }))
      .statusCode;
  expect([await report(a, 'n1'), await report(b, 'n2')]).toEqual([200, 200]);
  const proxies = ({ fleet }: Replica) => fleet.find('shop')!.bookOf(fleet.found('shop').state).view(fleet.clock()).proxies.length;
  await expect.poll(() => [proxies(a), proxies(b)]).toEqual([2, 2]);
  expect([await report(a, 'n3'), await report(b, 'n4')]).toEqual([429, 429]);
});
