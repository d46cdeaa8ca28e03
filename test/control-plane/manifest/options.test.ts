import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { lintManifests } from '../../../control-plane/manifest/lint/lint.ts';
import { manifestText, workloadPatchText } from '../../../control-plane/manifest/manifest.ts';
import { ManifestOptions, manifestOptionHelp } from '../../../control-plane/manifest/options.ts';
import { type Manifest, readManifestOptions } from '../../../control-plane/manifest/read.ts';
import { ISTIO_EXAMPLES } from '../../../envoy/istio/examples.ts';

const least = { labels: { app: 'shop' }, services: [{ service: 'shop' }] };
const hash = 'ab'.repeat(32);

function manifestOf(options: object): Manifest {
  const read = readManifestOptions(options);
  if ('problems' in read) throw new Error(JSON.stringify(read.problems));
  return read.manifest;
}

/** The filter's configuration inside of the first patch. */
function pluginOf(options: object) {
  const manifest = parse(manifestText(manifestOf(options)));
  return JSON.parse(manifest.spec.configPatches[0].patch.value.typed_config.config.configuration.value);
}

describe('what is wrong is refused with the name of the field', () => {
  const spare = (name: string) => ({
    service: 'shop',
    features: [{ name: 'a', routes: [{ path: { prefix: '/' } }], fallback: [{ cluster: { name } }] }],
  });
  const rows: readonly (readonly [string, object, string])[] = [
    ['no labels: the whole namespace', { services: least.services }, 'labels'],
    ['an empty set of labels', { ...least, labels: {} }, 'labels'],
    ['a label that Kubernetes refuses', { ...least, labels: { app: 'a b' } }, 'labels.app'],
    ['no service', { labels: least.labels }, 'services'],
    ['a misspelt option', { ...least, contxt: 'inbound' }, 'contxt'],
    ['a context that Istio does not know', { ...least, context: 'sidecar' }, 'context'],
    ['a hash that is none', { ...least, sha256: 'abc' }, 'sha256'],
    ['a namespace in capitals', { ...least, namespace: 'Demo' }, 'namespace'],
    ['ECDS without a url', { ...least, delivery: 'ecds-http' }, 'url'],
    ['an image over HTTP', { ...least, delivery: 'ecds-oci', url: 'https://a/b', sha256: hash }, 'url'],
    [
      "an image without its digest, of which the module's hash says nothing",
      { ...least, delivery: 'ecds-oci', url: 'oci://a/b' },
      'sha256',
    ],
    ['a url for a file', { ...least, url: 'https://a/b' }, 'url'],
    ['a mesh service by its short name', { ...least, controlPlaneHost: 'rekindle' }, 'controlPlaneHost'],
    ['TLS of our own inside the mesh', { ...least, controlPlaneTls: true }, 'controlPlaneTls'],
    ['a token for nobody', { ...least, controlPlane: 'none', token: 'x' }, 'token'],
    ['a token that would end its header', { ...least, token: 'a\nb' }, 'token'],
    ['shared copies without a control plane', { ...least, controlPlane: 'none', sharedCopies: true }, 'sharedCopies'],
    ['a place that the API does not have', { ...least, kind: 'WasmPlugin', place: 'before-cors' }, 'place'],
    ['two services behind one workload', { ...least, services: [{ service: 'a' }, { service: 'b' }] }, 'services'],
    [
      'a service twice',
      { ...least, context: 'gateway', services: [1, 2].map(() => ({ service: 'a', hosts: ['a'] })) },
      'services[1].service',
    ],
    [
      'nothing to tell services by',
      { ...least, context: 'gateway', services: [{ service: 'a', hosts: ['a'] }, { service: 'b' }] },
      'services[1].hosts',
    ],
    [
      'a policy of another service',
      { ...least, services: [{ service: 'shop', policy: { ...spare('x'), service: 'other' } }] },
      'services[0].policy.service',
    ],
    [
      'a cluster that is not allowed',
      { ...least, services: [{ service: 'shop', policy: spare('x') }] },
      'services[0].policy.features[0].fallback[0].cluster.name',
    ],
    ['a folder that climbs out of its quotes', { ...least, folder: '/a"b' }, 'folder'],
    [
      'a port of a gateway whose other ports would have the way to the fallback, too',
      { ...least, context: 'gateway', port: 8080, fallbackClusters: ['spare'] },
      'port',
    ],
    ['no time at all', { ...least, streamIdleTimeoutMs: 0 }, 'streamIdleTimeoutMs'],
    ['a name that grew too long', { ...least, services: [{ service: 'a'.repeat(60) }] }, 'name'],
    ['not even an object', [] as object, ''],
  ];
  test.each(rows)('%s', (_, options, path) => {
    const read = readManifestOptions(options);
    expect('problems' in read ? read.problems.map((problem) => problem.path) : 'accepted').toContain(path);
  });
});

