import { pluginConfiguration } from './plugin-json.ts';
import type { Manifest } from './read.ts';
import { moduleFile } from './wasm-filter.ts';
import { selectedLabels } from './workload.ts';
import type { Note } from './yaml-text.ts';

/** What these two APIs have no field for, whatever Istio's version. */
const CANNOT_SET = [
  'What this API cannot set, and an EnvoyFilter can:',
  '  vm_id: shared data is shared with every other module of the proxy that has none (keys of the filter have a prefix of their own)',
  '  capability_restriction_config: the module may call whatever the host offers',
  '  reload_config: after a trap requests of that worker are refused for 1 s and more, instead of 0.1 s',
  '  the place right before the router: the filter lands further out than fault, cors and the metrics of Istio, so that degraded answers',
  '    lack the headers of CORS and cors sees no preflight that is refused',
  'stream_idle_timeout, the cluster of the control plane and the routes to fallback clusters are the EnvoyFilter below.',
];

/** `spec` of a WasmPlugin or a TrafficExtension. */
export function extensionSpec(manifest: Manifest): object {
  const { kind, context, port } = manifest;
  const match = [{ mode: context === 'inbound' ? 'SERVER' : 'CLIENT', ...(port === undefined ? {} : { ports: [{ number: port }] }) }];
  const selector = { matchLabels: selectedLabels(manifest) };
  const wasm = {
    url: moduleUrl(manifest),
    sha256: manifest.sha256,
    pluginName: 'rekindle',
    failStrategy: 'FAIL_RELOAD',
    pluginConfig: pluginConfiguration(manifest),
  };
  return kind === 'WasmPlugin' ? { selector, match, ...wasm } : { selector, match, wasm };
}

export const extensionHead = (manifest: Manifest): readonly string[] =>
  manifest.kind === 'WasmPlugin'
    ? ['For Istio before 1.30; from there on TrafficExtension takes its place.', '', ...CANNOT_SET]
    : ['For Istio from 1.30; before, use WasmPlugin.', '', ...CANNOT_SET];

export function extensionNotes({ kind, delivery }: Manifest): Note[] {
  const inside = kind === 'WasmPlugin' ? ['spec'] : ['spec', 'wasm'];
  const hash = {
    'local-file': 'Istio compares no hash of a file; the name of the file has its first digits.',
    'ecds-http': 'Of the module.',
    'ecds-oci': 'Of the image, not of the module.',
  }[delivery];
  return [
    { path: ['spec', 'match'], text: 'No phase: the filter lands behind authentication and authorization.' },
    { path: [...inside, 'sha256'], text: hash },
    { path: [...inside, 'pluginConfig'], text: 'Istio makes JSON in a StringValue of it, as the filter wants it.' },
  ];
}

function moduleUrl(manifest: Manifest): string | undefined {
  return manifest.delivery === 'local-file' ? `file://${moduleFile(manifest)}` : manifest.url;
}
