import { describe, expect, test } from 'vitest';
import { EvidenceBook } from '../../../control-plane/domain/evidence.ts';
import type { ServiceState } from '../../../control-plane/domain/model.ts';
import { newRecovery } from '../../../control-plane/domain/recovery/progress.ts';
import { featureReport, policyOf, report, serviceOf, T0 } from './fixtures.ts';

const policy = policyOf([{ name: 'catalog' }, { name: 'checkout' }]);
const state = serviceOf(policy);
const catalog = (succeeded: number, step = 1) => featureReport('catalog', step, { succeeded });

/** The state with `catalog` in a recovery: a feature that is looked at whether it has traffic or not. */
function recovering(sampleFromMs = T0): ServiceState {
  const record = state.features['catalog']!;
  return {
    ...state,
    features: { ...state.features, catalog: { ...record, recovery: newRecovery(record, T0, { because: 'test' }, { sampleFromMs }) } },
  };
}

/** A book that took these reports, one a second from T0 on. */
function bookOf(...reports: ReturnType<typeof report>[]): EvidenceBook {
  const book = new EvidenceBook(policy);
  for (const [index, each] of reports.entries()) book.record(each, T0 + index * 1000);
  return book;
}

function shownBy(book: EvidenceBook, atMs: number, of: ServiceState = state) {
  return book.evidence(of, atMs).proxies[0]?.features['catalog'];
}

describe('counters become evidence (R9)', () => {
  test('of a proxy seen from its start on, the first report counts', () => {
    const book = bookOf(report(1, [catalog(5)]), report(2, [catalog(8)]));
    expect(shownBy(book, T0 + 1000)?.window.succeeded).toBe(8);
  });

  test('the first sight of a proxy that ran before is a baseline', () => {
    const book = bookOf(report(100, [catalog(500)]), report(101, [catalog(503)]));
    expect(shownBy(book, T0 + 1000)?.window.succeeded).toBe(3);
  });

  test('a feature that shows up later counts from the start only if its step began under our eyes', () => {
    const book = bookOf(
      report(100, [], { revision: 4 }),
      report(101, [catalog(7, 5)], { revision: 5 }),
      report(102, [featureReport('checkout', 3, { succeeded: 70 })]),
    );
    const [proxy] = book.evidence(state, T0 + 2000).proxies;
    expect(proxy?.features['catalog']?.sinceStep.succeeded).toBe(7);
    expect(proxy?.features['checkout']).toBeUndefined();
  });

  test('a repeated or overtaken report changes nothing', () => {
    const book = bookOf(report(1, [catalog(5)]), report(3, [catalog(9)]));
    expect(book.record(report(3, [catalog(9)]), T0 + 2000).status).toBe('duplicate');
    expect(book.record(report(2, [catalog(7)]), T0 + 2000).status).toBe('duplicate');
    expect(shownBy(book, T0 + 2000)?.window.succeeded).toBe(9);
  });

  test('a counter that falls within its step is a new baseline: a worker was replaced', () => {
    const book = bookOf(report(1, [catalog(50)]), report(2, [catalog(4)]), report(3, [catalog(6)]));
    expect(shownBy(book, T0 + 2000)?.sinceStep.succeeded).toBe(52);
  });

  test('a sequence that begins anew within one process is taken, by its uptime', () => {
    const book = bookOf(
      report(50, [catalog(5)]),
      report(1, [catalog(9)], { uptimeMs: 51_000 }),
      report(2, [catalog(12)], { uptimeMs: 52_000 }),
    );
    expect(shownBy(book, T0 + 2000)?.sinceStep.succeeded).toBe(7);
  });

  test('a new step starts at zero, and only the present step is evidence', () => {
    const book = bookOf(report(1, [catalog(50)]), report(2, [catalog(4, 2)]));
    expect(shownBy(book, T0 + 1000)).toMatchObject({ step: 2, window: { succeeded: 4 }, sinceStep: { succeeded: 4 } });
  });

  test('reports more than three intervals apart go to the history alone, marked late', () => {
    const book = bookOf(report(1, [catalog(5)]));
    const late = book.record(report(2, [catalog(9)]), T0 + 3001);
    expect(late.deltas).toMatchObject([{ feature: 'catalog', late: true, counts: { succeeded: 4 } }]);
    expect(shownBy(book, T0 + 3001)?.window.succeeded).toBe(5);
    const next = book.record(report(3, [catalog(10)]), T0 + 4000);
    expect(next.deltas).toMatchObject([{ late: false, counts: { succeeded: 1 } }]);
  });

  test('features that the policy does not have are left out', () => {
    const book = bookOf(report(1, [featureReport('nonsense', 1, { succeeded: 5 })]));
    expect(book.evidence(state, T0).proxies[0]?.features).toEqual({});
  });

  test('the window forgets, the step does not', () => {
    const book = bookOf(report(1, [catalog(5)]), report(2, [catalog(8)]));
    for (let second = 2; second < 11; second++) book.record(report(second + 1, [catalog(8)]), T0 + second * 1000);
    expect(shownBy(book, T0 + 10_500, recovering())).toMatchObject({ window: { succeeded: 3 }, sinceStep: { succeeded: 8 } });
    expect(shownBy(book, T0 + 11_000, recovering())).toMatchObject({ window: { succeeded: 0 }, sinceStep: { succeeded: 8 } });
  });

  test('a feature without traffic is told of again when it has some, or when a recovery looks at it', () => {
    const book = bookOf(report(1, [catalog(5)]));
    for (let second = 1; second < 20; second++) book.record(report(second + 1, []), T0 + second * 1000);
    expect(shownBy(book, T0 + 19_000)).toBeUndefined();
    expect(shownBy(book, T0 + 19_000, recovering())).toMatchObject({ window: { succeeded: 0 }, sinceStep: { succeeded: 5 } });
    book.record(report(21, [catalog(6)]), T0 + 20_000);
    expect(shownBy(book, T0 + 20_000)).toMatchObject({ window: { succeeded: 1 }, sinceStep: { succeeded: 6 } });
    book.record(report(22, [featureReport('catalog', 1, { succeeded: 6 }, { phase: 'OPEN' })]), T0 + 21_000);
    for (let second = 22; second < 40; second++) book.record(report(second + 1, []), T0 + second * 1000);
    expect(shownBy(book, T0 + 39_000)).toMatchObject({ phase: 'OPEN', window: { succeeded: 0 } });
  });

  test('the sample counts from the moment that the recovery names, with the ages of its first and last outcome', () => {
    const record = state.features['catalog']!;
    const marked = (sampleFromMs: number): ServiceState => {
      const recovery = newRecovery(record, T0, { because: 'test' }, { sampleFromMs });
      return { ...state, features: { ...state.features, catalog: { ...record, recovery } } };
    };
    const book = bookOf(report(1, [catalog(5)]), report(2, [catalog(8)]), report(3, [catalog(8)]), report(4, [catalog(9)]));
    expect(shownBy(book, T0 + 4000, marked(T0 + 500))).toMatchObject({
      sample: { succeeded: 4 },
      firstSampleAgeMs: 3000,
      lastSampleAgeMs: 1000,
    });
    book.record(report(5, [catalog(20)]), T0 + 4000);
    expect(shownBy(book, T0 + 4000, marked(T0 + 500))?.sample.succeeded).toBe(15);
    expect(shownBy(book, T0 + 4000, marked(T0 + 4001))).toMatchObject({ sample: { succeeded: 0 }, firstSampleAgeMs: null });
  });

  test('an outcome that is reported before the recovery first asks for its sample is in it, in the same second too', () => {
    const record = state.features['catalog']!;
    const recovery = newRecovery(record, T0, { because: 'test' }, { sampleFromMs: T0 + 50 });
    const probing: ServiceState = { ...state, features: { ...state.features, catalog: { ...record, recovery } } };
    const book = new EvidenceBook(policy);
    book.record(report(1, [catalog(5)]), T0 + 10);
    shownBy(book, T0 + 20);
    book.record(report(2, [catalog(6)]), T0 + 80);
    book.record(report(3, [catalog(8)]), T0 + 400);
    expect(shownBy(book, T0 + 450, probing)?.sample.succeeded).toBe(3);
  });
});

