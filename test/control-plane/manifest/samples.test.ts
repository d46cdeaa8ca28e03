import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { manifestText } from '../../../control-plane/manifest/manifest.ts';
import { readManifestOptions } from '../../../control-plane/manifest/read.ts';
import { ISTIO_EXAMPLES } from '../../../envoy/istio/examples.ts';
import { projectRoot } from '../../../scripts/project-root.ts';

/** samples/ holds manifests that a real istiod took and whose filter landed in real sidecars and gateways. */
const sample = (name: string) =>
  parseAllDocuments(readFileSync(join(projectRoot, `test/control-plane/manifest/samples/${name}.yaml`), 'utf8')).map((document) =>
    document.toJS(),
  );

function ours(example: string, more: object = {}) {
  const read = readManifestOptions({ ...ISTIO_EXAMPLES[example], ...more });
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return parse(manifestText(read.manifest));
}

/** What our manifests have beyond the samples: each is there for a reason that stands beside it, and is shown to work elsewhere. */
const added = [
  /^metadata\.(labels|annotations)/,
  /^NETWORK_FILTER/,
  /^HTTP_ROUTE/,
  /\.config\.(reload_config|capability_restriction_config)/,
  /\.http_uri\.cluster$/,
];

/** Paths of all members, each patch under what it applies to. */
function pathsOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => pathsOf(item, path));
  if (typeof value !== 'object' || value === null) return [path];
  if ('applyTo' in value)
    return pathsOf({ match: (value as { match?: unknown }).match, patch: (value as { patch?: unknown }).patch }, String(value.applyTo));
  return Object.entries(value).flatMap(([key, member]) => pathsOf(member, path === '' ? key : `${path}.${key}`));
}

const isAdded = (path: string) => added.some((pattern) => pattern.test(path));
/** Names of labels and of patches are the user's. */
const isTheirs = (path: string) => path.includes('workloadSelector.labels');
const compared = (value: unknown) =>
  [...new Set(pathsOf(value).map((path) => (isTheirs(path) ? 'spec.workloadSelector.labels' : path)))]
    .filter((path) => !isAdded(path))
    .sort();

describe('the shape is that of manifests which a real Istio took', () => {
  const plain = {
    controlPlane: 'added-cluster',
    controlPlaneHost: 'control-plane.lab.svc.cluster.local',
    fallbackClusters: [],
    services: [{ service: 'shop' }],
  };
  test.each([
    ['envoyfilter-inbound', 'envoyfilter-local-file', 0],
    ['envoyfilter-gateway', 'envoyfilter-local-file', 1],
    ['envoyfilter-inbound-http', 'envoyfilter-ecds-remote', 0],
    ['envoyfilter-gateway-http', 'envoyfilter-ecds-remote', 1],
  ] as const)('%s', (example, name, place) => {
    expect(compared(ours(example, plain))).toEqual(compared(sample(name)[place]));
  });
});

test('the matches are the same to the letter', () => {
  const [inbound, gateway] = sample('envoyfilter-local-file');
  expect(ours('envoyfilter-inbound').spec.configPatches[0].match).toEqual(inbound.spec.configPatches[0].match);
  expect(ours('envoyfilter-gateway').spec.configPatches[0].match).toEqual(gateway.spec.configPatches[0].match);
});

test('so is the discovery, with the RBAC filter that the agent may hand over as one more type', () => {
  const theirs = sample('envoyfilter-ecds-remote')[0].spec.configPatches[0].patch.value.config_discovery;
  const { type_urls, ...rest } = ours('envoyfilter-inbound-oci').spec.configPatches[0].patch.value.config_discovery;
  expect(rest).toEqual({ config_source: theirs.config_source });
  expect(type_urls).toEqual([...theirs.type_urls, 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC']);
});
