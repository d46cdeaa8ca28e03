import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AuditEntry } from '../../../control-plane/domain/audit.ts';
import type { ServiceState } from '../../../control-plane/domain/model.ts';
import {
  ACCESS_AUDIT,
  type Fence,
  replayAudit,
  type SharedCopy,
  type Store,
  type StoreOptions,
} from '../../../control-plane/store/store.ts';
import { commitOf, copyOf, entryOf, policyOf, recoveryOf, stateOf } from './samples.ts';

/** One history that can be opened again and again, as by processes that follow each other. */
export interface History {
  open(keep?: StoreOptions): Promise<Store>;
  /** Lets another process take the lead from the one that `store` belongs to. */
  depose(store: Store): Promise<Fence>;
}

/** What every store must do. */
export function describeStore(name: string, newHistory: () => Promise<History>): void {
  describe(name, () => {
    let history: History;
    let store: Store;

    beforeEach(async () => {
      history = await newHistory();
      store = await history.open();
    });

    afterEach(() => store.close());

    const reopen = async (keep?: StoreOptions): Promise<Store> => {
      await store.close();
      store = await history.open(keep);
      return store;
    };

    describe('commit', () => {
      test('a new store knows no service', async () => {
        expect(await store.services()).toEqual([]);
        expect(await store.load('shop')).toBeNull();
      });

      test('what was committed is loaded as it was, after a restart too', async () => {
        const state = stateOf('shop', { nodes: ['a', 'b'], recovery: recoveryOf('shop', 'r1', { endedAtMs: null, result: null }) });
        expect(await store.commit(commitOf(0, state))).toBe('committed');
        expect(await store.load('shop')).toEqual(state);
        expect(await (await reopen()).load('shop')).toEqual(state);
      });

      test('a loaded policy is the same text, so that its directive keeps its hash', async () => {
        const state = stateOf('shop', { policy: policyOf('shop', '2', '1', 'b', 'a') });
        await store.commit(commitOf(0, state));
        const loaded = (await store.load('shop')) as ServiceState;
        expect(JSON.stringify(loaded.policy)).toBe(JSON.stringify(state.policy));
      });

      test.for([
        { name: 'a service that is new', stored: 0, expected: 0, result: 'committed' },
        { name: 'a service that another one has created meanwhile', stored: 1, expected: 0, result: 'conflict' },
        { name: 'the version that is stored', stored: 1, expected: 1, result: 'committed' },
        { name: 'a version that is over', stored: 2, expected: 1, result: 'conflict' },
        { name: 'a version that does not exist yet', stored: 1, expected: 2, result: 'conflict' },
        { name: 'a service that was never stored', stored: 0, expected: 1, result: 'conflict' },
      ])('compare and set: $name', async ({ stored, expected, result }) => {
        for (let version = 1; version <= stored; version++) await store.commit(commitOf(version - 1, stateOf('shop', { version })));
        const next = stateOf('shop', { version: expected + 1, nodes: ['new'] });
        expect(await store.commit(commitOf(expected, next))).toBe(result);
        const loaded = await store.load('shop');
        expect(loaded?.version ?? 0).toBe(result === 'committed' ? expected + 1 : stored);
      });

      test('of many writes at once on one version exactly one wins', async () => {
        await store.commit(commitOf(0, stateOf('shop')));
        const writes = Array.from({ length: 20 }, (_, index) =>
          store.commit(commitOf(1, stateOf('shop', { version: 2, nodes: [`node-${index}`] }), { audit: [entryOf(`write-${index}`)] })),
        );
        const results = await Promise.all(writes);
        expect(results.filter((result) => result === 'committed')).toHaveLength(1);
        const winner = results.indexOf('committed');
        expect(await store.load('shop')).toMatchObject({ nodes: [`node-${winner}`] });
        expect((await store.audit('shop', { limit: 50 })).items.map(({ action }) => action)).toEqual([`write-${winner}`]);
      });

      test('a refused commit leaves nothing behind: no state, no audit, no recovery, no policy', async () => {
        await store.commit(commitOf(0, stateOf('shop')));
        const next = stateOf('shop', { version: 9, revision: 9, policyRevision: 9 });
        expect(await store.commit(commitOf(8, next, { audit: [entryOf('x')], ended: [recoveryOf('shop', 'r')] }))).toBe('conflict');
        expect(await store.load('shop')).toEqual(stateOf('shop'));
        expect((await store.audit('shop', { limit: 10 })).items).toEqual([]);
        expect((await store.recoveries('shop', { limit: 10 })).items).toEqual([]);
        expect((await store.policyVersions('shop', { limit: 10 })).items.map(({ revision }) => revision)).toEqual([1]);
      });

      test('services are listed in order, tombstones included, and do not mix', async () => {
        for (const service of ['shop', 'a', 'shop-2'])
          await store.commit(commitOf(0, stateOf(service), { audit: [entryOf(`of-${service}`)] }));
        const tombstone = { deleted: true, service: 'a', revision: 2, version: 2, deletedAtMs: 5 } as const;
        expect(await store.commit(commitOf(1, tombstone))).toBe('committed');
        expect(await store.services()).toEqual(['a', 'shop', 'shop-2']);
        expect(await store.load('a')).toEqual(tombstone);
        expect((await store.audit('shop', { limit: 10 })).items.map(({ action }) => action)).toEqual(['of-shop']);
      });

      test('a service that comes back after its deletion goes on with its numbers', async () => {
        await store.commit(commitOf(0, stateOf('shop')));
        await store.commit(commitOf(1, { deleted: true, service: 'shop', revision: 2, version: 2, deletedAtMs: 5 }));
        expect(await store.commit(commitOf(0, stateOf('shop')))).toBe('conflict');
        const back = stateOf('shop', { version: 3, revision: 3, policyRevision: 3 });
        expect(await store.commit(commitOf(2, back))).toBe('committed');
        expect(await store.load('shop')).toEqual(back);
      });
    });

    describe('history', () => {
      test('audit entries are numbered per service, paged newest first, and survive a restart', async () => {
        const actions = ['one', 'two', 'three', 'four', 'five'];
        await store.commit(commitOf(0, stateOf('shop'), { audit: actions.slice(0, 3).map(entryOf) }));
        await store.commit(commitOf(1, stateOf('shop', { version: 2 }), { audit: actions.slice(3).map(entryOf) }));
        await reopen();
        const first = await store.audit('shop', { limit: 2 });
        expect(first.items.map(({ sequence, action }) => [sequence, action])).toEqual([
          [5, 'five'],
          [4, 'four'],
        ]);
        const second = await store.audit('shop', { limit: 2, before: first.next! });
        expect(second.items.map(({ action }) => action)).toEqual(['three', 'two']);
        const last = await store.audit('shop', { limit: 2, before: second.next! });
        expect(last).toMatchObject({ items: [{ ...entryOf('one'), sequence: 1 }], next: null });
      });

      test('ended recoveries are listed newest first and found by their id', async () => {
        await store.commit(commitOf(0, stateOf('shop'), { ended: [recoveryOf('shop', 'r1'), recoveryOf('shop', 'r2')] }));
        await store.commit(commitOf(1, stateOf('shop', { version: 2 }), { ended: [recoveryOf('shop', 'r3')] }));
        expect((await store.recoveries('shop', { limit: 10 })).items.map(({ id }) => id)).toEqual(['r3', 'r2', 'r1']);
        expect(await store.recovery('shop', 'r2')).toEqual(recoveryOf('shop', 'r2'));
        expect(await store.recovery('shop', 'r9')).toBeNull();
        expect(await store.recovery('other', 'r2')).toBeNull();
      });

      test('a policy is kept per revision that changed it, not per write', async () => {
        const first = policyOf('shop', 'catalog');
        const second = policyOf('shop', 'catalog', 'checkout');
        await store.commit(commitOf(0, stateOf('shop', { policy: first })));
        await store.commit(commitOf(1, stateOf('shop', { policy: first, version: 2, revision: 2 })));
        await store.commit(commitOf(2, stateOf('shop', { policy: second, version: 3, revision: 3, policyRevision: 3 }), { nowMs: 7000 }));
        const { items } = await store.policyVersions('shop', { limit: 10 });
        expect(items).toEqual([
          { revision: 3, savedAtMs: 7000, policy: second },
          { revision: 1, savedAtMs: 1000, policy: first },
        ]);
      });

      test('history is bounded: the oldest entries go, the present policy stays', async () => {
        await store.close();
        store = await history.open({ auditEntries: 4, auditMs: 3_600_000, endedRecoveries: 2, policyVersions: 3 });
        for (let version = 1; version <= 10; version++) {
          const state = stateOf('shop', { version, revision: version, policyRevision: version });
          const added = { audit: [entryOf(`a${version}`), entryOf(`b${version}`)], ended: [recoveryOf('shop', `r${version}`)] };
          expect(await store.commit(commitOf(version - 1, state, added))).toBe('committed');
        }
        const page = { limit: 100 };
        expect((await store.audit('shop', page)).items.map(({ action }) => action)).toEqual(['b10', 'a10', 'b9', 'a9']);
        expect((await store.recoveries('shop', page)).items.map(({ id }) => id)).toEqual(['r10', 'r9']);
        expect((await store.policyVersions('shop', page)).items.map(({ revision }) => revision)).toEqual([10, 9, 8]);
        expect(await store.load('shop')).toMatchObject({ version: 10 });
      });
    });

    describe('the cut of the audit (R17)', () => {
      const flagAt = (revision: number): AuditEntry => ({
        ...{ atMs: revision * 1000, actor: 'recovery', action: 'flag-changed', feature: revision % 2 === 0 ? 'catalog' : 'cart', revision },
        ...{ to: { state: 'TESTING', admit: revision, by: 'recovery' }, reason: { because: 'step-passed' } },
      });
      const write = async (revisions: number) => {
        for (let version = 1; version <= revisions; version++) {
          const change = { audit: [flagAt(version)], nowMs: version * 1000 };
          expect(await store.commit(commitOf(version - 1, stateOf('shop', { version, revision: version }), change))).toBe('committed');
        }
      };
      const kept = { endedRecoveries: 2, policyVersions: 3 };

      test.for([
        { name: 'by count', keep: { ...kept, auditEntries: 4, auditMs: 3_600_000 }, left: 4 },
        { name: 'by age', keep: { ...kept, auditEntries: 1000, auditMs: 2000 }, left: 3 },
      ])(
        '$name: a snapshot takes what goes; with what is left it gives the present flags, also after a restart',
        async ({ keep, left }) => {
          await store.close();
          store = await history.open(keep);
          expect(await store.auditSnapshot('shop')).toBeNull();
          await write(9);
          store = await reopen(keep);
          const { items } = await store.audit('shop', { limit: 100 });
          const snapshot = (await store.auditSnapshot('shop'))!;
          expect([items.length, snapshot.throughSequence]).toEqual([left, 9 - left]);
          expect(replayAudit(snapshot, items.toReversed())).toEqual({
            catalog: { state: 'TESTING', admit: 8, by: 'recovery', step: 8 },
            cart: { state: 'TESTING', admit: 9, by: 'recovery', step: 9 },
          });
        },
      );
    });

    describe('lineage and leadership', () => {
      test('the lineage is an id, stays over restarts, and differs between histories', async () => {
        const { lineage } = store;
        expect(lineage).toMatch(/^[a-z0-9-]{1,64}$/);
        expect((await reopen()).lineage).toBe(lineage);
        const other = await (await newHistory()).open();
        expect(other.lineage).not.toBe(lineage);
        await other.close();
      });

      test('a leader keeps its fence when it renews, and the next one has a higher counter', async () => {
        const first = await store.lead('one', 5000);
        expect(first).toMatchObject({ lineage: store.lineage });
        expect(await store.lead('one', 5000)).toEqual(first);
        const second = await history.depose(store);
        expect(second.counter).toBeGreaterThan(first!.counter);
        expect(await store.lead('one', 5000)).toBeNull();
      });

      test('a deposed leader writes nothing, its successor does', async () => {
        const old = (await store.lead('one', 5000))!;
        expect(await store.commit(commitOf(0, stateOf('shop'), { fence: old }))).toBe('committed');
        const present = await history.depose(store);
        const next = stateOf('shop', { version: 2 });
        expect(await store.commit(commitOf(1, next, { fence: old }))).toBe('fenced');
        expect(await store.load('shop')).toMatchObject({ version: 1 });
        expect(await store.commit(commitOf(1, next, { fence: present }))).toBe('committed');
      });

      test('a fence of another history is refused', async () => {
        const fence = (await store.lead('one', 5000))!;
        const stranger = { ...fence, lineage: 'another-history' };
        expect(await store.commit(commitOf(0, stateOf('shop'), { fence: stranger }))).toBe('fenced');
        expect(await store.services()).toEqual([]);
      });
    });

    describe('what those who follow read', () => {
      test('versions of all services, tombstones included, and what the leader announced', async () => {
        const nothing = { lineage: store.lineage, services: new Map(), tokens: 0, areTokensLost: false, announced: null };
        expect(await store.versions()).toEqual(nothing);
        await store.commit(commitOf(0, stateOf('shop')));
        await store.commit(commitOf(0, stateOf('gone')));
        await store.commit(commitOf(1, { deleted: true, service: 'gone', revision: 2, version: 2, deletedAtMs: 5 }));
        const services = new Map([
          ['gone', 2],
          ['shop', 1],
        ]);
        expect(await store.versions()).toEqual({ ...nothing, services });
        const fence = (await store.lead('one', 5000))!;
        expect(await store.announce(fence, 'tick 7')).toBe(true);
        expect(await store.versions()).toEqual({ ...nothing, services, announced: 'tick 7' });
      });

      test('that tokens have changed', async () => {
        const token = { id: 't', name: 'n', scope: 'read', service: null, sha256: 'x', createdAtMs: 1, createdBy: 'y' } as const;
        await store.putToken(token, entryOf('token-created'));
        expect([await store.tokens(), (await store.versions()).tokens]).toEqual([[token], 1]);
        await store.removeToken('t', entryOf('token-revoked'));
        expect([await store.tokens(), (await store.versions()).tokens]).toEqual([[], 2]);
        expect((await store.audit(ACCESS_AUDIT, { limit: 5 })).items.map(({ action }) => action)).toEqual([
          'token-revoked',
          'token-created',
        ]);
      });

      test('a deposed leader announces nothing', async () => {
        const old = (await store.lead('one', 5000))!;
        await store.announce(old, 'mine');
        await history.depose(store);
        expect(await store.announce(old, 'still mine')).toBe(false);
        expect((await store.versions()).announced).toBe('mine');
      });
    });

    describe('shared copies', () => {
      const ample = 1024 * 1024;
      const key = (n: number) => n.toString(16).padStart(32, '0');
      const kept = async (keys: readonly number[], nowMs = 2000, service = 'shop') => {
        const copies = await Promise.all(keys.map((n) => store.getCopy(service, key(n), nowMs)));
        return keys.filter((_, i) => copies[i] !== null);
      };
      const plain = (copy: SharedCopy | null) => copy && { ...copy, bytes: [...copy.bytes] };

      test('a copy is given as it came, to its service and key alone', async () => {
        await store.putCopy('shop', key(1), copyOf(1000), ample);
        expect(plain(await store.getCopy('shop', key(1), 2000))).toEqual(plain(copyOf(1000)));
        expect(await store.getCopy('shop', key(2), 2000)).toBeNull();
        expect(await store.getCopy('other', key(1), 2000)).toBeNull();
      });

      test('until it expires', async () => {
        await store.putCopy('shop', key(1), copyOf(10), ample);
        expect([await kept([1], 60_999), await kept([1], 61_000)]).toEqual([[1], []]);
      });

      test('a later one takes its place, with its own end', async () => {
        await store.putCopy('shop', key(1), copyOf(10), ample);
        await store.putCopy('shop', key(1), copyOf(20, { expiresAtMs: 5000 }), ample);
        expect((await store.getCopy('shop', key(1), 2000))!.bytes).toHaveLength(20);
        expect(await kept([1], 5000)).toEqual([]);
      });

      test('those that expire first give way when the room of their service is used up', async () => {
        const budget = 4 * 2000;
        for (const [n, expiresAtMs] of [9000, 8000, 7000, 9500].entries()) {
          await store.putCopy('shop', key(n), copyOf(1000, { expiresAtMs }), budget);
          await store.putCopy('other', key(n), copyOf(1000), budget);
        }
        await store.putCopy('shop', key(4), copyOf(5000, { expiresAtMs: 6000 }), budget);
        expect(await kept([0, 1, 2, 3, 4])).toEqual([0, 3, 4]);
        expect(await kept([0, 1, 2, 3], 2000, 'other')).toEqual([0, 1, 2, 3]);
      });

      test('what was replaced or has expired gives back its room', async () => {
        const budget = 3 * 2000;
        for (let i = 0; i < 20; i++) await store.putCopy('shop', key(1), copyOf(1000), budget);
        await store.putCopy('shop', key(2), copyOf(1000), budget);
        await store.putCopy('shop', key(3), copyOf(1000), budget);
        expect(await kept([1, 2, 3])).toEqual([1, 2, 3]);
        for (let n = 4; n < 7; n++) await store.putCopy('shop', key(n), copyOf(1000, { storedAtMs: 70_000, expiresAtMs: 80_000 }), budget);
        expect(await kept([4, 5, 6], 71_000)).toEqual([4, 5, 6]);
      });

      test('one that is larger than all the room is not kept, and takes nobody else away', async () => {
        await store.putCopy('shop', key(1), copyOf(1000), 4000);
        await store.putCopy('shop', key(2), copyOf(5000), 4000);
        expect(await kept([1, 2])).toEqual([1]);
        await store.putCopy('shop', key(3), copyOf(0), 0);
        expect(await kept([3])).toEqual([]);
      });

      test('many at once stay within the room', async () => {
        await Promise.all(Array.from({ length: 100 }, (_, n) => store.putCopy('shop', key(n), copyOf(1000), 10 * 2000)));
        const left = await kept(Array.from({ length: 100 }, (_, n) => n));
        expect(left.length).toBeGreaterThanOrEqual(10);
        expect(left.length * 1000).toBeLessThanOrEqual(20_000);
      });
    });

    test('the check passes on a store that works', async () => {
      await expect(store.check()).resolves.toBeUndefined();
    });
  });
}
