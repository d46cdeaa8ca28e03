import type { ASUtil } from '@assemblyscript/loader';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadFilter } from '../compile.ts';
import { withStrings } from './strings.ts';

interface FreshnessExports {
  httpDateMs(text: number, nowMs: bigint): bigint;
  initialAgeMs(ageHeaderMs: bigint, dateMs: bigint, receivedMs: bigint, delayMs: bigint): bigint;
  currentAgeMs(initialMs: bigint, heldMs: bigint): bigint;
  servable(ageMs: bigint, freshForMs: bigint, staleIfErrorMs: bigint, mayServeStale: boolean, maxStaleMs: bigint): number;
}

let filter: ASUtil & FreshnessExports;

beforeAll(async () => {
  filter = await loadFilter<FreshnessExports>('domain-storability');
});

const dateOf = (text: string, nowMs = Date.UTC(2026, 5, 1)) =>
  Number(withStrings(filter, (put) => filter.httpDateMs(put(text), BigInt(nowMs))));

/** As C's asctime() writes it. */
function asctime(ms: number): string {
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(ms).toUTCString())!;
  return `${new Date(ms).toUTCString().slice(0, 3)} ${month} ${day!.replace(/^0/, ' ')} ${time} ${year}`;
}

/** As RFC 850 has it. */
function rfc850(ms: number): string {
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(ms).toUTCString())!;
  const weekday = new Date(ms).toLocaleDateString('en-US', { weekday: 'long', timeZone: 'UTC' });
  return `${weekday}, ${day}-${month}-${year!.slice(-2)} ${time} GMT`;
}

