import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { readTokenFile } from '../../../control-plane/access/token-file.ts';
import { FILTER_SHA256, FILTER_VERSION } from '../../../control-plane/manifest/filter.gen.ts';
import { settingsHelp } from '../../../control-plane/settings.ts';
import { projectRoot } from '../../../scripts/project-root.ts';
import { kubernetesFolder, type Resource, rendered, renderedFilter, renderedWith } from './rendered.ts';
import { type Check, openCheck } from './schema-check.ts';

const overlays = ['one-replica', 'replicas'] as const;
let check: Check;
beforeAll(async () => {
  check = await openCheck();
}, 180_000);

const only = (resources: readonly Resource[], kind: string): Resource => {
  const found = resources.filter((resource) => resource.kind === kind);
  expect(found).toHaveLength(1);
  return found[0];
};
const documentsOf = (file: string): Resource[] => parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS());

describe.each(overlays)('%s', (overlay) => {
  test('renders as it did; vitest -u takes what it makes now', async () => {
    const text = (await rendered(overlay)).map((resource) => stringify(resource)).join('---\n');
    await expect(text).toMatchFileSnapshot(`golden/${overlay}.yaml`);
  });

  test('each resource fits the schema of its kind', async () => {
    expect((await rendered(overlay)).flatMap(check)).toEqual([]);
  });

  test('holds all that a deployment of it needs', async () => {
    const kinds = (await rendered(overlay)).map(({ kind }) => kind).sort();
    const common = ['Deployment', 'NetworkPolicy', 'PodDisruptionBudget', 'Service', 'ServiceAccount', 'ServiceMonitor'];
    expect(kinds).toEqual(overlay === 'one-replica' ? [...common, 'PersistentVolumeClaim'].sort() : common);
  });

  test('runs without root, without privileges, and writes only where it must', async () => {
    const { spec } = only(await rendered(overlay), 'Deployment').spec.template;
    const [container] = spec.containers;
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(spec.automountServiceAccountToken).toBe(false);
    const writable = container.volumeMounts.filter(({ readOnly }: Resource) => !readOnly).map(({ mountPath }: Resource) => mountPath);
    expect(writable).toEqual(overlay === 'one-replica' ? ['/var/lib/rekindle'] : []);
    expect(container.resources.limits.memory).toBeDefined();
  });

  test('has more time to end than the process takes', async () => {
    const { spec } = only(await rendered(overlay), 'Deployment').spec.template;
    const waits = Number(/(\d+)\)$/.exec(spec.containers[0].lifecycle.preStop.exec.command.at(-1))?.[1]);
    const closes = Number(/CLOSE_WITHIN_MS = (\d+)/.exec(readFileSync(join(projectRoot, 'control-plane/main.ts'), 'utf8'))?.[1]);
    expect(spec.terminationGracePeriodSeconds * 1000).toBeGreaterThan(waits + closes);
  });

  test('asks for what the control plane answers, and sets what it knows', async () => {
    const resources = await rendered(overlay);
    const [container] = only(resources, 'Deployment').spec.template.spec.containers;
    expect([container.startupProbe, container.livenessProbe, container.readinessProbe].map(({ httpGet }) => httpGet.path)).toEqual([
      '/livez',
      '/livez',
      '/readyz',
    ]);
    const known = settingsHelp().map((line) => line.trim().split(/\s/)[0]);
    for (const { name } of container.env) expect(known).toContain(name);
    expect(container.env.some(({ name }: Resource) => name === 'REDIS_URL')).toBe(overlay === 'replicas');
    const [port] = only(resources, 'Service').spec.ports;
    expect([port.port, container.ports[0].containerPort]).toEqual([7700, 7700]);
    expect(container.image).toBe(`rekindle/control-plane:${FILTER_VERSION}`);
  });

  test('what selects pods selects its own', async () => {
    const resources = await rendered(overlay);
    const { template } = only(resources, 'Deployment').spec;
    const selectors = ['Deployment', 'PodDisruptionBudget'].map((kind) => only(resources, kind).spec.selector.matchLabels);
    const others = [only(resources, 'Service').spec.selector, only(resources, 'NetworkPolicy').spec.podSelector.matchLabels];
    const spread = template.spec.topologySpreadConstraints.map(({ labelSelector }: Resource) => labelSelector.matchLabels);
    for (const labels of [...selectors, ...others, ...spread]) {
      expect(Object.keys(labels).length).toBeGreaterThan(0);
      expect(template.metadata.labels).toMatchObject(labels);
    }
    expect(only(resources, 'Service').metadata.labels).toMatchObject(only(resources, 'ServiceMonitor').spec.selector.matchLabels);
  });

  test('every Secret that it names is in the example', async () => {
    const text = JSON.stringify(await rendered(overlay));
    const secrets = new Map(
      documentsOf(join(kubernetesFolder, 'secrets.example.yaml')).map(({ metadata, stringData }) => [
        metadata.name,
        Object.keys(stringData),
      ]),
    );
    expect(secrets.get('rekindle-tokens')).toEqual(['tokens.yaml']);
    expect(text).toContain('"secretName":"rekindle-tokens"');
    const [, name, key] = /"credentials":\{"key":"([^"]+)","name":"([^"]+)"/.exec(text) ?? [];
    expect(secrets.get(key ?? '')).toEqual([name]);
    if (overlay === 'replicas') expect(secrets.get('rekindle-store')).toEqual(['url']);
  });
});

