import { filterLabels } from '../contract/metrics.ts';
import type { Manifest } from './read.ts';
import { moduleFile } from './wasm-filter.ts';

/** Label by which pods ask for a version of the filter. */
const VERSION_LABEL = 'rekindle-filter';
const VOLUME = 'rekindle-filter';

/** Labels that a manifest selects by. */
export function selectedLabels({ labels, versionLabel, filterVersion }: Manifest): Record<string, string> {
  return { ...labels, ...(versionLabel ? { [VERSION_LABEL]: filterVersion } : {}) };
}

/** ConfigMap with the module, one for each version, so that old pods keep theirs. */
export const moduleConfigMap = ({ filterVersion }: Manifest) => `rekindle-filter-${filterVersion.toLowerCase().replaceAll('_', '-')}`;

/** What the template of the pods needs besides the labels that they have: a patch for their Deployment. */
export function workloadPatch(manifest: Manifest): object {
  const { context, versionLabel, filterVersion } = manifest;
  const labels = versionLabel ? { [VERSION_LABEL]: filterVersion } : null;
  const isMounted = manifest.delivery === 'local-file';
  const annotations = { ...(isMounted && context !== 'gateway' ? mountAnnotations(manifest) : {}), ...statTags() };
  const spec = isMounted && context === 'gateway' ? { spec: mountedVolume(manifest) } : {};
  return { spec: { template: { metadata: { ...(labels === null ? {} : { labels }), annotations }, ...spec } } };
}

/** Of the sidecar, which the injector adds: it reads them by name. */
function mountAnnotations(manifest: Manifest): Record<string, string> {
  return {
    'sidecar.istio.io/userVolume': JSON.stringify({ [VOLUME]: { configMap: { name: moduleConfigMap(manifest) } } }),
    'sidecar.istio.io/userVolumeMount': JSON.stringify({ [VOLUME]: { mountPath: manifest.folder, readOnly: true } }),
  };
}

/** A gateway's proxy is the container of its own Deployment. */
function mountedVolume(manifest: Manifest): object {
  return {
    containers: [{ name: 'istio-proxy', volumeMounts: [{ name: VOLUME, mountPath: manifest.folder, readOnly: true }] }],
    volumes: [{ name: VOLUME, configMap: { name: moduleConfigMap(manifest) } }],
  };
}

/** Without them the labels would stay in the names of the metrics. */
function statTags(): Record<string, string> {
  return { 'sidecar.istio.io/extraStatTags': filterLabels().join(',') };
}

/** The key of the ConfigMap is the file's name. */
export const moduleKey = (manifest: Manifest) => moduleFile(manifest).split('/').at(-1) ?? '';
