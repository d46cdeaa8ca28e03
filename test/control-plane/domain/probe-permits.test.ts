import { describe, expect, test } from 'vitest';
import type { Counts, FeatureRecovery, ServiceState } from '../../../control-plane/domain/model.ts';
import { ProbePermits } from '../../../control-plane/domain/probe-permits.ts';
import { newRecovery } from '../../../control-plane/domain/recovery/progress.ts';
import { featureReport, type PolicySketch, policyOf, report, serviceOf, T0 } from './fixtures.ts';

/** A service with its feature DISABLED at step 5, in the midst of an attempt that began at T0. */
function probing(rest: PolicySketch['recovery'] = {}, probes = 3, service = 'shop', begins: Partial<FeatureRecovery> = {}): ServiceState {
  const state = serviceOf(policyOf([{ name: 'catalog', recovery: { probes } }], { service, recovery: rest }));
  const record = state.features['catalog']!;
  const recovery = newRecovery(record, T0, { because: 'test' }, { phase: 'probing', sampleFromMs: T0, ...begins });
  return { ...state, features: { catalog: { ...record, state: 'DISABLED', admit: 0, step: 5, recovery } } };
}

/** A report of node `n` at its given sequence; it refused requests, so that it has demand, unless told otherwise. */
function asking(n: number, sequence: number, some: Partial<Counts> = { refused: sequence }, rest = {}) {
  return report(sequence, [featureReport('catalog', 5, some)], { node: `n${n}`, instance: `i${n}`, ...rest });
}

function withProbeRequest(state: ServiceState): ServiceState {
  const probe = { request: { cluster: 'shop', path: '/health', timeoutMs: 30_000 } };
  return { ...state, policy: { ...state.policy, features: state.policy.features.map((feature) => ({ ...feature, probe })) } };
}

const ledgerOf = () => new ProbePermits(T0 - 60_000);
const counts = (permits: { count: number }[]) => permits.map(({ count }) => count);

