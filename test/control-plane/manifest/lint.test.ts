import { describe, expect, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { lintManifests } from '../../../control-plane/manifest/lint/lint.ts';
import { manifestText } from '../../../control-plane/manifest/manifest.ts';
import { readManifestOptions } from '../../../control-plane/manifest/read.ts';
import { ISTIO_EXAMPLES } from '../../../envoy/istio/examples.ts';

// biome-ignore lint/suspicious/noExplicitAny: a manifest to damage
type Damaged = any;

function textOf(example: string): string {
  const read = readManifestOptions(ISTIO_EXAMPLES[example]);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return manifestText(read.manifest);
}

/** The findings of an example after something was done to its first document. */
function findingsAfter(example: string, damage: (manifest: Damaged) => void) {
  const documents = parseAllDocuments(textOf(example)).map((document) => document.toJS());
  damage(documents[0]);
  return lintManifests(documents.map((document) => stringify(document)).join('---\n'));
}

const wasmOf = (manifest: Damaged) => manifest.spec.configPatches[0].patch.value.typed_config.config;
const rewritten = (change: (configuration: Damaged) => void) => (manifest: Damaged) => {
  const { configuration } = wasmOf(manifest);
  const value = JSON.parse(configuration.value);
  change(value);
  configuration.value = JSON.stringify(value);
};

test.each(Object.keys(ISTIO_EXAMPLES))('%s has no finding', (example) => {
  expect(lintManifests(textOf(example))).toEqual([]);
});

describe('what Istio accepts in silence is found, with its place', () => {
  const first = 'spec.configPatches[0]';
  const config = `${first}.patch.value.typed_config.config`;
  const rows: readonly (readonly [string, string, (manifest: Damaged) => void, string, string])[] = [
    [
      'an unknown field of the Wasm configuration',
      'envoyfilter-inbound',
      (m) => (wasmOf(m).failure_polcy = 'FAIL_OPEN'),
      `${config}.failure_polcy`,
      'drops it',
    ],
    ['one inside the VM', 'envoyfilter-inbound', (m) => (wasmOf(m).vm_config.vmid = 'x'), `${config}.vm_config.vmid`, 'drops it'],
    [
      'capabilities where older releases drop them',
      'envoyfilter-inbound',
      (m) => {
        wasmOf(m).vm_config.capability_restriction_config = wasmOf(m).capability_restriction_config;
      },
      `${config}.vm_config.capability_restriction_config`,
      'everything',
    ],
    [
      'a subFilter that no chain has',
      'envoyfilter-inbound',
      (m) => {
        m.spec.configPatches[0].match.listener.filterChain.filter.subFilter.name = 'envoy.filters.http.roter';
      },
      `${first}.match.listener.filterChain.filter.subFilter.name`,
      'absent',
    ],
    [
      'a subFilter of the other side',
      'envoyfilter-inbound',
      (m) => {
        m.spec.configPatches[0].match.listener.filterChain.filter.subFilter.name = 'istio.alpn';
      },
      `${first}.match.listener.filterChain.filter.subFilter.name`,
      'absent',
    ],
    [
      'type_urls without the substitute',
      'envoyfilter-inbound-oci',
      (m) => {
        m.spec.configPatches[0].patch.value.config_discovery.type_urls.pop();
      },
      `${first}.patch.value.config_discovery.type_urls`,
      '500',
    ],
    [
      'a discovery of nothing',
      'envoyfilter-inbound-oci',
      (m) => (m.spec.configPatches[1].patch.value.name = 'x'),
      `${first}.patch.value.name`,
      'waits',
    ],
    ['ADD', 'envoyfilter-gateway', (m) => (m.spec.configPatches[0].patch.operation = 'ADD'), `${first}.patch.operation`, 'rejects'],
    [
      'a Struct as configuration',
      'envoyfilter-inbound',
      (m) => {
        wasmOf(m).configuration = { '@type': 'type.googleapis.com/google.protobuf.Struct', value: {} };
      },
      `${config}.configuration`,
      'JSON',
    ],
    [
      'a download without a hash',
      'envoyfilter-inbound-http',
      (m) => {
        delete m.spec.configPatches[1].patch.value.typed_config.config.vm_config.code.remote.sha256;
      },
      'spec.configPatches[1].patch.value.typed_config.config.vm_config.code.remote.sha256',
      'hash',
    ],
    [
      'a download inline',
      'envoyfilter-inbound',
      (m) => {
        wasmOf(m).vm_config.code = { remote: { http_uri: { uri: 'https://a/b', cluster: 'c', timeout: '1s' }, sha256: 'ab'.repeat(32) } };
      },
      `${config}.vm_config.code.remote`,
      'ECDS',
    ],
    ['no idle timeout', 'envoyfilter-inbound', (m) => m.spec.configPatches.splice(1, 1), 'spec.configPatches', 'hang'],
    [
      'an idle timeout of the other side',
      'envoyfilter-inbound',
      (m) => (m.spec.configPatches[1].match.context = 'GATEWAY'),
      'spec.configPatches',
      'hang',
    ],
    [
      'an unknown runtime',
      'envoyfilter-inbound',
      (m) => (wasmOf(m).vm_config.runtime = 'envoy.wasm.runtime.v9'),
      `${config}.vm_config.runtime`,
      'rejects',
    ],
    ['no vm_id', 'envoyfilter-inbound', (m) => delete wasmOf(m).vm_config.vm_id, `${config}.vm_config.vm_id`, 'shared'],
    ['FAIL_OPEN', 'envoyfilter-inbound', (m) => (wasmOf(m).failure_policy = 'FAIL_OPEN'), `${config}.failure_policy`, 'for ever'],
    ['both failure policies', 'envoyfilter-inbound', (m) => (wasmOf(m).fail_open = true), `${config}.fail_open`, 'rejects'],
    ['the default backoff', 'envoyfilter-inbound', (m) => delete wasmOf(m).reload_config, `${config}.reload_config`, '1 s'],
    [
      'a capability too few',
      'envoyfilter-inbound',
      (m) => {
        delete wasmOf(m).capability_restriction_config.allowed_capabilities.proxy_http_call;
      },
      `${config}.capability_restriction_config.allowed_capabilities`,
      'proxy_http_call',
    ],
    ['context ANY', 'envoyfilter-inbound', (m) => delete m.spec.configPatches[0].match.context, `${first}.match`, 'both sides'],
    ['no selector', 'envoyfilter-inbound', (m) => delete m.spec.workloadSelector, 'spec.workloadSelector', 'namespace'],
    [
      'a configuration that the module refuses',
      'envoyfilter-inbound',
      rewritten((c) => (c.servcies = [])),
      `${config}.configuration.value`,
      'servcies',
    ],
    [
      'no inline policy',
      'envoyfilter-inbound',
      rewritten((c) => delete c.services[0].policy),
      `${config}.configuration.value`,
      'default breaker',
    ],
    [
      'the scope of a fleet behind a sidecar',
      'envoyfilter-inbound',
      rewritten((c) => delete c.services[0].policy.recovery),
      `${config}.configuration.value`,
      'upstream of its own',
    ],
    [
      'a cluster that is not allowed',
      'envoyfilter-inbound',
      rewritten((c) => (c.fallbackClusters = [])),
      `${config}.configuration.value`,
      'fallbackClusters',
    ],
    [
      'text that is no JSON',
      'envoyfilter-inbound',
      (m) => (wasmOf(m).configuration.value = '{mode}'),
      `${config}.configuration.value`,
      'not JSON',
    ],
    ['an extension without a hash', 'trafficextension-gateway-oci', (m) => delete m.spec.wasm.sha256, 'spec.wasm.sha256', 'hash'],
    ['an extension on both sides', 'wasmplugin-inbound', (m) => delete m.spec.match, 'spec.match', 'both sides'],
    ['an extension that is not loaded again', 'wasmplugin-inbound', (m) => delete m.spec.failStrategy, 'spec.failStrategy', 'trap'],
    [
      "an extension's configuration",
      'trafficextension-inbound',
      (m) => (m.spec.wasm.pluginConfig.mode = 'on'),
      'spec.wasm.pluginConfig',
      'mode',
    ],
  ];
  test.each(rows)('%s', (_, example, damage, path, reason) => {
    const found = findingsAfter(example, damage).filter((finding) => finding.path === path);
    expect(found.map((finding) => `${finding.reason} ${finding.remedy}`).join()).toContain(reason);
  });
});

test('names of fields may be spelt as JSON spells them', () => {
  const camel = textOf('envoyfilter-inbound').replaceAll(/^( *)([a-z]+(?:_[a-z]+)+):/gm, (whole, margin: string, name: string) =>
    name.startsWith('proxy_') || name.endsWith('_get')
      ? whole
      : `${margin}${name.replaceAll(/_([a-z])/g, (_: string, letter: string) => letter.toUpperCase())}:`,
  );
  expect(camel).toContain('failurePolicy: FAIL_RELOAD');
  expect(lintManifests(camel)).toEqual([]);
});

test('the line and column are those of the file', () => {
  const text = textOf('envoyfilter-inbound').replace('INSERT_BEFORE', 'ADD');
  const lines = text.split('\n');
  const [finding] = lintManifests(text);
  expect(lines[(finding?.line ?? 0) - 1]).toContain('operation: ADD');
  expect(lines[(finding?.line ?? 0) - 1]?.slice((finding?.column ?? 0) - 1)).toBe('ADD');
});

test.each([
  '',
  '---\n',
  'a: [',
  'kind: EnvoyFilter',
  'kind: EnvoyFilter\nspec: 3',
  'kind: EnvoyFilter\nspec: {configPatches: [null, 1, {patch: {value: [1]}}]}',
  'kind: WasmPlugin\nspec: []',
  'kind: constructor',
  'kind: Service',
  '[1, 2]',
  '"x"',
])('nothing that is read makes it throw: %j', (text) => {
  expect(Array.isArray(lintManifests(text))).toBe(true);
});
