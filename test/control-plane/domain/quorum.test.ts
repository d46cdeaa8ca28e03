import { describe, expect, test } from 'vitest';
import type { ProxyEvidence } from '../../../control-plane/domain/model.ts';
import { fleetOpens, quorumOf } from '../../../control-plane/domain/quorum.ts';
import { gather } from '../../../control-plane/domain/sample.ts';
import { counts, evidenceOf, policyOf, proxy, serviceOf, shown, T0 } from './fixtures.ts';

const policy = policyOf([{ name: 'catalog' }]);
const record = serviceOf(policy).features['catalog']!;
const feature = policy.features[0]!;

const good = (node: string) => proxy(node, { catalog: shown(1, { succeeded: 100 }) });
const bad = (node: string) => proxy(node, { catalog: shown(1, { failed: 100 }) });
const open = (node: string, rest: Partial<ProxyEvidence> = {}) =>
  proxy(node, { catalog: shown(1, { failed: 3 }, { phase: 'OPEN' }) }, rest);
const idle = (node: string) => proxy(node, {});

test.for([
  [1, 1],
  [2, 2],
  [3, 2],
  [4, 2],
  [5, 3],
  [50, 25],
] as const)('of %i proxies %i decide', ([nodes, needed]) => {
  expect(quorumOf(nodes)).toBe(needed);
});

describe('the fleet opens (R10)', () => {
  test.for([
    { name: 'one proxy alone decides for itself', proxies: [open('a')], opens: 'breakers-open' },
    { name: 'one of two does not', proxies: [open('a'), good('b')], opens: null },
    { name: 'two of three do', proxies: [open('a'), open('b'), good('c')], opens: 'breakers-open' },
    { name: 'idle proxies count among all', proxies: [open('a'), open('b'), idle('c'), idle('d'), idle('e')], opens: null },
    { name: 'a lone failing proxy of three does not, whatever it fails', proxies: [bad('a'), good('b'), good('c')], opens: null },
    {
      name: 'the window without its worst proxy fails',
      proxies: [bad('a'), bad('b'), idle('c'), idle('d'), idle('e')],
      opens: 'failure-rate',
    },
    { name: 'young proxies have no say', proxies: [open('a', { uptimeMs: 9999 }), open('b', { uptimeMs: 9999 })], opens: null },
    {
      name: 'a proxy ten seconds old has',
      proxies: [open('a', { uptimeMs: 10_000 }), open('b', { uptimeMs: 10_000 })],
      opens: 'breakers-open',
    },
    { name: 'what was seen in another step is no vote', proxies: [proxy('a', { catalog: shown(7, {}, { phase: 'OPEN' }) })], opens: null },
    { name: 'HALF_OPEN is no vote', proxies: [proxy('a', { catalog: shown(1, {}, { phase: 'HALF_OPEN' }) })], opens: null },
  ])('$name', ({ proxies, opens }) => {
    const verdict = fleetOpens(gather(evidenceOf(...proxies), record, feature, T0), feature);
    expect(verdict.open ? verdict.reason.because : null).toBe(opens);
  });

  test('tells the numbers, and names the proxies that fail alone', () => {
    const verdict = fleetOpens(gather(evidenceOf(bad('a'), good('b'), good('c')), record, feature, T0), feature);
    expect(verdict).toEqual({
      open: false,
      reason: { because: 'no-quorum', numbers: { open: 0, needed: 2, voters: 3, proxies: 3 } },
      suspects: ['a'],
    });
  });
});

describe('the demand for a feature', () => {
  const demandPerMs = (windowSaw: number, stepSaw: number, stepAgeMs: number) => {
    const seen = shown(1, {}, { window: counts({ refused: windowSaw }), sinceStep: counts({ refused: stepSaw }) });
    return gather(evidenceOf(proxy('a', { catalog: seen })), record, feature, T0 + stepAgeMs).demandPerMs;
  };

  test('is that of the window when it saw enough', () => {
    expect(demandPerMs(50, 50, 100_000)).toBe(50 / 10_000);
    expect(demandPerMs(50, 50, 2000)).toBe(50 / 2000); // a step younger than the window
  });

  test('else that of the whole step: one request a minute leaves most windows empty', () => {
    expect(demandPerMs(0, 5, 300_000)).toBe(5 / 300_000);
    expect(demandPerMs(1, 5, 300_000)).toBe(5 / 300_000);
  });
});
