// Writes the manifests of envoy/istio/. `--check` only compares.
import { join } from 'node:path';
import { manifestText, workloadPatchText } from '../control-plane/manifest/manifest.ts';
import { type Manifest, readManifestOptions } from '../control-plane/manifest/read.ts';
import { ISTIO_EXAMPLES, WORKLOAD_EXAMPLES } from '../envoy/istio/examples.ts';
import { keepGenerated } from './generated-file.ts';
import { projectRoot } from './project-root.ts';

for (const [name, options] of Object.entries(ISTIO_EXAMPLES)) write(name, manifestText(manifestOf(name, options)));
for (const [name, options] of Object.entries(WORKLOAD_EXAMPLES)) write(name, workloadPatchText(manifestOf(name, options)));

function write(name: string, text: string): void {
  keepGenerated(join(projectRoot, `envoy/istio/${name}.yaml`), text);
}

function manifestOf(name: string, options: object): Manifest {
  const read = readManifestOptions(options);
  if ('manifest' in read) return read.manifest;
  throw new Error(`${name}: ${read.problems.map(({ path, reason }) => `${path} ${reason}`).join('; ')}`);
}