describe('who gets permits (R8)', () => {
  test('only a proxy that reports demand, for its present step', () => {
    const [ledger, state] = [ledgerOf(), probing()];
    expect(ledger.grant(state, asking(1, 1, {}), T0)).toEqual([]);
    expect(ledger.grant(state, asking(1, 2, { refused: 1 }), T0)).toEqual([{ feature: 'catalog', step: 5, count: 3, ttlMs: 5000 }]);
    expect(ledger.grant(state, report(1, [featureReport('catalog', 4, { refused: 9 })], { node: 'x', instance: 'x' }), T0)).toEqual([]);
  });

  test('with probe.request also one without', () => {
    const [ledger, state] = [ledgerOf(), withProbeRequest(probing({ probesInFlight: 4 }))];
    expect(counts(ledger.grant(state, asking(1, 1, {}), T0))).toEqual([3]);
    expect(counts(ledger.grant(state, asking(2, 1, {}), T0))).toEqual([]); // none is needed, though one is left
  });

  test('with probe.request one that has been silent takes the place of nobody', () => {
    const [ledger, state] = [ledgerOf(), withProbeRequest(probing())];
    for (const n of [1, 2]) ledger.grant({ ...state, released: true }, asking(n, 1, {}), T0);
    expect(counts(ledger.grant(state, asking(3, 1, {}), T0 + 5001))).toEqual([3]);
  });

  test('a probe request that may take longer than a probe counts as long', () => {
    const [ledger, state] = [ledgerOf(), withProbeRequest(probing())];
    ledger.grant(state, asking(1, 1, {}), T0);
    expect(ledger.outstanding('shop', T0 + 5000 + 30_000 + 2000 - 1)).toBe(3);
    expect(ledger.outstanding('shop', T0 + 5000 + 30_000 + 2000)).toBe(0);
  });

  test.for([
    { name: 'a proxy without the lease', state: probing(), rest: { governed: false } },
    { name: 'a feature that waits', state: probing({}, 3, 'shop', { phase: 'waiting' }), rest: {} },
    { name: 'a service that governs nobody', state: { ...probing(), released: true }, rest: {} },
  ])('$name gets none', ({ state, rest }) => {
    expect(ledgerOf().grant(state, asking(1, 1, { refused: 9 }, rest), T0)).toEqual([]);
  });

  test('suspects get none (R10)', () => {
    expect(ledgerOf().grant(probing(), asking(1, 1), T0, { catalog: ['n1'] })).toEqual([]);
  });

  test('a repeated report gets the same permits, and they count once', () => {
    const [ledger, state] = [ledgerOf(), probing()];
    const first = ledger.grant(state, asking(1, 1), T0);
    expect(ledger.grant(state, asking(1, 1), T0 + 500)).toEqual(first);
    expect(ledger.outstanding('shop', T0 + 500)).toBe(3);
  });

  test('an attempt is spread over three proxies where there are as many', () => {
    const [ledger, state] = [ledgerOf(), probing()];
    for (const n of [1, 2, 3]) ledger.grant({ ...state, released: true }, asking(n, 1), T0); // seen, not served
    expect([1, 2, 3].map((n) => counts(ledger.grant(state, asking(n, 2), T0)))).toEqual([[1], [1], [1]]);
  });

  test('a proxy whose probe failed gets no more in this attempt while others have requests', () => {
    const [ledger, state] = [ledgerOf(), probing()];
    for (const n of [1, 2]) ledger.grant({ ...state, released: true }, asking(n, 1), T0);
    expect(counts(ledger.grant(state, asking(1, 2), T0))).toEqual([2]);
    expect(ledger.grant(state, asking(1, 3, { refused: 3, failed: 2 }), T0 + 2000)).toEqual([]);
    expect(ledger.grant(state, asking(1, 4, { refused: 4, failed: 2 }), T0 + 4000)).toEqual([]); // though the others had their turn
    expect(counts(ledger.grant(state, asking(2, 3), T0 + 4000))).toEqual([2]);
    const next = probing({}, 3, 'shop', { sampleFromMs: T0 + 5000 });
    expect(counts(ledger.grant(next, asking(1, 5, { refused: 5, failed: 2 }), T0 + 5000))).toEqual([1]);
  });
});

describe('reports on their way to whoever grants', () => {
  test('one that was overtaken earns nothing, however it comes', () => {
    const [ledger, state] = [ledgerOf(), probing()];
    expect(counts(ledger.grant(state, asking(1, 2, { refused: 2 }, { uptimeMs: 2000 }), T0))).toEqual([3]);
    expect(ledger.grant(state, asking(1, 1, { refused: 1 }, { uptimeMs: 1000 }), T0 + 20_000)).toEqual([]);
    expect(ledger.outstanding('shop', T0)).toBe(3);
  });

  test('one that another replica answers moves the ledger on and earns nothing, not even when it is asked about later', () => {
    const [ledger, state] = [ledgerOf(), probing()];
    ledger.grant(state, asking(1, 1), T0);
    ledger.note(state, asking(1, 2, { refused: 2, admitted: 3, failed: 3 }), T0 + 1000);
    expect(ledger.outstanding('shop', T0 + 1000)).toBe(0);
    expect(ledger.grant(state, asking(1, 2, { refused: 2, admitted: 3, failed: 3 }), T0 + 1000)).toEqual([]);
  });

  test('nothing is granted before the permits of the one before are over', () => {
    const [ledger, state] = [new ProbePermits(T0, T0 + 9000), probing()];
    expect(counts(ledger.grant(state, asking(1, 1), T0 + 8999))).toEqual([0]);
    expect(counts(ledger.grant(state, asking(1, 2), T0 + 9000))).toEqual([3]);
    expect(ledger.untilMs).toBe(T0 + 9000 + 5000 + 10_000 + 2000);
  });
});

