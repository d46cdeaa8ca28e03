import { describe, expect, test } from 'vitest';
import { MetricIds, MetricStore, parseSeriesName } from './metrics.ts';

const COUNTER = 0;
const GAUGE = 1;
const HISTOGRAM = 2;
const BAD_ARGUMENT = 2;
const NOT_FOUND = 1;

describe('metrics', () => {
  test('all VMs add to one series; each definition makes a new id', () => {
    const store = new MetricStore();
    const [a, b] = [new MetricIds(store), new MetricIds(store)];
    const ids = [a.define(COUNTER, 'n')!, a.define(COUNTER, 'n')!, b.define(COUNTER, 'n')!];
    expect(ids).toEqual([4, 8, 4]);
    a.increment(ids[1]!, 2n);
    b.increment(ids[2]!, 3n);
    expect(store.value('n')).toBe(5);
  });

  test.for([
    { name: 'a counter refuses 0', type: COUNTER, act: (ids: MetricIds, id: number) => ids.increment(id, 0n), result: BAD_ARGUMENT },
    { name: 'a counter refuses to fall', type: COUNTER, act: (ids: MetricIds, id: number) => ids.increment(id, -1n), result: BAD_ARGUMENT },
    { name: 'a gauge may fall', type: GAUGE, act: (ids: MetricIds, id: number) => ids.increment(id, -1n), result: 0 },
    {
      name: 'a histogram cannot be incremented',
      type: HISTOGRAM,
      act: (ids: MetricIds, id: number) => ids.increment(id, 1n),
      result: BAD_ARGUMENT,
    },
    { name: 'a histogram cannot be read', type: HISTOGRAM, act: (ids: MetricIds, id: number) => ids.get(id), result: BAD_ARGUMENT },
    { name: 'an unknown id is not found', type: COUNTER, act: (ids: MetricIds, id: number) => ids.record(id + 400, 1n), result: NOT_FOUND },
  ])('$name', ({ type, act, result }) => {
    const ids = new MetricIds(new MetricStore());
    expect(act(ids, ids.define(type, 'm')!)).toBe(result);
  });

  test('an unknown type is refused', () => {
    expect(new MetricIds(new MetricStore()).define(3, 'm')).toBeNull();
  });

  test('labels are read from the name', () => {
    expect(parseSeriesName('service=.=shop;.;outcome=.=a-b;.;requests_total')).toEqual({
      name: 'requests_total',
      labels: { service: 'shop', outcome: 'a-b' },
    });
  });
});