describe('who speaks (R10)', () => {
  test('a node silent for three of its intervals leaves', () => {
    const book = bookOf(report(1, [], { node: 'busy' }), report(1, [], { node: 'quiet', intervalMs: 5000 }));
    const nodesAt = (atMs: number) => book.evidence(state, atMs).proxies.map(({ node }) => node);
    expect(nodesAt(T0 + 3000)).toEqual(['busy', 'quiet']);
    expect(nodesAt(T0 + 3001)).toEqual(['quiet']);
    expect(nodesAt(T0 + 16_001)).toEqual([]);
  });

  test('the newest instance of a node speaks for it while it reports; then the older one again', () => {
    const book = bookOf(
      report(1, [catalog(1)], { instance: 'old', uptimeMs: 90_000 }),
      report(1, [catalog(2)], { instance: 'new', uptimeMs: 500 }),
      report(2, [catalog(5)], { instance: 'old', uptimeMs: 92_000 }),
    );
    expect(book.evidence(state, T0 + 2000).proxies.map(({ instance }) => instance)).toEqual(['new']);
    for (const second of [3, 4, 5])
      book.record(report(second, [catalog(5)], { instance: 'old', uptimeMs: 90_000 + second * 1000 }), T0 + second * 1000);
    expect(book.evidence(state, T0 + 5000).proxies.map(({ instance }) => instance)).toEqual(['old']);
  });

  test('a node holds at most four instances, the quietest goes', () => {
    const book = new EvidenceBook(policy);
    for (const id of [1, 2, 3, 4, 5]) book.record(report(1, [], { instance: `i${id}` }), T0 + id);
    expect(book.record(report(1, []), T0 + 6).status).toBe('accepted');
    expect(book.record(report(1, [], { instance: 'i5' }), T0 + 7).status).toBe('duplicate');
    expect(book.record(report(1, [], { instance: 'i1' }), T0 + 7).status).toBe('accepted'); // it was forgotten
  });

  test('remembers when a proxy last held no lease', () => {
    const book = bookOf(report(1, [], { governed: false }), report(2, []));
    expect(book.evidence(state, T0 + 1500).proxies[0]).toMatchObject({ governed: true, ungovernedAgeMs: 1500, reportsSinceStart: 2 });
  });
});

test('the view tells rates over all steps, degraded replies by rung, and phases', () => {
  const degraded = { stale: 10, cluster: 0, static: 5 };
  const book = bookOf(
    report(1, [catalog(10)]),
    report(2, [featureReport('catalog', 2, { failed: 5, refused: 15 }, { phase: 'OPEN', degraded })]),
  );
  const view = book.view(T0 + 1000);
  expect(view.features['catalog']).toEqual({
    requestsPerSecond: 6,
    admittedPerSecond: 3,
    failedPerSecond: 1,
    degradedPerSecond: { stale: 2, cluster: 0, static: 1 },
    phases: { OPEN: 1 },
  });
  expect(view.proxies).toMatchObject([{ node: 'node-1', lastReportAgeMs: 0, phases: { catalog: 'OPEN' } }]);
});
