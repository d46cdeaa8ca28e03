import { configPatches, filterPatches, surroundingPatches } from './envoy-filter.ts';
import { extensionHead, extensionNotes, extensionSpec } from './extension.ts';
import type { Manifest } from './read.ts';
import { moduleConfigMap, moduleKey, selectedLabels, workloadPatch } from './workload.ts';
import { yamlText } from './yaml-text.ts';

/** The manifest for Istio, as YAML with the reasons beside what they explain. */
export function manifestText(manifest: Manifest): string {
  if (manifest.kind === 'EnvoyFilter') {
    return envoyFilter(manifest, manifest.name, head(manifest), [...filterPatches(manifest), ...surroundingPatches(manifest)]);
  }
  const extension = {
    apiVersion: 'extensions.istio.io/v1alpha1',
    kind: manifest.kind,
    metadata: metadata(manifest, manifest.name),
    spec: extensionSpec(manifest),
  };
  const first = yamlText(extension, [...head(manifest), '', ...extensionHead(manifest)], extensionNotes(manifest));
  return `${first}---\n${envoyFilter(manifest, `${manifest.name}-around`, [], surroundingPatches(manifest))}`;
}

/** The patch for the Deployment of the workload that goes with a manifest. */
export function workloadPatchText(manifest: Manifest): string {
  const { versionLabel, context } = manifest;
  const what = [
    `For the Deployment of the ${context === 'gateway' ? 'gateway' : 'workload'} that ${manifest.name} selects:`,
    `  kubectl -n ${manifest.namespace} patch deployment NAME --patch-file THIS_FILE`,
    ...(versionLabel
      ? ['Its new pods have this version of the filter, module and manifest alike; `kubectl rollout undo` takes both back.']
      : []),
  ];
  return yamlText(workloadPatch(manifest), what, []);
}

function envoyFilter(manifest: Manifest, name: string, text: readonly string[], patches: ReturnType<typeof filterPatches>): string {
  const { value, notes } = configPatches(patches);
  const document = {
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    metadata: metadata(manifest, name),
    spec: { workloadSelector: { labels: selectedLabels(manifest) }, configPatches: value },
  };
  return yamlText(document, text, notes);
}

function metadata({ namespace, filterVersion, sha256, delivery }: Manifest, name: string): object {
  return {
    name,
    namespace,
    labels: {
      'app.kubernetes.io/name': 'rekindle-filter',
      'app.kubernetes.io/version': filterVersion,
      'app.kubernetes.io/part-of': 'rekindle',
    },
    annotations: { [delivery === 'ecds-oci' ? 'rekindle-image-sha256' : 'rekindle-module-sha256']: sha256 },
  };
}

function head(manifest: Manifest): string[] {
  const { context, filterVersion, delivery, token } = manifest;
  const side = { inbound: 'the inbound side of sidecars', outbound: 'the outbound side of sidecars', gateway: 'a gateway' }[context];
  const lines = [`Rekindle's filter ${filterVersion} on ${side}, as \`rekindle manifest\` writes it; see docs/istio.md.`];
  if (delivery === 'local-file') {
    lines.push(
      '',
      'The module comes from a ConfigMap, mounted by the patch of the workload (`rekindle manifest --workload-patch`). It has to be there before',
      'pods ask for it: Envoy rejects the whole listener where the file is missing.',
      `  kubectl -n ${manifest.namespace} create configmap ${moduleConfigMap(manifest)} --from-file=${moduleKey(manifest)}=rekindle.wasm`,
    );
  }
  if (token !== undefined) lines.push('', 'Holds an access token in clear text: whoever may read EnvoyFilters or a config_dump has it.');
  return lines;
}