test('all problems are told at once, and what was given is left as it was', () => {
  const options = { ...least, delivery: 'ecds-oci', controlPlaneHost: 'x' };
  const before = structuredClone(options);
  const read = readManifestOptions(options);
  expect('problems' in read && read.problems.map(({ path }) => path)).toEqual(['url', 'sha256', 'controlPlaneHost']);
  expect(options).toEqual(before);
});

test('each option has a description; those that must be given say so', () => {
  const help = manifestOptionHelp();
  expect(help.map(({ name }) => name)).toEqual(Object.keys((ManifestOptions as { properties: object }).properties));
  expect(help.filter(({ description }) => description === '')).toEqual([]);
  expect(help.filter(({ isRequired }) => isRequired).map(({ name }) => name)).toEqual(['labels', 'services']);
});

test('the inbound side says scope: proxy, whatever the policy says; the others leave the policy alone', () => {
  const policy = {
    service: 'shop',
    recovery: { scope: 'fleet', maxRamping: 1 },
    features: [{ name: 'a', routes: [{ path: { prefix: '/' } }] }],
  };
  const services = [{ service: 'shop', policy }];
  expect(pluginOf({ ...least, services }).services[0].policy.recovery).toEqual({ scope: 'proxy', maxRamping: 1 });
  expect(pluginOf({ ...least, services, context: 'gateway' }).services[0].policy).toEqual(policy);
});

test('without a policy the default breaker stands inline, over all requests', () => {
  expect(pluginOf(least).services[0].policy.features).toEqual([{ name: 'all-requests', routes: [{ path: { prefix: '/' } }] }]);
});

test('words that YAML 1.1 takes for something else stay words', () => {
  const text = manifestText(
    manifestOf({ ...least, kind: 'WasmPlugin', mode: 'off', labels: { app: 'no', tier: '1e3' }, filterVersion: '1.10' }),
  );
  expect(text).toContain('mode: "off"');
  expect(text).toContain('app: "no"');
  const [plugin] = parseAllDocuments(text, { schema: 'yaml-1.1' }).map((document) => document.toJS());
  expect(plugin.spec.selector.matchLabels).toEqual({ app: 'no', tier: '1e3', 'rekindle-filter': '1.10' });
  expect(plugin.spec.pluginConfig.mode).toBe('off');
});

test('a manifest and its workload patch meet in the label, the ConfigMap and the file', () => {
  const manifest = manifestOf({ ...least, sha256: hash, filterVersion: '2.0.0-rc.1' });
  const filter = parse(manifestText(manifest));
  const patch = parse(workloadPatchText(manifest)).spec.template.metadata;
  expect(filter.spec.workloadSelector.labels).toEqual({ app: 'shop', ...patch.labels });
  const { mountPath } = JSON.parse(patch.annotations['sidecar.istio.io/userVolumeMount'])['rekindle-filter'];
  const { filename } = filter.spec.configPatches[0].patch.value.typed_config.config.vm_config.code.local;
  expect(filename).toBe(`${mountPath}/rekindle-${hash.slice(0, 12)}.wasm`);
  const { name } = JSON.parse(patch.annotations['sidecar.istio.io/userVolume'])['rekindle-filter'].configMap;
  expect(manifestText(manifest)).toContain(`create configmap ${name} --from-file=rekindle-${hash.slice(0, 12)}.wasm=`);
});

test('a token is told of', () => {
  expect(manifestText(manifestOf({ ...least, token: 'secret-of-shop' }))).toContain('access token in clear text');
});

test.each(Object.entries(ISTIO_EXAMPLES))('%s: two versions have names and labels of their own', (_, options) => {
  const names = ['0.1.0', '0.2.0'].map((filterVersion) => manifestOf({ ...options, filterVersion }).name);
  expect(new Set(names).size).toBe(2);
});

test('a fallback can be reached on the port of the filter alone, where its mark is taken from what clients send', () => {
  const { spec } = parse(manifestText(manifestOf({ ...least, port: 8080, fallbackClusters: ['spare'] })));
  const { match } = spec.configPatches.find(({ applyTo }: { applyTo: string }) => applyTo === 'HTTP_ROUTE');
  expect(match).toEqual({ context: 'SIDECAR_INBOUND', routeConfiguration: { portNumber: 8080 } });
});

