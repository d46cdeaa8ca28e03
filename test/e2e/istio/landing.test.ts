import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { FILTER_CAPABILITIES, FILTER_SHA256 } from '../../../control-plane/manifest/filter.gen.ts';
import { freePort } from '../../../envoy/demo/ports.ts';
import { ISTIO_EXAMPLES } from '../../../envoy/istio/examples.ts';
import { capabilitiesOf } from '../../../scripts/capabilities.ts';
import { findEnvoy } from '../../../scripts/servers.ts';
import { Agent, localised } from './agent.ts';
import { type Context, connectionManagers, type Json, type MeshProxy } from './istiod.ts';
import { gateway, sidecar } from './proxies.ts';
import { applyAll, bootstrapOf, builtModule, folderOfTest, freeIstioPorts, manifestsOf } from './stage.ts';

const run = promisify(execFile);
const contexts: Readonly<Record<string, Context>> = { inbound: 'SIDECAR_INBOUND', outbound: 'SIDECAR_OUTBOUND', gateway: 'GATEWAY' };
const isOurs = ({ name }: Json) => name.includes('rekindle');

/** Both proxies, with an example applied to the namespace of each. */
async function patched(example: string, folder: string): Promise<{ readonly proxies: readonly MeshProxy[]; readonly context: Context }> {
  const ports = await freeIstioPorts();
  const proxies = [sidecar(ports), gateway(ports)];
  const documents = await manifestsOf(example, folder);
  for (const proxy of proxies) applyAll(documents, proxy);
  return { proxies, context: contexts[(ISTIO_EXAMPLES[example] as { context: string }).context]! };
}

describe.each(Object.keys(ISTIO_EXAMPLES))('%s', (example) => {
  test('is once in every HTTP chain of its context, at its place, and nowhere else', async () => {
    const { proxies, context } = await patched(example, await folderOfTest());
    for (const { context: here, listener } of proxies.flatMap(({ listeners }) => listeners)) {
      for (const { http_filters: filters, stream_idle_timeout } of connectionManagers(listener)) {
        const at = filters.findIndex(isOurs);
        expect(filters.filter(isOurs)).toHaveLength(here === context ? 1 : 0);
        expect(stream_idle_timeout).toBe(here === context ? '300s' : '0s');
        if (here === context) expect(filters[at + 1].name).toBe(nextTo(example));
      }
    }
  });

  test('Envoy takes the listeners with it, without a field that it does not know', async () => {
    const folder = await folderOfTest();
    const { proxies, context } = await patched(example, folder);
    const proxy = proxies.find(({ listeners }) => listeners.some((each) => each.context === context))!;
    const { path: envoy } = await findEnvoy();
    inlined(proxy, folder);
    const file = join(folder, 'proxy.json');
    await writeFile(file, await bootstrapOf(proxy, folder, await freePort()));
    const { stdout } = await run(envoy, ['--mode', 'validate', '-c', file, '--log-level', 'error']);
    expect(stdout).toContain('OK');
  });
});

test('Envoy tells of a field that it does not know', async () => {
  const folder = await folderOfTest();
  const { proxies } = await patched('envoyfilter-inbound', folder);
  const [ours] = connectionManagers(proxies[0]!.listeners[0]!.listener)[0].http_filters.filter(isOurs);
  ours.typed_config.config.failure_polcy = 'FAIL_OPEN';
  const file = join(folder, 'wrong.json');
  await writeFile(file, await bootstrapOf(proxies[0]!, folder, await freePort()));
  const { path: envoy } = await findEnvoy();
  await expect(run(envoy, ['--mode', 'validate', '-c', file, '--log-level', 'error'])).rejects.toThrow(/failure_polcy/);
});

test('Envoy holds the module to its list of capabilities, where Istio of every release keeps it', async () => {
  const folder = await folderOfTest();
  const { proxies } = await patched('envoyfilter-inbound', folder);
  for (const { http_filters } of connectionManagers(proxies[0]!.listeners[0]!.listener)) {
    const [{ typed_config }] = http_filters.filter(isOurs);
    delete typed_config.config.capability_restriction_config.allowed_capabilities.proxy_get_shared_data;
  }
  const file = join(folder, 'denied.json');
  await writeFile(file, await bootstrapOf(proxies[0]!, folder, await freePort()));
  const { path: envoy } = await findEnvoy();
  const { stderr } = await run(envoy, ['--mode', 'validate', '-c', file, '--log-level', 'error']);
  expect(stderr).toContain('restricted proxy-wasm capability: proxy_get_shared_data');
});

test('pods without the label of the version, and those of another namespace, stay as they are', async () => {
  const folder = await folderOfTest();
  const ports = await freeIstioPorts();
  const documents = await manifestsOf('envoyfilter-inbound', folder);
  const untouched = JSON.stringify(sidecar(ports));
  for (const change of [{ labels: { app: 'shop' } }, { labels: { app: 'shop', 'rekindle-filter': '0.0.9' } }, { namespace: 'other' }]) {
    const proxy = { ...sidecar(ports), ...change };
    applyAll(documents, proxy);
    expect(JSON.stringify(proxy)).toBe(JSON.stringify({ ...JSON.parse(untouched), ...change }));
  }
});

test('manifests name the module as it is built: its hash and what it needs', async () => {
  const module = await readFile(builtModule);
  expect(createHash('sha256').update(module).digest('hex')).toBe(FILTER_SHA256);
  expect(capabilitiesOf(module)).toEqual(FILTER_CAPABILITIES);
});

function nextTo(example: string): string {
  if (!example.startsWith('envoyfilter')) return 'envoy.filters.http.grpc_stats';
  return example.endsWith('before-cors') ? 'envoy.filters.http.cors' : 'envoy.filters.http.router';
}

/** What is discovered stands in the chain as well, where Envoy looks at it strictly. */
function inlined(proxy: MeshProxy, folder: string): void {
  const agent = new Agent(folder);
  agent.takeOver(proxy);
  agent.deliver(proxy, builtModule);
  for (const manager of proxy.listeners.flatMap(({ listener }) => connectionManagers(listener))) {
    manager.http_filters = manager.http_filters.flatMap((filter: Json) => {
      const found = proxy.extensions.find(({ name }) => filter.config_discovery && name === filter.name);
      return found ? [filter, { name: 'strict', typed_config: localised(found.typed_config, builtModule) }] : [filter];
    });
  }
}
