// Writes the manifests of envoy/istio/, and the kustomization that makes the module's ConfigMap. `--check` only compares.
import { join } from 'node:path';
import { manifestText, workloadPatchText } from '../control-plane/manifest/manifest.ts';
import { type Manifest, readManifestOptions } from '../control-plane/manifest/read.ts';
import { moduleConfigMap, moduleKey } from '../control-plane/manifest/workload.ts';
import { ISTIO_EXAMPLES, WORKLOAD_EXAMPLES } from '../envoy/istio/examples.ts';
import { keepGenerated } from './generated-file.ts';
import { projectRoot } from './project-root.ts';

for (const [name, options] of Object.entries(ISTIO_EXAMPLES)) write(name, manifestText(manifestOf(name, options)));
for (const [name, options] of Object.entries(WORKLOAD_EXAMPLES)) write(name, workloadPatchText(manifestOf(name, options)));

keepGenerated(
  join(projectRoot, 'envoy/kubernetes/filter/kustomization.yaml'),
  moduleKustomization(manifestOf('filter', { labels: { app: 'any' }, services: [{ service: 'any' }] })),
);

function write(name: string, text: string): void {
  keepGenerated(join(projectRoot, `envoy/istio/${name}.yaml`), text);
}

function manifestOf(name: string, options: object): Manifest {
  const read = readManifestOptions(options);
  if ('manifest' in read) return read.manifest;
  throw new Error(`${name}: ${read.problems.map(({ path, reason }) => `${path} ${reason}`).join('; ')}`);
}

function moduleKustomization(manifest: Manifest): string {
  return `# The module as a ConfigMap, in the namespace of the workloads; written by \`npm run gen\`.
#   cp build/rekindle.wasm envoy/kubernetes/filter/
#   kubectl -n demo apply --server-side -k envoy/kubernetes/filter
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
configMapGenerator:
  - name: ${moduleConfigMap(manifest)}
    files: [${moduleKey(manifest)}=rekindle.wasm]
    options:
      # A version has a ConfigMap of its own: pods of the old version keep theirs.
      disableNameSuffixHash: true
      immutable: true
      labels: { app.kubernetes.io/name: rekindle-filter, app.kubernetes.io/version: ${manifest.filterVersion}, app.kubernetes.io/part-of: rekindle }
`;
}
