import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FILTER_METRICS, filterLabels, type MetricSpec } from '../../control-plane/contract/metrics.ts';
import { NAME_PATTERN } from '../../control-plane/contract/names.ts';
import { VERSION } from '../../control-plane/version.gen.ts';
import { statsTags } from '../../scripts/stats-tags.ts';
import { extractTags } from './extract-tags.ts';
import { istioStatsConfig } from './istio-bootstrap.ts';

const ISTIO_TAGS = istioStatsConfig(filterLabels()).stats_tags;
const specs: [string, MetricSpec][] = Object.entries(FILTER_METRICS);
const name = fc.stringMatching(new RegExp(NAME_PATTERN));
/** Names that are words of Istio's own expressions, or look like one of ours. */
const awkward = fc.constantFrom('cache', 'component', 'tag', 'cluster', 'wasm-filter', 'to', 'feature', 'service', '0', 'rbac', 'a-rq-503');

/** A series as the filter names it, with values for its labels. */
const series = fc.constantFrom(...specs).chain(([metric, { labels }]) =>
  fc
    .record(
      Object.fromEntries(
        Object.entries(labels).map(([label, values]) => {
          if (typeof values !== 'string') return [label, fc.constantFrom(...values)];
          return [label, values === 'version' ? fc.constant(VERSION) : fc.oneof(name, awkward)];
        }),
      ) as Record<string, fc.Arbitrary<string>>,
    )
    .map((values) => ({ metric, values: Object.keys(labels).map((label) => [label, values[label] ?? ''] as const) })),
);

test.for([
  { where: 'Istio, with our extraStatTags', tags: ISTIO_TAGS },
  { where: 'plain Envoy, with our stats_tags', tags: statsTags() },
])('$where: every series gives its labels and its name, and nothing else', ({ tags }) => {
  fc.assert(
    fc.property(series, ({ metric, values }) => {
      const full = `wasmcustom.${values.map(([label, value]) => `${label}=.=${value};.;`).join('')}${metric}`;
      expect(extractTags(full, tags)).toEqual({ name: `wasmcustom.${metric}`, tags: Object.fromEntries(values) });
    }),
  );
});

test('without the annotation Istio leaves the labels in the name: the series are there, and told apart', () => {
  const full = 'wasmcustom.service=.=shop;.;feature=.=catalog;.;rekindle_admit_ratio';
  const plain = istioStatsConfig([]).stats_tags;
  expect(extractTags(full, plain)).toEqual({ name: full, tags: {} });
});

test('our stats_tags also know the names of filters before 0.2.0, which may run beside this one for a while', () => {
  const full = 'wasmcustom.service=.=shop;.feature=.=catalog;.rekindle_admit_ratio';
  const tags = { service: 'shop', feature: 'catalog' };
  expect(extractTags(full, statsTags())).toEqual({ name: 'wasmcustom.rekindle_admit_ratio', tags });
});

test("no label is the end of another one's name, which an expression without an anchor would take it for", () => {
  const labels = filterLabels();
  expect(labels.filter((label) => labels.some((other) => other !== label && other.endsWith(label)))).toEqual([]);
});

test("Istio's stats matcher keeps the names, and none ends like a status code", () => {
  const { patterns } = istioStatsConfig([]).stats_matcher.inclusion_list;
  for (const [metric] of specs) {
    expect(patterns.some(({ prefix }) => `wasmcustom.${metric}`.startsWith(prefix))).toBe(true);
    expect(metric).not.toMatch(/_rq_|\d{3}$/);
  }
});
