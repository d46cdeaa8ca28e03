// Writes docs/metrics.md from the lists of metrics. `--check` only compares.
import { join } from 'node:path';
import { CONTROL_PLANE_METRICS, FILTER_METRICS, type MetricSpec } from '../control-plane/contract/metrics.ts';
import { keepGenerated } from './generated-file.ts';
import { projectRoot } from './project-root.ts';

const path = join(projectRoot, 'docs/metrics.md');

const text = `# Metrics

Written by \`npm run gen\` from \`control-plane/contract/metrics.ts\`.

## Control plane

At \`/metrics\` of each process, in the text format of Prometheus, with those of Node beside them. Labels are names out of policies and
stable codes, so the number of series is bounded. Durations of recoveries leave out the pauses that people made; these are counted apart.

${table(CONTROL_PLANE_METRICS)}

## Filter

Among Envoy's own stats. The labels need the \`stats_tags\` in \`envoy/\`, which Istio brings along.

${table(FILTER_METRICS)}
`;

keepGenerated(path, text);

function table(metrics: Readonly<Record<string, MetricSpec>>): string {
  const rows = Object.entries(metrics).map(
    ([name, { kind, labels, help }]) => `| \`${name}\` | ${kind} | ${labels.join(', ')} | ${help} |`,
  );
  return ['| name | kind | labels | what |', '|---|---|---|---|', ...rows].join('\n');
}
