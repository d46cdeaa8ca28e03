import { connectionManagers, isSelected, type Json, type MeshProxy } from './istiod.ts';

const WASM = 'type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm';

/** Does to a proxy what istiod and the agent do with a WasmPlugin or a TrafficExtension without a phase; `image` is the module that an oci:// one brings. */
export function applyExtension({ kind, metadata, spec }: Json, proxy: MeshProxy, image: string): void {
  const { selector, match, ...rest } = spec;
  if (!isSelected(metadata.namespace, selector.matchLabels, proxy)) return;
  const { url, pluginName, failStrategy, pluginConfig } = kind === 'WasmPlugin' ? rest : rest.wasm;
  const config = {
    name: `${metadata.namespace}.${metadata.name}`,
    root_id: pluginName,
    failure_policy: failStrategy,
    configuration: { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: JSON.stringify(pluginConfig) },
    vm_config: {
      runtime: 'envoy.wasm.runtime.v8',
      code: { local: { filename: url.startsWith('oci:') ? image : url.replace(/^file:\/\//, '') } },
    },
  };
  const modes = match.map(({ mode }: Json) => mode);
  for (const { context, listener } of proxy.listeners) {
    if (!modes.includes(context === 'SIDECAR_INBOUND' ? 'SERVER' : 'CLIENT')) continue;
    for (const { http_filters } of connectionManagers(listener)) {
      const at = http_filters.findIndex(({ name }: Json) => name === 'envoy.filters.http.grpc_stats');
      http_filters.splice(at, 0, { name: config.name, typed_config: { '@type': WASM, config } });
    }
  }
}