describe('the budget (R8)', () => {
  test('permits count from the grant until the outcome is reported', () => {
    const [ledger, state] = [ledgerOf(), probing({ probesInFlight: 2 })];
    expect(counts(ledger.grant(state, asking(1, 1), T0))).toEqual([2]);
    expect(counts(ledger.grant(state, asking(2, 1), T0 + 1500))).toEqual([]);
    ledger.grant(state, asking(1, 2, { refused: 2, admitted: 2, succeeded: 1 }), T0 + 2000); // one still in flight
    expect(ledger.outstanding('shop', T0 + 2000)).toBe(1);
    expect(counts(ledger.grant(state, asking(2, 2), T0 + 2500))).toEqual([1]);
  });

  test('a dead holder’s permits count until term, probe timeout and two intervals are over, then they are reissued', () => {
    const [ledger, state] = [ledgerOf(), probing({ probesInFlight: 3 })];
    ledger.grant(state, asking(1, 1), T0);
    const overMs = 5000 + 10_000 + 2 * 1000;
    expect(counts(ledger.grant(state, asking(2, 1), T0 + overMs - 1))).toEqual([]);
    expect(counts(ledger.grant(state, asking(2, 2), T0 + overMs))).toEqual([2]);
  });

  test('a probe whose outcome came late frees nothing twice', () => {
    const [ledger, state] = [ledgerOf(), probing({ probesInFlight: 2, probesPerSecond: 10 }, 10)];
    ledger.grant(state, asking(1, 1), T0);
    ledger.grant(state, asking(1, 2, { refused: 2, admitted: 2 }), T0 + 1000); // both in flight; then it is not heard of
    const overMs = 5000 + 10_000 + 2 * 1000;
    const later = asking(1, 3, { refused: 3, admitted: 2, failed: 2 });
    expect(counts(ledger.grant(state, later, T0 + overMs))).toEqual([2]);
    const busy = asking(1, 4, { refused: 3, admitted: 4, failed: 2 });
    expect(counts(ledger.grant(state, busy, T0 + overMs + 1000))).toEqual([]);
    expect(ledger.outstanding('shop', T0 + overMs + 1000)).toBe(2);
  });

  test('a probe whose outcome never comes is lost, and only that one', () => {
    const [ledger, state] = [ledgerOf(), probing({ probesInFlight: 3, probesPerSecond: 10 }, 10)];
    ledger.grant(state, asking(1, 1), T0);
    ledger.note(state, asking(1, 2, { refused: 2, admitted: 3, failed: 1 }), T0 + 1000);
    const overMs = 5000 + 10_000 + 2 * 1000;
    expect(counts(ledger.grant(state, asking(1, 3, { refused: 3, admitted: 3, failed: 2 }), T0 + overMs))).toEqual([3]);
    const busy = asking(1, 4, { refused: 3, admitted: 4, failed: 2 });
    expect(counts(ledger.grant(state, busy, T0 + overMs + 1000))).toEqual([]);
    expect(ledger.outstanding('shop', T0 + overMs + 1000)).toBe(3);
  });

  test('permits that ran out unused are reissued, never added', () => {
    const [ledger, state] = [ledgerOf(), probing()];
    ledger.grant(state, asking(1, 1), T0);
    expect(ledger.grant(state, asking(1, 2, { refused: 1 }), T0 + 1000)).toEqual([]); // it still has them
    const renewed = ledger.grant(state, asking(1, 3, { refused: 1 }), T0 + 3500);
    expect(counts(renewed)).toEqual([2]); // with three more it would be six out at worst, one more than the budget
    expect(ledger.outstanding('shop', T0 + 3500)).toBe(5);
    expect(ledger.grant(state, asking(1, 4, { refused: 1 }), T0 + 6000)).toEqual([]);
    expect(ledger.outstanding('shop', T0 + 6000)).toBe(2);
  });

  test('where a renewal would exceed the budget, permits run out first and are given anew', () => {
    const [ledger, state] = [ledgerOf(), probing({ probesInFlight: 3 })];
    ledger.grant(state, asking(1, 1), T0);
    expect(ledger.grant(state, asking(1, 2, { refused: 1 }), T0 + 3500)).toEqual([]);
    expect(counts(ledger.grant(state, asking(1, 3, { refused: 1 }), T0 + 6000))).toEqual([3]);
    expect(ledger.outstanding('shop', T0 + 6000)).toBe(3);
  });

  test('a renewal counts what may have been used while it was on its way, until the next report', () => {
    const [ledger, state] = [ledgerOf(), probing({ probesInFlight: 10 })];
    ledger.grant(state, asking(1, 1), T0);
    expect(counts(ledger.grant(state, asking(1, 2, { refused: 1 }), T0 + 3500))).toEqual([3]);
    expect(ledger.outstanding('shop', T0 + 3500)).toBe(6);
    ledger.grant(state, asking(1, 3, { refused: 1 }), T0 + 4500);
    expect(ledger.outstanding('shop', T0 + 4500)).toBe(3);
  });

  test('the rate is bounded as well as what is in flight', () => {
    const [ledger, state] = [ledgerOf(), probing({ probesInFlight: 100, probesPerSecond: 4 }, 50)];
    expect(counts(ledger.grant(state, asking(1, 1), T0))).toEqual([4]);
    expect(counts(ledger.grant(state, asking(2, 1), T0 + 999))).toEqual([]);
    expect(counts(ledger.grant(state, asking(2, 2), T0 + 1000))).toEqual([4]);
  });

  test('an attempt that is over takes its permits back', () => {
    const [ledger, state] = [ledgerOf(), probing()];
    ledger.grant(state, asking(1, 1), T0);
    const waiting = probing({}, 3, 'shop', { phase: 'waiting' });
    expect(counts(ledger.grant(waiting, asking(1, 2, { refused: 1 }), T0 + 1000))).toEqual([0]);
    expect(ledger.outstanding('shop', T0 + 1000)).toBe(3); // the reply may be lost
    expect(ledger.grant(waiting, asking(1, 3, { refused: 1 }), T0 + 2000)).toEqual([]);
    expect(ledger.outstanding('shop', T0 + 2000)).toBe(0);
  });

  test('what was out at an earlier step counts on', () => {
    const [ledger, state] = [ledgerOf(), probing()];
    ledger.grant(state, asking(1, 1), T0);
    const catalog = { ...state.features['catalog']!, step: 6 };
    ledger.grant({ ...state, features: { catalog } }, report(2, [], { node: 'n2', instance: 'i2' }), T0 + 1000);
    expect(ledger.outstanding('shop', T0 + 1000)).toBe(3);
    expect(ledger.outstanding('shop', T0 + 17_000)).toBe(0);
  });

  test('a worker that was replaced frees nothing early', () => {
    const [ledger, state] = [ledgerOf(), probing()];
    ledger.grant(state, asking(1, 1, { refused: 1, succeeded: 5 }), T0);
    ledger.grant(state, asking(1, 2, { refused: 0 }), T0 + 1000);
    expect(ledger.outstanding('shop', T0 + 1000)).toBe(3);
  });

  test('just started, it first takes back what the process before may have given out', () => {
    const [ledger, state] = [new ProbePermits(T0), probing()];
    expect(counts(ledger.grant(state, asking(1, 1), T0 + 4999))).toEqual([0]);
    expect(counts(ledger.grant(state, asking(1, 2), T0 + 5000))).toEqual([3]);
  });

  test('(i) two services share an upstream: one budget for both', () => {
    const ledger = ledgerOf();
    const group = { upstreamGroup: 'db', probesInFlight: 4 };
    expect(counts(ledger.grant(probing(group, 3, 'shop'), asking(1, 1), T0))).toEqual([3]);
    expect(counts(ledger.grant(probing(group, 3, 'bank'), asking(1, 1), T0 + 1500))).toEqual([1]);
    expect(ledger.outstanding('db', T0 + 1500)).toBe(4);
  });
});

test('what a proxy did while nobody heard of it is no outcome of the attempt', () => {
  const [ledger, state] = [ledgerOf(), probing()];
  ledger.grant(state, asking(1, 1), T0);
  const back = asking(1, 2, { refused: 5, succeeded: 900 });
  expect(counts(ledger.grant(state, back, T0 + 60_000))).toEqual([3]);
});
