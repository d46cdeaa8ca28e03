import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { namedPatterns } from '../../scripts/gen.ts';
import { loadWire, type WireModule } from './wire-module.ts';

let wire: WireModule;
beforeAll(async () => {
  wire = await loadWire();
});

/** In the order of the filter's `Pattern`, which starts with one that matches anything. */
const patterns = namedPatterns();

test('the filter knows each pattern', () => {
  expect(wire.patternCount()).toBe(patterns.length);
});

describe.each(patterns.map(([name, pattern], index) => ({ name, pattern, number: index + 1 })))('$name', ({ pattern, number }) => {
  const regex = new RegExp(pattern);
  const agrees = (text: string) => {
    expect({ text, matches: wire.patternMatches(number, text) }).toEqual({ text, matches: regex.test(text) });
  };

  test('law: the filter matches what the regular expression matches', () => {
    const near = fc.tuple(fc.stringMatching(regex), fc.nat(), fc.string({ unit: 'grapheme', maxLength: 2 })).map(([text, at, put]) => {
      const place = at % (text.length + 1);
      return text.slice(0, place) + put + text.slice(place + (at % 2));
    });
    const ascii = fc.string({ unit: 'binary-ascii', maxLength: 6 });
    fc.assert(fc.property(fc.oneof(fc.stringMatching(regex), near, ascii), agrees), { numRuns: 400 });
  });

  test('every byte first, in the middle, last, and alone', () => {
    for (let byte = 0; byte < 0x100; byte++) {
      const character = String.fromCharCode(byte);
      for (const text of [
        character,
        `${character}aA1`,
        `a${character}a`,
        `/${character}`,
        `A${character}`,
        `a1${character}`,
        `*.${character}`,
      ])
        agrees(text);
    }
  });

  test('lengths around its bounds', () => {
    for (const first of ['a', 'A', '/', '*.a']) {
      for (const length of [0, 1, 15, 16, 17, 62, 63, 64, 65, 127, 128, 129, 252, 253, 254, 255, 256, 1022, 1023, 1024, 1025]) {
        agrees(first + (first === 'A' ? 'A' : 'a').repeat(length));
      }
    }
  });
});

test('each name of the contract is found by its text and by nothing else', () => {
  const all = wire.names();
  expect(new Set(all).size).toBe(all.length);
  for (const [place, name] of all.entries()) {
    expect(wire.nameIs(place, name)).toBe(true);
    for (const other of [`${name}x`, name.slice(1), name.slice(0, -1), name.replace(/.$/, '~')])
      expect(wire.nameIs(place, other)).toBe(false);
  }
});
