import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Pair } from './header-map.ts';
import { decodePairs, encodePairs, MAX_PAIRS_BYTES, MAX_PAIRS_COUNT } from './pairs.ts';

const ROWS: readonly { name: string; pairs: readonly Pair[]; bytes: readonly number[] }[] = [
  { name: 'no pair', pairs: [], bytes: [0, 0, 0, 0] },
  { name: 'one pair', pairs: [['a', 'bc']], bytes: [1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 97, 0, 98, 99, 0] },
  { name: 'an empty value', pairs: [['a', '']], bytes: [1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 97, 0, 0] },
  {
    name: 'two pairs, one name',
    pairs: [
      ['a', '1'],
      ['a', '2'],
    ],
    bytes: [2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 97, 0, 49, 0, 97, 0, 50, 0],
  },
  { name: 'a byte above 127', pairs: [['a', '\xe9']], bytes: [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 97, 0, 233, 0] },
];

describe('header maps as bytes', () => {
  test.for(ROWS)('$name, both ways', ({ pairs, bytes }) => {
    expect([...encodePairs(pairs)]).toEqual(bytes);
    expect(decodePairs(Uint8Array.from(bytes))).toEqual(pairs);
  });

  const valid = [...encodePairs([['a', 'bc']])];
  test.for([
    { name: 'nothing', bytes: [] },
    { name: 'half a count', bytes: [1, 0] },
    { name: 'a count without sizes', bytes: [1, 0, 0, 0] },
    { name: 'a name that is not ended', bytes: [...valid.slice(0, 13), 1, ...valid.slice(14)] },
    { name: 'a value that runs out of the buffer', bytes: [...valid.slice(0, 8), 200, ...valid.slice(9)] },
    { name: 'a byte too many', bytes: [...valid, 0] },
    { name: 'a byte too few', bytes: valid.slice(0, -1) },
    { name: 'a count of four thousand million', bytes: [255, 255, 255, 255, ...valid.slice(4)] },
  ])('$name is read as empty, without a word', ({ bytes }) => {
    expect(decodePairs(Uint8Array.from(bytes))).toEqual([]);
  });

  test('more pairs or bytes than the host takes are read as empty', () => {
    const pairs = (count: number): Pair[] => Array.from({ length: count }, () => ['a', 'b']);
    expect(decodePairs(encodePairs(pairs(MAX_PAIRS_COUNT)))).toHaveLength(MAX_PAIRS_COUNT);
    expect(decodePairs(encodePairs(pairs(MAX_PAIRS_COUNT + 1)))).toEqual([]);
    const value = (size: number): Pair[] => [['a', 'x'.repeat(size)]];
    const overhead = encodePairs(value(0)).length;
    expect(decodePairs(encodePairs(value(MAX_PAIRS_BYTES - overhead)))).toHaveLength(1);
    expect(decodePairs(encodePairs(value(MAX_PAIRS_BYTES - overhead + 1)))).toEqual([]);
  });

  test('law: what is encoded is decoded, whatever the bytes', () => {
    const text = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 40 });
    const pairs = fc.array(fc.tuple(text, text), { maxLength: 20 });
    const survives = (drawn: Pair[]) => expect(decodePairs(encodePairs(drawn))).toEqual(drawn);
    fc.assert(fc.property(pairs, (drawn) => void survives(drawn)));
  });
});
