import { expect, test } from 'vitest';
import { DocumentReader } from '../../control-plane/contract/documents.ts';
import { PluginConfiguration } from '../../control-plane/contract/plugin-configuration.ts';
import { Policy } from '../../control-plane/contract/policy.ts';
import { readPolicy } from '../../control-plane/contract/policy-document.ts';
import { shopPolicy } from '../../envoy/demo/demo.ts';
import { deriveEnvoyConfiguration, loopback, type PluginJson } from '../../envoy/demo/envoy-configuration.ts';

test("the demo's policy is one that the control plane accepts", async () => {
  expect(readPolicy(new DocumentReader(Policy), await shopPolicy(), 'shop')).not.toHaveProperty('problems');
});

test('the plugin configuration of envoy.yaml follows the contract, its inline policy too', async () => {
  const configuration = await examplePlugin();
  expect(new DocumentReader(PluginConfiguration).read(configuration)).not.toHaveProperty('problems');
  expect(readPolicy(new DocumentReader(Policy), configuration.services[0]?.policy, 'shop')).not.toHaveProperty('problems');
});

async function examplePlugin(): Promise<PluginJson> {
  let plugin: PluginJson = { services: [] };
  await deriveEnvoyConfiguration({
    nodeId: 'any',
    listenerPort: 1,
    adminPort: 1,
    shop: loopback(1),
    fallback: loopback(1),
    controlPlanes: [loopback(1)],
    module: 'any',
    plugin: (configuration) => {
      plugin = configuration;
      return configuration;
    },
  });
  return plugin;
}
