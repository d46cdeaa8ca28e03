import { describe, expect, test } from 'vitest';
import type { Counts } from '../../../control-plane/domain/model.ts';
import { draftOf, historyOf, START_MS, simulated, tripOf, windowAt } from './recorded.ts';

/** One window a second. */
const each = (...seconds: Partial<Counts>[]) => historyOf(seconds.map((some, second) => windowAt(second, some)));

describe('the first trip', () => {
  test.for([
    { name: 'nothing failed', seconds: [{ succeeded: 50 }], trip: null },
    { name: 'too few to be judged', seconds: [{ failed: 9 }], trip: null },
    { name: 'all failed', seconds: [{ failed: 10 }], trip: { from: 0, certainBy: 1, because: 'failure-rate' } },
    {
      name: 'in the second in which the rate is reached',
      seconds: [{ succeeded: 20 }, { failed: 19 }, { failed: 1 }],
      trip: { from: 2, certainBy: 3, because: 'failure-rate' },
    },
    {
      name: 'only in an unlucky order',
      seconds: [{ succeeded: 15, failed: 5 }],
      trip: { from: 0, certainBy: null, because: 'failure-rate' },
    },
    {
      name: 'maybe at once, surely later',
      seconds: [{ succeeded: 15, failed: 5 }, { failed: 10 }],
      trip: { from: 0, certainBy: 2, because: 'failure-rate' },
    },
    {
      name: 'the bad ones alone too few to be judged: at the end all are',
      seconds: [{ succeeded: 5, failed: 5 }],
      trip: { from: 0, certainBy: 1, because: 'failure-rate' },
    },
  ])('$name', ({ seconds, trip }) => {
    expect(tripOf(draftOf({}), each(...seconds))).toEqual(trip);
  });

  test('of what has left the window nothing counts', () => {
    const history = historyOf([windowAt(0, { failed: 9 }), windowAt(20, { failed: 9 })]);
    expect(tripOf(draftOf({}), history)).toBeNull();
    expect(tripOf(draftOf({ windowMs: 30_000 }), history)).toMatchObject({ from: 20 });
  });

  test('failures in a row may span windows, and are never certain: they are judged per worker', () => {
    const draft = draftOf({ minimumRequests: 1000, consecutiveFailures: 8 });
    const three = { succeeded: 10, failed: 3 };
    expect(tripOf(draft, each(three, three))).toBeNull();
    expect(tripOf(draft, each(three, { failed: 2 }, three))).toEqual({ from: 2, certainBy: null, because: 'consecutive-failures' });
    expect(simulated(draft, each({ failed: 9 })).firstTrip?.numbers).toEqual({ observed: 8, limit: 8 });
  });

  test('a slow threshold is as exact as it was recorded, or as the latency buckets tell', () => {
    const latency = [0, 0, 0, 0, 0, 20, 0, 0, 0, 0, 0, 0]; // all between 100 and 250 ms
    const history = historyOf([windowAt(0, { succeeded: 20, slow: 20 }, { latency })]);
    const trip = (slowMs: number, before: number | undefined) => {
      const draft = draftOf({ slowRatePercent: 50 }, { slowMs });
      return simulated(draft, history, draftOf({}, before === undefined ? {} : { slowMs: before })).firstTrip;
    };
    expect(trip(200, 200)).toMatchObject({ because: 'slow-rate', certainByMs: START_MS + 1000 });
    expect(trip(200, 100), 'within the bucket').toMatchObject({ because: 'slow-rate', certainByMs: null });
    expect(trip(100, undefined), 'at its bound').toMatchObject({ certainByMs: START_MS + 1000 });
    expect(trip(250, undefined), 'above it').toBeNull();
  });

  test('a busy feature is replayed in proportion', () => {
    const calm = each({ succeeded: 60_000, failed: 40_000 }, { succeeded: 1000, failed: 99_000 });
    const { firstTrip, scale, requests } = simulated(draftOf({ minimumRequests: 1000 }), calm);
    expect({ scale, requests }).toEqual({ scale: 200, requests: 200_000 });
    expect(firstTrip).toMatchObject({ fromMs: START_MS, certainByMs: START_MS + 2000 });
  });
});

describe('what cannot be known is said', () => {
  test('while requests were refused, nobody reported, reports came late, or the history has no room', () => {
    const history = historyOf(
      [
        windowAt(5, { succeeded: 3, refused: 9 }),
        windowAt(6, { refused: 12 }),
        windowAt(8, { succeeded: 5 }, { late: true }),
        windowAt(30, { succeeded: 5 }),
      ],
      {
        heard: [
          { fromMs: START_MS + 2000, toMs: START_MS + 10_000 },
          { fromMs: START_MS + 20_000, toMs: START_MS + 3_600_000 },
        ],
        completeFromMs: START_MS + 1000,
      },
    );
    const spans = simulated(draftOf({}), history).unknown.map(({ fromMs, toMs, because }) => [
      (fromMs - START_MS) / 1000,
      (toMs - START_MS) / 1000,
      because,
    ]);
    expect(spans.sort((a, b) => Number(a[0]) - Number(b[0]) || String(a[2]).localeCompare(String(b[2])))).toEqual([
      [0, 1, 'given-up'],
      [0, 2, 'not-heard'],
      [5, 7, 'refused'],
      [8, 9, 'late'],
      [10, 20, 'not-heard'],
    ]);
  });

  test('nothing from before such a stretch counts after it', () => {
    const failing = (second: number) => windowAt(second, { failed: 9 });
    expect(tripOf(draftOf({}), historyOf([failing(0), windowAt(1, { failed: 1 })]))).toMatchObject({ from: 1 });
    expect(tripOf(draftOf({}), historyOf([failing(0), windowAt(1, { refused: 5 }), failing(2)]))).toBeNull();
  });

  test('sums of ten seconds are judged, but never surely', () => {
    const coarse = windowAt(0, { failed: 50 }, { lengthMs: 10_000 });
    const simulation = simulated(draftOf({}), historyOf([coarse]));
    expect(simulation.unknown).toEqual([{ fromMs: START_MS, toMs: START_MS + 10_000, because: 'coarse' }]);
    expect(simulation.firstTrip).toMatchObject({ fromMs: START_MS, toMs: START_MS + 10_000, certainByMs: null });
  });

  test('a feature of which nothing was ever heard', () => {
    const simulation = simulated(draftOf({}), { windows: [], heard: [], completeFromMs: 0 });
    expect(simulation).toMatchObject({ firstTrip: null, requests: 0, unknown: [{ because: 'not-heard' }] });
  });
});
