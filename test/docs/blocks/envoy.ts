import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { projectRoot } from '../../../scripts/project-root.ts';
import { findEnvoy } from '../../../scripts/servers.ts';
import { pluginProblem } from './plugin.ts';
import type { Json } from './policy.ts';

interface Manager {
  http_filters: unknown[];
}

/** What the real Envoy says of a bootstrap, a piece of one, or HTTP filters put before the router of envoy/envoy.yaml; null: it takes it. */
export async function envoyProblem(document: Json | readonly Json[]): Promise<string | null> {
  const bootstrap = await bootstrapFrom(document);
  const plugin = pluginOf(document);
  const refused = plugin === null ? null : pluginProblem(plugin);
  return refused ?? (await validate(bootstrap));
}

/** Whether it looks like a part of Envoy's configuration. */
export function isEnvoy(document: Json | readonly Json[]): boolean {
  if (Array.isArray(document)) return document.every((each: Json) => 'typed_config' in each || 'load_assignment' in each);
  return ['static_resources', 'admin', 'node', 'stats_config', 'http_filters', 'clusters', 'typed_config'].some((key) => key in document);
}

async function bootstrapFrom(document: Json | readonly Json[]): Promise<Json> {
  if (!Array.isArray(document) && 'static_resources' in document) return document as Json;
  const example = parse(await readFile(join(projectRoot, 'envoy/envoy.yaml'), 'utf8')) as Record<string, unknown> & {
    static_resources: { clusters: unknown[]; listeners: { filter_chains: { filters: { typed_config: Manager }[] }[] }[] };
  };
  const manager = example.static_resources.listeners[0]!.filter_chains[0]!.filters[0]!.typed_config;
  const { http_filters, clusters, ...rest } = (
    Array.isArray(document) ? listOf(document as Json[]) : 'typed_config' in document ? { http_filters: [document] } : document
  ) as {
    http_filters?: Json[];
    clusters?: Json[];
  };
  if (http_filters !== undefined) {
    const isRouter = (filter: Json) => filter['name'] === 'envoy.filters.http.router';
    manager.http_filters = [...http_filters.filter((filter) => !isRouter(filter)), manager.http_filters.at(-1)];
  }
  if (clusters !== undefined) {
    const names = new Set(clusters.map(({ name }) => name));
    example.static_resources.clusters = [
      ...(example.static_resources.clusters as Json[]).filter(({ name }) => !names.has(name)),
      ...clusters,
    ];
  }
  return { ...example, ...rest };
}

function listOf(entries: readonly Json[]): object {
  return entries.every((entry) => 'load_assignment' in entry) ? { clusters: entries } : { http_filters: entries };
}

/** The plugin configuration inside, wherever it stands. */
function pluginOf(document: unknown): Json | null {
  if (typeof document !== 'object' || document === null) return null;
  const { value, '@type': type } = document as { value?: unknown; '@type'?: unknown };
  if (typeof value === 'string' && type === 'type.googleapis.com/google.protobuf.StringValue') return JSON.parse(value) as Json;
  for (const inner of Object.values(document)) {
    const found = pluginOf(inner);
    if (found !== null) return found;
  }
  return null;
}

async function validate(bootstrap: Json): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), 'rekindle-docs-envoy-'));
  try {
    const file = join(folder, 'envoy.yaml');
    await writeFile(file, stringify(bootstrap));
    const { path } = await findEnvoy();
    return await new Promise((resolve) => {
      execFile(path, ['--mode', 'validate', '-c', file, '-l', 'error'], { cwd: projectRoot }, (error, _, stderr) =>
        resolve(error === null ? null : stderr.trim().split('\n').slice(-3).join(' ')),
      );
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