describe('date', () => {
  test.for([
    { text: 'Sun, 06 Nov 1994 08:49:37 GMT', expected: 784_111_777_000 },
    { text: 'Thu, 01 Jan 1970 00:00:00 GMT', expected: 0 },
    { text: 'Tue, 29 Feb 2000 12:00:00 GMT', expected: Date.UTC(2000, 1, 29, 12) },
    { text: 'Fri, 31 Dec 9999 23:59:59 GMT', expected: Date.UTC(9999, 11, 31, 23, 59, 59) },
    { text: 'Sat, 31 Dec 2016 23:59:60 GMT', expected: Date.UTC(2017, 0, 1) },
    { text: '', expected: -1 },
    { text: '0', expected: -1 },
    { text: 'Wed, 31 Dec 1969 23:59:59 GMT', expected: -1 },
    { text: 'Thu, 29 Feb 1900 12:00:00 GMT', expected: -1 },
    { text: 'Mon, 29 Feb 2100 12:00:00 GMT', expected: -1 },
    { text: 'Sun, 31 Apr 2026 12:00:00 GMT', expected: -1 },
    { text: 'Sun, 00 Nov 1994 08:49:37 GMT', expected: -1 },
    { text: 'Sun, 06 Nov 1994 24:00:00 GMT', expected: -1 },
    { text: 'Sun, 06 Nov 1994 08:60:37 GMT', expected: -1 },
    { text: 'Sun, 06 Nov 1994 08:49:61 GMT', expected: -1 },
    { text: 'Sun, 06 Nov 1994 08:49:37 UTC', expected: -1 },
    { text: 'sun, 06 nov 1994 08:49:37 GMT', expected: -1 },
    { text: 'Sun, 06 Foo 1994 08:49:37 GMT', expected: -1 },
    { text: 'Foo, 06 Nov 1994 08:49:37 GMT', expected: -1 },
    { text: 'Sun, -6 Nov 1994 08:49:37 GMT', expected: -1 },
    { text: 'Sun, 06-Nov-1994 08:49:37 GMT', expected: -1 },
    { text: 'Sunday, 06-Nov-94 08:49:37 GMT', expected: 784_111_777_000 },
    { text: 'Saturday, 01-Jan-77 00:00:00 GMT', expected: Date.UTC(1977, 0, 1) },
    { text: 'Wednesday, 31-Dec-25 23:59:59 GMT', expected: Date.UTC(2025, 11, 31, 23, 59, 59) },
    { text: 'Tuesday, 01-Jan-69 00:00:00 GMT', expected: Date.UTC(2069, 0, 1) },
    { text: 'Saturday, 29-Feb-76 12:00:00 GMT', expected: Date.UTC(2076, 1, 29, 12) },
    { text: 'Friday, 31-Dec-76 12:00:00 GMT', expected: Date.UTC(1976, 11, 31, 12) },
    { text: 'Sunday, 06-Nov-1994 08:49:37 GMT', expected: -1 },
    { text: 'Sunday, 06-Nov-9x 08:49:37 GMT', expected: -1 },
    { text: 'Sun, 06-Nov-94 08:49:37 GMT', expected: -1 },
    { text: 'Sunsday, 06-Nov-94 08:49:37 GMT', expected: -1 },
    { text: 'Monday, 31-Feb-26 08:49:37 GMT', expected: -1 },
    { text: 'Sunday', expected: -1 },
    { text: 'Sun Nov  6 08:49:37 1994', expected: 784_111_777_000 },
    { text: 'Sun Nov 06 08:49:37 1994', expected: 784_111_777_000 },
    { text: 'Wed Jul 15 08:00:00 2026', expected: Date.UTC(2026, 6, 15, 8) },
    { text: 'Sun Nov   08:49:37 1994', expected: -1 },
    { text: 'Sun Nov  0 08:49:37 1994', expected: -1 },
    { text: 'Sun Nov  6 08:49:37 94', expected: -1 },
    { text: 'Sun Nov  6 08:49:37 1994 GMT', expected: -1 },
    { text: 'Sun, 06 Nov 1994 08:49:37 GMT ', expected: -1 },
  ])('$text', ({ text, expected }) => {
    expect(dateOf(text)).toBe(expected);
  });

  test('law: every second from 1970 to 9999 is read as it was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) / 1000 }), (seconds) => {
        expect(dateOf(new Date(seconds * 1000).toUTCString())).toBe(seconds * 1000);
        expect(dateOf(asctime(seconds * 1000))).toBe(seconds * 1000);
      }),
      { numRuns: 1000 },
    );
  });

  test('law: with a year of two digits a date is that of the 50 years to come or the 50 years past', () => {
    const day = 86_400_000;
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(2025, 0, 1), max: Date.UTC(2110, 0, 1) }),
        fc.integer({ min: -18_000, max: 18_200 }),
        (now, days) => {
          const then = Math.floor((now + days * day) / 1000) * 1000;
          expect(dateOf(rfc850(then), now)).toBe(then);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('law: letters more, less or other make a wrong date or none, never a trap', () => {
    const form = fc.constantFrom('Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994');
    fc.assert(
      fc.property(form, fc.nat(30), fc.string({ maxLength: 2 }), fc.nat(2), (text, place, letters, dropped) => {
        expect(dateOf(text.slice(0, place) + letters + text.slice(place + dropped))).toBeGreaterThanOrEqual(-1);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('age', () => {
  const initial = (ageHeader: number, date: number, received: number, delay: number) =>
    Number(filter.initialAgeMs(BigInt(ageHeader), BigInt(date), BigInt(received), BigInt(delay)));

  test.for([
    { name: 'nothing known', given: [0, -1, 0, 0], expected: 0 },
    { name: 'its age grows by the time under way', given: [5000, -1, 0, 300], expected: 5300 },
    { name: 'an older date wins', given: [5000, 90_000, 100_000, 300], expected: 10_000 },
    { name: 'a date in the future is now', given: [0, 110_000, 100_000, 0], expected: 0 },
    { name: 'nothing counts below 0', given: [-5, -1, 0, -7], expected: 0 },
  ])('$name', ({ given, expected }) => {
    expect(initial(...(given as [number, number, number, number]))).toBe(expected);
  });

  test('grows while it is held, and a clock that goes back does not make it younger', () => {
    expect(filter.currentAgeMs(5000n, 700n)).toBe(5700n);
    expect(filter.currentAgeMs(5000n, -700n)).toBe(5000n);
  });
});

describe('may stand in', () => {
  const servable = (age: number, fresh: number, staleIfError: number, mayServeStale: boolean, maxStale: number) =>
    filter.servable(BigInt(age), BigInt(fresh), BigInt(staleIfError), mayServeStale, BigInt(maxStale)) !== 0;

  test.for<{ name: string; given: [number, number, number, boolean, number]; expected: boolean }>([
    { name: 'fresh', given: [59, 60, -1, true, 0], expected: true },
    { name: 'fresh where stale is forbidden', given: [59, 60, -1, false, 0], expected: true },
    { name: 'stale where it is forbidden', given: [60, 60, 1000, false, 1000], expected: false },
    { name: "within the policy's time", given: [99, 60, -1, true, 40], expected: true },
    { name: "after the policy's time", given: [100, 60, -1, true, 40], expected: false },
    { name: 'within the time of the response, after that of the policy', given: [150, 60, 100, true, 40], expected: true },
    { name: 'after the time of the response, within that of the policy', given: [70, 60, 10, true, 40], expected: false },
    { name: 'stale-if-error=0', given: [60, 60, 0, true, 40], expected: false },
    { name: 'stale from the start', given: [0, 0, -1, true, 40], expected: true },
  ])('$name: $expected', ({ given, expected }) => {
    expect(servable(...given)).toBe(expected);
  });

  test('law: once it may not, it never may again', () => {
    const time = fc.nat(1000);
    fc.assert(
      fc.property(
        time,
        time,
        time,
        fc.integer({ min: -1, max: 1000 }),
        fc.boolean(),
        time,
        (age, older, fresh, staleIfError, stale, maxStale) => {
          if (!servable(age, fresh, staleIfError, stale, maxStale)) {
            expect(servable(age + older, fresh, staleIfError, stale, maxStale)).toBe(false);
          }
        },
      ),
    );
  });
});
