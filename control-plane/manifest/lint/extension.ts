import { error, type Finding, type Json, type Keys, objectAt, textAt, warning } from './finding.ts';
import { lintPlugin } from './plugin-text.ts';

/** What Istio accepts in silence of a WasmPlugin or a TrafficExtension with the filter. */
export function lintExtension(document: Json): Finding[] {
  const isPlugin = textAt(document, 'kind') === 'WasmPlugin';
  const keys: Keys = isPlugin ? ['spec'] : ['spec', 'wasm'];
  const wasm = objectAt(document, ...keys);
  const findings: Finding[] = [];
  const at = (name: string): Keys => [...keys, name];
  if (Object.keys(objectAt(document, 'spec', 'selector', 'matchLabels')).length === 0 && !('targetRefs' in objectAt(document, 'spec'))) {
    const reason = 'without labels every workload of the namespace is patched, in the root namespace every one of the mesh';
    findings.push(warning(['spec', 'selector'], reason, 'select the workload by its labels'));
  }
  const url = textAt(wasm, 'url') ?? '';
  if (!url.startsWith('file:') && !/^[0-9a-f]{64}$/.test(textAt(wasm, 'sha256') ?? '') && !url.includes('@sha256:')) {
    findings.push(error(at('sha256'), 'without the hash any module would do', 'set the hash of the module; of the image with oci://'));
  }
  if (textAt(wasm, 'failStrategy') !== 'FAIL_RELOAD') {
    findings.push(warning(at('failStrategy'), 'after a trap of the module it is not loaded again', 'set FAIL_RELOAD'));
  }
  const match = Array.isArray(objectAt(document, 'spec')['match']) ? (objectAt(document, 'spec')['match'] as Json[]) : [];
  const isInbound = match.length > 0 && match.every((selector) => textAt(selector, 'mode') === 'SERVER');
  if (match.length === 0) {
    findings.push(warning(['spec', 'match'], 'without a mode the filter is on both sides of sidecars', 'set mode SERVER or CLIENT'));
  }
  return [...findings, ...lintPlugin(objectAt(wasm, 'pluginConfig'), at('pluginConfig'), isInbound)];
}
