import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CONTROL_PLANE_METRICS, FILTER_METRICS, type MetricSpec } from '../../../control-plane/contract/metrics.ts';
import { findPromtool } from '../../../scripts/servers.ts';

const METRICS: readonly (readonly [string, MetricSpec])[] = [...Object.entries(FILTER_METRICS), ...Object.entries(CONTROL_PLANE_METRICS)];

/** What is wrong with an expression: metrics or labels that there are not, or what Prometheus' own tool says of it. */
export async function promqlProblem(text: string): Promise<string | null> {
  return namesProblem(text) ?? (await rulesProblem({ groups: [{ name: 'page', rules: [{ record: 'page:expression', expr: text }] }] }));
}

/** What `promtool` says of a file of rules. */
export async function rulesProblem(rules: object): Promise<string | null> {
  const { path } = await findPromtool();
  const folder = await mkdtemp(join(tmpdir(), 'rekindle-docs-rules-'));
  try {
    const file = join(folder, 'rules.yaml');
    await writeFile(file, JSON.stringify(rules));
    return await new Promise((resolve) => {
      execFile(path, ['check', 'rules', file], (error, stdout, stderr) => resolve(error === null ? null : `${stdout}${stderr}`.trim()));
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function namesProblem(text: string): string | null {
  const expression = text.replace(/^\s*#.*$/gm, '');
  for (const [, name = '', selector = ''] of expression.matchAll(/\b(rekindle_\w+)(?:\{([^}]*)\})?/g)) {
    const specs = METRICS.filter(
      ([metric, { kind }]) => metric === name || (kind === 'histogram' && name.replace(/_(bucket|sum|count)$/, '') === metric),
    );
    if (specs.length === 0) return `no metric is named ${name}`;
    const labels = [...selector.matchAll(/(\w+)\s*(?:=|!)/g)].map(([, label]) => label!);
    const known = new Set([...specs.flatMap(([, { labels }]) => Object.keys(labels)), 'le', 'job', 'instance', 'namespace', 'pod']);
    const unknown = labels.filter((label) => !known.has(label));
    if (unknown.length > 0) return `${name} has no label ${unknown.join(', ')}`;
  }
  return null;
}