test('one process at a time has the volume; replicas come before others go', async () => {
  expect(only(await rendered('one-replica'), 'Deployment').spec).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
  const { replicas, strategy } = only(await rendered('replicas'), 'Deployment').spec;
  expect([replicas, strategy.rollingUpdate]).toEqual([3, { maxSurge: 1, maxUnavailable: 0 }]);
});

test('the components: without a ServiceMonitor, and with a sidecar', async () => {
  const resources = await renderedWith('replicas', ['without-service-monitor', 'in-mesh']);
  expect(resources.flatMap(check)).toEqual([]);
  expect(resources.filter(({ kind }) => kind === 'ServiceMonitor')).toEqual([]);
  const labels = only(resources, 'Deployment').spec.template.metadata.labels;
  expect(labels['sidecar.istio.io/inject']).toBe('true');
  const { env } = only(resources, 'Deployment').spec.template.spec.containers[0];
  expect(env).toContainEqual({ name: 'REKINDLE_NODES_PER_ADDRESS', value: '0' });
  const policies = resources.filter(({ kind }) => kind === 'NetworkPolicy');
  expect(policies).toHaveLength(2);
  for (const { spec } of policies) expect(labels).toMatchObject(spec.podSelector.matchLabels);
});

test('the example of the Secrets fits its schema, and the control plane refuses to start on its tokens', async () => {
  const secrets = documentsOf(join(kubernetesFolder, 'secrets.example.yaml'));
  expect(secrets.flatMap(check)).toEqual([]);
  const folder = await mkdtemp(join(tmpdir(), 'rekindle-secrets-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'tokens.yaml'), secrets[0].stringData['tokens.yaml']);
  const read = readTokenFile(join(folder, 'tokens.yaml'));
  expect('problems' in read ? read.problems.length : 0).toBe(3);
});

test("the module's ConfigMap holds the module to the byte, under the name that manifests look for", async () => {
  const module = join(projectRoot, 'build/rekindle.wasm');
  const configMap = await renderedFilter(module);
  expect(check(configMap)).toEqual([]);
  expect(configMap.metadata.name).toBe(`rekindle-filter-${FILTER_VERSION}`);
  const [key = ''] = Object.keys(configMap.binaryData);
  expect(key).toBe(`rekindle-${FILTER_SHA256.slice(0, 12)}.wasm`);
  expect(Buffer.from(configMap.binaryData[key], 'base64').equals(readFileSync(module))).toBe(true);
  expect(JSON.stringify(configMap).length).toBeLessThan(1024 * 1024); // more no object of Kubernetes may have
});

test("the module's image has nothing but plugin.wasm at its root", () => {
  const lines = readFileSync(join(kubernetesFolder, 'filter/Dockerfile'), 'utf8').split('\n');
  expect(lines.filter((line) => line !== '' && !line.startsWith('#'))).toEqual(['FROM scratch', 'COPY rekindle.wasm ./plugin.wasm']);
});

const manifests = readdirSync(join(projectRoot, 'envoy/istio')).filter((name) => name.endsWith('.yaml') && !name.endsWith('-patch.yaml'));
test.each(manifests)('envoy/istio/%s fits the schemas of its kinds', (name) => {
  expect(documentsOf(join(projectRoot, 'envoy/istio', name)).flatMap(check)).toEqual([]);
});

test.each(['workload-patch', 'gateway-patch'])('envoy/istio/%s.yaml makes a Deployment that fits its schema', (name) => {
  const [patch] = documentsOf(join(projectRoot, `envoy/istio/${name}.yaml`));
  const { metadata, spec = { containers: [{ name: 'app', image: 'app' }] } } = patch.spec.template;
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'shop' },
    spec: { selector: { matchLabels: { app: 'shop' } }, template: { metadata, spec } },
  };
  expect(check(deployment)).toEqual([]);
});

test.each([
  [
    'a misspelt member',
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {},
      spec: { selector: {}, template: { spec: { containers: [{ name: 'a', readinesProbe: {} }] } } },
    },
  ],
  [
    'a misspelt member of a custom resource',
    { apiVersion: 'monitoring.coreos.com/v1', kind: 'ServiceMonitor', metadata: { name: 'a', namespace: 'b' }, spec: { endpints: [] } },
  ],
  ['an unknown kind', { apiVersion: 'v1', kind: 'Pot' }],
])('the check finds %s', (_, resource) => {
  expect(check(resource)).not.toEqual([]);
});
