import { expect, test } from 'vitest';
import { LIMITS } from '../../control-plane/contract/limits.ts';
import { CONTROL_PLANE_METRICS, FILTER_METRICS, LARGEST_PROXY, type MetricSpec } from '../../control-plane/contract/metrics.ts';
import { mostFilterSeries } from '../../scripts/metrics-page.ts';

const specs: [string, MetricSpec][] = [...Object.entries(FILTER_METRICS), ...Object.entries(CONTROL_PLANE_METRICS)];

test('no name is both the filter’s and the control plane’s, so that one job may scrape both', () => {
  const names = specs.map(([name]) => name);
  expect(names.filter((name, place) => names.indexOf(name) !== place)).toEqual([]);
});

test.for(specs)('%s follows the rules of names', ([name, { kind, labels }]) => {
  expect(name).toMatch(/^rekindle_[a-z]+(_[a-z]+)*$/);
  expect(name.endsWith('_total')).toBe(kind === 'counter');
  for (const label of Object.keys(labels)) expect(label).toMatch(/^[a-z]+$/);
});

test('a proxy’s series are bounded by the limits of its configuration: what docs/metrics.md says of it', () => {
  const of = (service: number, feature: number) => mostFilterSeries({ ...LARGEST_PROXY, service, feature });
  expect(LARGEST_PROXY).toEqual({ service: LIMITS.services, feature: LIMITS.features, group: 0, version: 1 });
  expect(of(1, 2) - of(1, 1)).toBe(71);
  expect(of(2, 0) - of(1, 0)).toBe(5);
  expect(of(0, 0)).toBe(2);
  expect(of(LIMITS.services, LIMITS.features)).toBe(LIMITS.services * (LIMITS.features * 71 + 5) + 2);
});
