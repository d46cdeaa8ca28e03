import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import {
  CONTROL_PLANE_METRICS,
  FILTER_METRICS,
  filterLabels,
  LARGEST_PROXY,
  type MetricSpec,
  mostSeries,
  type Sizes,
} from '../control-plane/contract/metrics.ts';
import { projectRoot } from './project-root.ts';

/** A rule of Prometheus: one that records, or one that alerts. */
export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: { readonly severity: string };
  readonly annotations?: { readonly summary: string; readonly description: string; readonly runbook_url: string };
}

/** The rules of one file in envoy/prometheus/. */
export function rulesOf(file: 'recording' | 'alerts'): Rule[] {
  const { groups } = parse(readFileSync(join(projectRoot, `envoy/prometheus/${file}.rules.yaml`), 'utf8')) as {
    groups: { rules: Rule[] }[];
  };
  return groups.flatMap(({ rules }) => rules);
}

/** Most series of the filter's metrics in one proxy. */
export function mostFilterSeries(sizes: Sizes): number {
  return Object.values(FILTER_METRICS).reduce((sum, spec: MetricSpec) => sum + mostSeries(spec, sizes), 0);
}

/** The text of docs/metrics.md. */
export function metricsPage(): string {
  const oneFeature = { ...LARGEST_PROXY, service: 1, feature: 1 };
  const perFeature = mostFilterSeries({ ...oneFeature, feature: 2 }) - mostFilterSeries(oneFeature);
  return `# Metrics

Written by \`npm run gen\` from \`control-plane/contract/metrics.ts\` and \`envoy/prometheus/\`.

## What to look at

| question | look at |
|---|---|
| is a feature degraded, and since when? | \`rekindle_admit_ratio\` (10000: all pass), \`rekindle_feature_state\` for the fleet's word, \`rekindle_breaker_phase\` for the proxy's own |
| what do its clients get? | \`rekindle_degraded_total\` by \`rung\` and \`reason\`; \`rung="none"\` are the ones who got nothing |
| how far is the recovery? | \`rekindle_recovery_features\` by \`phase\`, \`rekindle_admit_ratio\` for the ramp, \`rekindle_recovery_events_total\` for attempts and steps |
| does it help the upstream? | \`rekindle_requests_total\` by \`outcome\`, \`rekindle_upstream_ms\`, \`rekindle_retries_withheld_total\` |
| do the proxies hear the fleet? | \`rekindle_control_plane_connected\`, \`rekindle_governed\`, \`rekindle_directive_revision\` beside \`rekindle_fleet_revision\` |
| may I turn \`shadow\` into \`enforce\`? | \`rekindle_detected_total\`: what would have been refused or replaced |
| is the filter itself well? | Envoy's \`wasm.PLUGIN.vm_reload_success\`, \`…_failure\`: 0 (the plugin is \`rekindle\` on plain Envoy, \`rekindle-inbound\` and the like on Istio); \`rekindle_directives_rejected_total\`: none; \`rekindle_build_info\` |

Dashboards with these are in \`envoy/grafana/\` (the fleet; the recovery of one service), rules and alerts in \`envoy/prometheus/\`.

## Filter

Among Envoy's own stats, at \`/stats/prometheus\` of its admin port. A series is made when it has something to say for the first time, counters
are written every 50 ms, gauges by one worker alone. The names are the filter's own: neither Envoy nor Istio puts anything in front.

${table(FILTER_METRICS)}

### Labels

Envoy's Wasm interface knows no labels: they are part of the name, as \`service=.=shop;.;feature=.=catalog;.;rekindle_…\`, and Envoy takes them
out by regular expressions that its bootstrap must hold.

- **Plain Envoy**: the \`stats_tags\` of \`envoy/envoy.yaml\`, alone in \`envoy/stats_tags.yaml\`.
- **Istio** makes such expressions for the tags that a workload asks for, and for no others. Annotate its pods (or set \`extraStatTags\` in
  \`meshConfig.defaultConfig\`), and restart them, since this is read at the start:
  \`sidecar.istio.io/extraStatTags: ${filterLabels().join(',')}\`.
  Its stats matcher keeps \`wasm*\`, so nothing else is needed. Without the annotation the series are there, with the labels left in their names.

### How many series

Labels are names out of policies and words of closed sets; nothing of a request (path, header, status) becomes one. A feature has at most
${perFeature} series, of which the ${count(FILTER_METRICS.rekindle_degraded_total, oneFeature)} of \`rekindle_degraded_total\` are ${'`rung` × `reason`'}; a feature that never failed has 7 or so. A service adds
${serviceSeries()} of its own, a proxy ${mostFilterSeries({ ...LARGEST_PROXY, service: 0, feature: 0 })}. A proxy takes at most ${LARGEST_PROXY.service} services of ${LARGEST_PROXY.feature} features each, so it can never hold more than
${mostFilterSeries(LARGEST_PROXY).toLocaleString('en')} series; one service of ten features at most ${mostFilterSeries({ ...LARGEST_PROXY, service: 1, feature: 10 }).toLocaleString('en')}. (A histogram counts as one here; Envoy shows it to
Prometheus as one series per bucket, 22 by default.)

## Control plane

At \`/metrics\` of each process (a token with scope \`read\` where tokens are configured), with those of Node beside them. With several
replicas take the maximum of gauges over them and the sum of counters. Durations of recoveries leave out the pauses that people made; these
are counted apart.

${table(CONTROL_PLANE_METRICS)}

A service has at most ${mostControlPlaneSeries(1) - mostControlPlaneSeries(0)} series, however many features and proxies it has.

## Rules

\`envoy/prometheus/recording.rules.yaml\` records what dashboards and alerts share:

${rulesOf('recording')
  .map(({ record }) => `- \`${record}\``)
  .join('\n')}

## Alerts

\`envoy/prometheus/alerts.rules.yaml\`; each name leads to what to do.

| alert | severity | after | says |
|---|---|---|---|
${rulesOf('alerts').map(alertRow).join('\n')}
`;
}

function alertRow({ alert = '', labels, annotations, for: after = 'at once' }: Rule): string {
  const says = (annotations?.summary ?? '').replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, '*$1*');
  return `| [${alert}](runbooks.md#${alert.toLowerCase()}) | ${labels?.severity} | ${after} | ${says} |`;
}

function table(metrics: Readonly<Record<string, MetricSpec>>): string {
  const rows = Object.entries(metrics).map(
    ([name, { kind, labels, help }]) => `| \`${name}\` | ${kind} | ${labelList(labels)} | ${help} |`,
  );
  return ['| name | kind | labels | what |', '|---|---|---|---|', ...rows].join('\n');
}

function labelList(labels: MetricSpec['labels']): string {
  return Object.entries(labels)
    .map(([label, values]) => (typeof values === 'string' ? label : `${label} (${values.join(', ')})`))
    .join(', ');
}

const count = (spec: MetricSpec, sizes: Sizes): number => mostSeries(spec, sizes);

function serviceSeries(): number {
  const sizes = { ...LARGEST_PROXY, feature: 0 };
  return mostFilterSeries({ ...sizes, service: 2 }) - mostFilterSeries({ ...sizes, service: 1 });
}

function mostControlPlaneSeries(services: number): number {
  const sizes = { service: services, feature: 0, group: services, version: 1 };
  return Object.values(CONTROL_PLANE_METRICS).reduce((sum, spec: MetricSpec) => sum + mostSeries(spec, sizes), 0);
}
