import type { PluginJson } from '../../envoy/demo/envoy-configuration.ts';

/** A plugin configuration that needs no control plane: the service `shop` with this inline policy. */
export function standAlone(policy: object): (configuration: PluginJson) => PluginJson {
  return ({ controlPlane: _, ...configuration }) => ({ ...configuration, services: [{ service: 'shop', policy }] });
}

/** As the example has it, with this inline policy (none: the built-in breaker over the whole service). */
export function withControlPlane(policy?: object): (configuration: PluginJson) => PluginJson {
  return (configuration) => ({ ...configuration, services: [{ service: 'shop', ...(policy === undefined ? {} : { policy }) }] });
}

/** A policy with the one feature `catalog`, its breaker as given, and a static reply of status 200. */
export function catalogPolicy(breaker: object): { service: string; features: object[] } {
  return {
    service: 'shop',
    features: [
      {
        name: 'catalog',
        routes: [{ path: { template: '/catalog/items/{id}' } }],
        breaker,
        fallback: [{ static: { status: 200, body: 'standing in' } }],
      },
    ],
  };
}
