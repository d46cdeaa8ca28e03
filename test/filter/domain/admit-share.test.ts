import type { ASUtil } from '@assemblyscript/loader';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadFilter } from '../compile.ts';
import { withStrings } from './strings.ts';

interface ShareExports {
  shareOf(hash: bigint): number;
  rampAdmit(fromBp: number, toBp: number, startMs: bigint, durationMs: bigint, nowMs: bigint): number;
}
interface HashExports {
  hashOf(text: number, start: number, end: number, k0: bigint, k1: bigint): bigint;
}

let filter: ASUtil & ShareExports;
let hashing: ASUtil & HashExports;

beforeAll(async () => {
  filter = await loadFilter<ShareExports>('domain-formulas');
  hashing = await loadFilter<HashExports>('domain-cache-key');
});

const placeOf = (key: string, salt = 1n) => {
  const hash = withStrings(hashing, (put) => hashing.hashOf(put(key), 0, key.length, salt, 0n));
  return filter.shareOf(hash);
};

describe('place of a sticky key', () => {
  test.for([
    { hash: 0n, place: 0 },
    { hash: 2n ** 64n - 1n, place: 9999 },
    { hash: 2n ** 63n, place: 5000 },
  ])('$hash has place $place', ({ hash, place }) => {
    expect(filter.shareOf(BigInt.asIntN(64, hash))).toBe(place);
  });

  test('users spread evenly, and anew for each feature', () => {
    const users = Array.from({ length: 20_000 }, (_, i) => `user-${i}`);
    const tenths = Array.from({ length: 10 }, () => 0);
    for (const user of users) tenths[Math.floor(placeOf(user) / 1000)]!++;
    // Chi-squared with 9 degrees of freedom: 27.9 is passed by one in a thousand uniform draws; these draws are fixed.
    const chi = tenths.reduce((sum, seen) => sum + (seen - 2000) ** 2 / 2000, 0);
    expect(chi).toBeLessThan(27.9);
    const first = users.filter((user) => placeOf(user, 1n) < 1000);
    const both = first.filter((user) => placeOf(user, 2n) < 1000);
    expect(both.length / first.length).toBeLessThan(0.15);
  });

  test('law: a share admits its part, and raising it keeps everybody who was in', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40, unit: 'binary-ascii' }), fc.nat(10_000), fc.nat(10_000), (key, one, other) => {
        const place = placeOf(key);
        expect(place).toBeGreaterThanOrEqual(0);
        expect(place).toBeLessThan(10_000);
        if (place < Math.min(one, other)) expect(place < Math.max(one, other)).toBe(true);
      }),
    );
  });
});

describe('ramp', () => {
  const ramp = (from: number, to: number, start: number, duration: number, now: number) =>
    filter.rampAdmit(from, to, BigInt(start), BigInt(duration), BigInt(now));

  test.for([
    { name: 'before its start', given: [1000, 10_000, 500, 100, 400], expected: 1000 },
    { name: 'at its start', given: [1000, 10_000, 500, 100, 500], expected: 1000 },
    { name: 'in the middle', given: [1000, 10_000, 500, 100, 550], expected: 5500 },
    { name: 'at its end', given: [1000, 10_000, 500, 100, 600], expected: 10_000 },
    { name: 'after it', given: [1000, 10_000, 500, 100, 9999], expected: 10_000 },
    { name: 'downwards', given: [10_000, 2000, 0, 10, 5], expected: 6000 },
    { name: 'of no duration', given: [0, 10_000, 500, 0, 500], expected: 10_000 },
    { name: 'of no duration, before its start', given: [0, 10_000, 500, 0, 400], expected: 0 },
  ])('$name', ({ given, expected }) => {
    expect(ramp(...(given as [number, number, number, number, number]))).toBe(expected);
  });

  test('law: between its ends and never turning back', () => {
    const bp = fc.nat(10_000);
    fc.assert(
      fc.property(
        bp,
        bp,
        fc.nat(1_000_000),
        fc.nat(2 ** 31),
        fc.nat(2 ** 31),
        fc.nat(1_000_000),
        (from, to, start, duration, now, later) => {
          const [low, high] = [Math.min(from, to), Math.max(from, to)];
          const one = ramp(from, to, start, duration, now);
          const other = ramp(from, to, start, duration, now + later);
          expect(one).toBeGreaterThanOrEqual(low);
          expect(one).toBeLessThanOrEqual(high);
          expect(Math.sign(other - one) * Math.sign(to - from)).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });
});