test('the certificate of a control plane without a name is checked by its address', () => {
  const outside = { controlPlane: 'added-cluster', controlPlaneTls: true };
  const text = (controlPlaneHost: string) => manifestText(manifestOf({ ...least, ...outside, controlPlaneHost }));
  expect(text('10.0.0.7')).toContain('san_type: IP_ADDRESS');
  expect(text('10.0.0.7')).not.toContain('sni:');
  expect(text('rekindle.example.com')).toMatch(/sni: rekindle\.example\.com[\s\S]*san_type: DNS/);
});

/** Readers of Kubernetes are written in Go: for them some of these are numbers, others the end of a line. */
test.each(['0o17', '0X1f', '0B1', '1e3', 'no', '0.1', '2026-01-01'])('the label %s stays a text', (label) => {
  const text = manifestText(manifestOf({ ...least, labels: { app: label } }));
  expect(text).toMatch(new RegExp(`app: ["']${label}["']`));
});

test.each(['EnvoyFilter', 'WasmPlugin'])('what a reader could take for the end of a line is written as an escape, kind %s', (kind) => {
  const body = 'a\u2028b\u0085c\ufeffd\te\u007f\nf';
  const features = [{ name: 'a', routes: [{ path: { prefix: '/' } }], fallback: [{ static: { status: 200, body } }] }];
  const text = manifestText(manifestOf({ ...least, kind, services: [{ service: 'shop', policy: { service: 'shop', features } }] }));
  expect(text).not.toMatch(/[\t\u007f-\u009f\u2028\u2029\ufeff]/);
  const [{ spec }] = parseAllDocuments(text, { schema: 'yaml-1.1' }).map((document) => document.toJS());
  const plugin = spec.pluginConfig ?? JSON.parse(spec.configPatches[0].patch.value.typed_config.config.configuration.value);
  expect(plugin.services[0].policy.features[0].fallback[0].static.body).toBe(body);
});

describe('laws', () => {
  const names = manifestOptionHelp().map(({ name }) => name);

  test('whatever the options hold, they make a manifest or a problem', () => {
    const anything = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), fc.jsonValue(), { maxKeys: 6 });
    fc.assert(fc.property(anything, (odd) => typeof readManifestOptions({ ...least, ...odd }) === 'object'));
  });

  test('options that are taken make YAML that reads back, and of which lint finds nothing', () => {
    const taken = fc.record(
      {
        kind: fc.constantFrom('EnvoyFilter', 'WasmPlugin', 'TrafficExtension'),
        context: fc.constantFrom('inbound', 'outbound', 'gateway'),
        mode: fc.constantFrom('off', 'shadow', 'enforce'),
        versionLabel: fc.boolean(),
        port: fc.integer({ min: 1, max: 65_535 }),
        filterVersion: fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,20}[A-Za-z0-9])?$/),
        token: fc.stringMatching(/^[\x20-\x7e]{1,80}$/),
        controlPlane: fc.constantFrom('mesh-service', 'added-cluster'),
        fallbackClusters: fc.array(fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9._|:-]{0,40}$/), { maxLength: 3 }),
        labels: fc.dictionary(fc.stringMatching(/^[A-Za-z0-9]{1,10}$/), fc.stringMatching(/^[A-Za-z0-9]{0,10}$/), {
          minKeys: 1,
          maxKeys: 3,
        }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(taken, (options) => {
        fc.pre(options.context !== 'gateway' || options.port === undefined || (options.fallbackClusters ?? []).length === 0);
        const manifest = manifestOf({ ...least, ...options });
        const text = manifestText(manifest);
        const [first] = parseAllDocuments(text, { schema: 'yaml-1.1' }).map((document) => document.toJS());
        const { workloadSelector, selector } = first.spec;
        expect(workloadSelector?.labels ?? selector.matchLabels).toMatchObject(options.labels ?? least.labels);
        if (options.token !== undefined) expect(tokenOf(first)).toBe(options.token);
        expect(lintManifests(text)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

/** The token as the module would read it. */
function tokenOf(document: { spec: Record<string, unknown> }): string {
  const spec = document.spec as {
    configPatches?: { patch: { value: { typed_config: { config: { configuration: { value: string } } } } } }[];
    pluginConfig?: object;
    wasm?: { pluginConfig: object };
  };
  const [placed] = spec.configPatches ?? [];
  const plugin = placed
    ? JSON.parse(placed.patch.value.typed_config.config.configuration.value)
    : (spec.pluginConfig ?? spec.wasm?.pluginConfig);
  return plugin.controlPlane.token;
}
