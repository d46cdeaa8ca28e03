import { expect, test } from 'vitest';
import { withSection } from '../section.ts';
import { atLeast, atMost, markdownOf, times } from './figure.ts';
import { cost, median, quantile } from './statistics.ts';

test('a section is added at the end, and replaced in its place', () => {
  const once = withSection('# Benchmarks\n', 'filter', 'Filter', 'first');
  const twice = withSection(withSection(once, 'other', 'Other', 'kept'), 'filter', 'Filter', 'second');
  expect(once).toBe('# Benchmarks\n\n## Filter\n\n<!-- filter: written by npm run bench:filter -->\nfirst\n<!-- /filter -->\n');
  expect(twice).toContain('## Filter\n\n<!-- filter: written by npm run bench:filter -->\nsecond\n<!-- /filter -->\n\n## Other\n');
  expect(twice).toContain('kept');
  expect(twice).not.toContain('first');
});

test('figures are held against their bars', () => {
  const figures = [atMost('cost', 1.3, 1.3, times), atLeast('rate', 0.64, 0.65, times)];
  expect(figures.map(({ isMet }) => isMet)).toEqual([true, false]);
  expect(markdownOf({ title: 'T', text: 'what', header: ['a', 'b'], rows: [['1', '2']], figures })).toBe(
    '### T\n\nwhat\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n| what | measured | bar |  |\n| --- | --- | --- | --- |\n' +
      '| cost | 1.30 × | ≤ 1.30 × | met |\n| rate | 0.64 × | ≥ 0.65 × | **missed** |',
  );
});

test('medians and quantiles', () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), quantile([5, 1, 3], 0), quantile([5, 1, 3], 0.99)]).toEqual([2, 2.5, 1, 5]);
  expect([cost([9, 1, 2, 3, 4]), cost([7])]).toEqual([2, 7]);
  expect(median([])).toBeNaN();
});
