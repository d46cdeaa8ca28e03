import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { projectRoot } from '../../../scripts/project-root.ts';
import { findKubectl } from '../../../scripts/servers.ts';

const run = promisify(execFile);

// biome-ignore lint/suspicious/noExplicitAny: objects of Kubernetes, whose shapes the schemas check
export type Resource = any;

export const kubernetesFolder = join(projectRoot, 'envoy/kubernetes');

/** What `kubectl kustomize` makes of a folder of envoy/kubernetes/. */
export async function rendered(folder: string): Promise<Resource[]> {
  const known = renderings.get(folder) ?? render(join(kubernetesFolder, folder));
  renderings.set(folder, known);
  return structuredClone(await known);
}

const renderings = new Map<string, Promise<Resource[]>>();

/** An overlay with components, as a user would write it beside ours. */
export async function renderedWith(overlay: string, components: readonly string[]): Promise<Resource[]> {
  const copy = await copyOfKubernetes();
  await mkdir(join(copy, 'mine'));
  const kustomization = { resources: [`../${overlay}`], components: components.map((name) => `../${name}`) };
  await writeFile(join(copy, 'mine/kustomization.yaml'), stringify(kustomization));
  return render(join(copy, 'mine'));
}

/** The module's ConfigMap, with the module where the kustomization wants it. */
export async function renderedFilter(module: string): Promise<Resource> {
  const copy = await copyOfKubernetes();
  await copyFile(module, join(copy, 'filter/rekindle.wasm'));
  const [configMap] = await render(join(copy, 'filter'));
  return configMap;
}

async function copyOfKubernetes(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rekindle-kubernetes-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(kubernetesFolder, folder, { recursive: true });
  return folder;
}

async function render(folder: string): Promise<Resource[]> {
  const { path } = await findKubectl();
  const { stdout } = await run(path, ['kustomize', folder], { maxBuffer: 16 * 1024 * 1024 });
  return parseAllDocuments(stdout).map((document) => document.toJS());
}
