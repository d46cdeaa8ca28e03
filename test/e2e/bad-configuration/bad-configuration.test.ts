import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loopback, type PluginJson } from '../../../envoy/demo/envoy-configuration.ts';
import { launchEnvoy } from '../../../envoy/demo/envoy-process.ts';
import { freePort } from '../../../envoy/demo/ports.ts';
import { projectRoot } from '../../../scripts/project-root.ts';
import { findEnvoy } from '../../../scripts/servers.ts';

type Feature = Record<string, unknown>;

/** The example's plugin configuration with its inline policy's features changed. */
const features =
  (change: (features: [Feature, Feature, Feature]) => void) =>
  (configuration: PluginJson): PluginJson => {
    const [service] = configuration.services;
    if (service === undefined) throw new Error('the example has no service');
    change((service.policy as { features: [Feature, Feature, Feature] }).features);
    return configuration;
  };

const cases: { name: string; plugin: (configuration: PluginJson) => unknown; says: RegExp }[] = [
  { name: 'text that is no JSON', plugin: () => '{"mode": enforce}', says: /mode expected a value at byte 9/ },
  { name: 'protobuf bytes of a Struct', plugin: () => '\n\u0011\n\u0004mode', says: /StringValue/ },
  { name: 'an unknown member', plugin: (configuration) => ({ ...configuration, modus: 'enforce' }), says: /modus/ },
  { name: 'a wrong type', plugin: (configuration) => ({ ...configuration, services: 'shop' }), says: /services/ },
  {
    name: 'a duplicate feature',
    plugin: features(([first, second]) => Object.assign(second, { name: first['name'] })),
    says: /services\[0\]\.policy\.features\[1\]\.name/,
  },
  {
    name: 'an unknown dependency',
    plugin: features(([first]) => Object.assign(first, { dependsOn: [{ feature: 'basket' }] })),
    says: /services\[0\]\.policy\.features\[0\]\.dependsOn\[0\]\.feature.*basket/,
  },
  {
    name: 'a dependency cycle',
    plugin: features(([first, second]) => {
      Object.assign(first, { dependsOn: [{ feature: 'checkout' }] });
      Object.assign(second, { dependsOn: [{ feature: 'catalog' }] });
    }),
    says: /dependsOn\[0\]\.feature.*cycle/,
  },
  {
    name: 'thresholds that contradict each other',
    plugin: features(([first]) => Object.assign(first, { health: { degradedPercent: 60, unhealthyPercent: 50 } })),
    says: /services\[0\]\.policy\.features\[0\]\.health/,
  },
  {
    name: 'a cluster that is not allowed',
    plugin: features(([first]) => Object.assign(first, { fallback: [{ cluster: { name: 'somewhere-else' } }] })),
    says: /fallback\[0\]\.cluster\.name.*/,
  },
  {
    name: 'several wrong members, all named at once',
    plugin: features(([first, second]) => {
      Object.assign(first, { breaker: { openMs: -1 } });
      Object.assign(second, { priority: 'high' });
    }),
    says: /features\[0\]\.breaker\.openMs.*features\[1\]\.priority/,
  },
  {
    name: 'ten megabytes',
    plugin: features(([first]) => Object.assign(first, { description: 'x'.repeat(10 * 1024 * 1024) })),
    says: /1048576|1 MiB|too (large|long|big)/,
  },
];

test.for(cases)('Envoy refuses $name, and the log names place and reason', async ({ plugin, says }) => {
  const { exitCode, log } = await bootEnvoy(plugin);
  expect(exitCode).not.toBe(0);
  const lines = log.split('\n').filter((line) => line.includes('rekindle') && line.includes('[wasm]'));
  expect(lines.filter((line) => says.test(line)).length, lines.join('\n')).toBeGreaterThan(0);
  expect(log).not.toMatch(/abort|unreachable|Function: .* failed/i);
});

/** Starts Envoy on a plugin configuration that it must refuse, and waits for its end. */
async function bootEnvoy(plugin: (configuration: PluginJson) => unknown): Promise<{ exitCode: number | null; log: string }> {
  const { path } = await findEnvoy();
  const folder = await mkdtemp(join(tmpdir(), 'rekindle-e2e-'));
  const port = await freePort();
  const envoy = await launchEnvoy(path, folder, {
    nodeId: 'refused',
    listenerPort: port,
    adminPort: await freePort(),
    shop: loopback(port),
    fallback: loopback(port),
    controlPlanes: [loopback(port)],
    module: join(projectRoot, 'build/rekindle.wasm'),
    plugin,
  });
  const deadline = setTimeout(() => envoy.kill(), 10_000);
  const { code } = await envoy.exited;
  clearTimeout(deadline);
  const log = await readFile(envoy.logFile, 'utf8');
  await rm(folder, { recursive: true });
  return { exitCode: code, log };
}
