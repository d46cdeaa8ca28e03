import { FILTER_CAPABILITIES } from './filter.gen.ts';
import { pluginConfiguration, readableJson } from './plugin-json.ts';
import type { Manifest } from './read.ts';
import { escaped } from './yaml-text.ts';

/** Name of the HTTP filter, of its ECDS resource and of its VM: ECDS resources of one proxy share one space of names, whatever their context. */
export const filterName = ({ context }: Manifest) => `rekindle-${context}`;

/** Where the module lies in the proxy; its hash in the name ties a manifest to its module. */
export const moduleFile = ({ folder, sha256 }: Manifest) => `${folder.replace(/\/+$/, '')}/rekindle-${sha256.slice(0, 12)}.wasm`;

export const WASM_TYPE = 'type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm';
export const RBAC_TYPE = 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC';

/** Envoy's configuration of the filter. */
export function wasmFilter(manifest: Manifest): object {
  const name = filterName(manifest);
  return {
    '@type': WASM_TYPE,
    config: {
      name,
      root_id: 'rekindle',
      failure_policy: 'FAIL_RELOAD',
      reload_config: { backoff: { base_interval: '0.1s' } },
      capability_restriction_config: {
        allowed_capabilities: Object.fromEntries(FILTER_CAPABILITIES.map((capability) => [capability, {}])),
      },
      vm_config: { vm_id: name, runtime: 'envoy.wasm.runtime.v8', code: code(manifest) },
      configuration: {
        '@type': 'type.googleapis.com/google.protobuf.StringValue',
        value: `${escaped(readableJson(pluginConfiguration(manifest)))}\n`,
      },
    },
  };
}

function code(manifest: Manifest): object {
  const { delivery, url, sha256 } = manifest;
  if (delivery === 'local-file') return { local: { filename: moduleFile(manifest) } };
  return { remote: { http_uri: { uri: url, timeout: '30s', cluster: '_' }, sha256 } };
}

/** What stands beside the members of `wasmFilter`, by the path inside of it. */
export function wasmFilterNotes({ delivery, services }: Manifest): readonly { readonly path: readonly string[]; readonly text: string }[] {
  const explained = [
    {
      path: ['failure_policy'],
      text: 'A trap takes the streams of its worker along, then the next request finds a fresh VM; with the default wait of 1 s others\nwould be refused meanwhile. FAIL_OPEN would leave the filter off on that worker for ever.',
    },
    {
      path: ['capability_restriction_config'],
      text: 'What the module imports and exports, and nothing else. Envoy 1.40 wants this inside vm_config, says so, and obeys it here; the\nIstio releases before would drop it there in silence, and then everything is allowed.',
    },
    {
      path: ['vm_config', 'vm_id'],
      text: 'Keeps the shared data of this filter apart from that of other modules and of its other contexts.',
    },
    {
      path: ['configuration'],
      text: `JSON in a StringValue: a Struct reaches the module as protobuf bytes and is refused. The inline ${services.length > 1 ? 'policies hold' : 'policy holds'} until the\ncontrol plane sends another, and whenever there is none.`,
    },
  ];
  if (delivery === 'local-file') return explained;
  const agent = 'The Istio agent fetches this and hands Envoy a local file; no cluster is used for it.';
  const digest = delivery === 'ecds-oci' ? `${agent}\nsha256 is the digest of the image, not of the module.` : agent;
  return [...explained, { path: ['vm_config', 'code', 'remote'], text: digest }];
}
