import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { projectRoot } from '../../scripts/project-root.ts';
import { findPrometheus } from '../../scripts/servers.ts';
import { type Child, startChild, tailOf } from './child.ts';
import { waitFor } from './wait.ts';

/** A series over a span, as a query answers it; values are Prometheus's text. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [atSeconds: number, value: string])[];
}

export interface PrometheusProcess extends Child {
  /** The series of an expression from then until now, a value each second. Throws what Prometheus says of a wrong one. */
  queryRange(expr: string, fromMs: number): Promise<readonly Series[]>;
  labelValues(series: string, label: string): Promise<readonly string[]>;
}

export interface PrometheusPlaces {
  readonly port: number;
  /** Takes the configuration, the data and the log. */
  readonly folder: string;
  readonly envoyAdminPort: number;
  readonly controlPlanePort: number;
}

/** Starts Prometheus with the project's rules on an Envoy and a control plane, which may come later, and waits until it is ready. */
export async function startPrometheus({ port, folder, envoyAdminPort, controlPlanePort }: PrometheusPlaces): Promise<PrometheusProcess> {
  const { path } = await findPrometheus();
  await mkdir(folder, { recursive: true });
  const target = (job: string, at: number, metrics_path: string) => ({
    ...{ job_name: job, metrics_path },
    static_configs: [{ targets: [`127.0.0.1:${at}`] }],
  });
  const configuration = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: [join(projectRoot, 'envoy/prometheus/*.rules.yaml')],
    scrape_configs: [target('envoy', envoyAdminPort, '/stats/prometheus'), target('rekindle-control-plane', controlPlanePort, '/metrics')],
  };
  await writeFile(join(folder, 'prometheus.yml'), stringify(configuration));
  const base = `http://127.0.0.1:${port}`;
  const child = await startChild({
    name: 'prometheus',
    command: path,
    args: [
      ...['--config.file', join(folder, 'prometheus.yml'), '--storage.tsdb.path', join(folder, 'data')],
      ...['--web.listen-address', `127.0.0.1:${port}`, '--log.level', 'warn'],
    ],
    logFile: join(folder, 'prometheus.log'),
  });
  await waitFor('Prometheus to be ready', async () => ((await fetch(`${base}/-/ready`)).ok ? true : null), 20_000).catch(async (error) => {
    await child.stop();
    throw new Error(`${error.message}\n${tailOf(child.logFile)}`);
  });
  const ask = async <T>(route: string, query: Record<string, string>): Promise<T> => {
    const answer = await fetch(`${base}/api/v1/${route}?${new URLSearchParams(query)}`);
    const { status, data, error } = (await answer.json()) as { status: string; data: T; error?: string };
    if (status !== 'success') throw new Error(`${query['query'] ?? route}: ${error}`);
    return data;
  };
  return {
    ...child,
    queryRange: async (query, fromMs) => {
      const [start, end] = [fromMs, Date.now()].map((ms) => String(ms / 1000)) as [string, string];
      return (await ask<{ result: Series[] }>('query_range', { query, start, end, step: '1' })).result;
    },
    labelValues: (series, label) => ask<string[]>(`label/${label}/values`, { 'match[]': series }),
  };
}
