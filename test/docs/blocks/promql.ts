import { CONTROL_PLANE_METRICS, FILTER_METRICS, type MetricSpec } from '../../../control-plane/contract/metrics.ts';

const METRICS: readonly (readonly [string, MetricSpec])[] = [...Object.entries(FILTER_METRICS), ...Object.entries(CONTROL_PLANE_METRICS)];

/** Whether an expression asks for metrics and labels that there are. */
export function promqlProblem(text: string): string | null {
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
  const depth = [...expression].reduce((sum, sign) => sum + ('([{'.includes(sign) ? 1 : ')]}'.includes(sign) ? -1 : 0), 0);
  return depth === 0 ? null : 'brackets do not match';
}
