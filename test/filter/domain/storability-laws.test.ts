import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { control, judge, loadStorability, type StorabilityModule } from './storability-module.ts';

let filter: StorabilityModule;

beforeAll(async () => {
  filter = await loadStorability();
});

describe('laws', () => {
  const directive = fc.constantFrom(
    'public',
    'private',
    'no-store',
    'no-cache',
    'must-revalidate',
    'proxy-revalidate',
    'max-age=60',
    'max-age=0',
    's-maxage=30',
    'stale-if-error=90',
    'stale-if-error=0',
    'MAX-AGE="5"',
    'x=y',
    'x="a, b"',
    '',
  );
  const lines = fc.array(
    fc.array(directive, { maxLength: 4 }).map((members) => members.join(', ')),
    { maxLength: 3 },
  );
  const PROHIBITIONS = ['no-store', 'private', 'no-cache'];

  test('a further restriction never makes a copy serve longer', () => {
    const restriction = fc.constantFrom(
      ...PROHIBITIONS,
      'must-revalidate',
      'proxy-revalidate',
      'max-age=1',
      'max-age=x',
      'stale-if-error=1',
    );
    fc.assert(
      fc.property(lines, restriction, (lines, added) => {
        const before = ['max-age=60, stale-if-error=90', ...lines];
        const one = judge(filter, { headers: control(...before) });
        const other = judge(filter, { headers: control(...before, added) });
        if (!one.storable || PROHIBITIONS.includes(added)) expect(other.storable).toBe(false);
        if (!other.storable) return;
        expect(other.fresh).toBeLessThanOrEqual(one.fresh);
        expect(other.staleIfError).toBeLessThanOrEqual(one.staleIfError);
        if (!one.stale) expect(other.stale).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test('the order of lines and of members does not matter', () => {
    fc.assert(
      fc.property(fc.array(directive, { maxLength: 6 }), (members) => {
        const { because: _, ...one } = judge(filter, { headers: control(members.join(',')) });
        const { because: __, ...other } = judge(filter, { headers: control(...[...members].reverse()) });
        expect(other).toEqual(one);
      }),
      { numRuns: 500 },
    );
  });

  test('any text gives a verdict within bounds and never traps', () => {
    const text = fc.string({ unit: fc.constantFrom(...'max-age=,"\\ 0129;*nostrpublicGMT:\0é\uffff'), maxLength: 60 });
    const name = fc.constantFrom('cache-control', 'expires', 'date', 'age', 'vary', 'pragma');
    fc.assert(
      fc.property(fc.array(fc.tuple(name, text), { maxLength: 5 }), text, fc.integer(), (headers, requestCacheControl, receivedMs) => {
        const verdict = judge(filter, { headers, requestCacheControl, receivedMs });
        expect(verdict.because).toMatch(/^[a-z]+(-[a-z]+)*$/);
        expect(verdict.fresh).toBeGreaterThanOrEqual(0);
        expect(verdict.fresh).toBeLessThanOrEqual(2 ** 31);
        expect(verdict.age).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 1000 },
    );
  });
});
