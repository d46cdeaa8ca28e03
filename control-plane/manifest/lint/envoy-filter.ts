import { nearest } from '../../contract/nearest.ts';
import { RBAC_TYPE } from '../wasm-filter.ts';
import { error, type Finding, type Json, type Keys, listAt, objectAt, textAt, warning } from './finding.ts';
import { isWasm, lintWasm } from './wasm-config.ts';

/** Filters that Istio has in every HTTP chain of a context. */
const ALWAYS = ['envoy.filters.http.router', 'envoy.filters.http.cors', 'envoy.filters.http.fault', 'envoy.filters.http.grpc_stats'];
const ALPN = 'istio.alpn';
/** Filters that are there only where other settings ask for them. */
const SOMETIMES = [
  'istio.metadata_exchange',
  'istio.stats',
  'envoy.filters.http.rbac',
  'envoy.filters.http.jwt_authn',
  'envoy.filters.http.ext_authz',
];
const CONNECTION_MANAGER = 'envoy.filters.network.http_connection_manager';

/** One entry of `configPatches`. */
interface Patch {
  readonly keys: Keys;
  readonly applyTo: string;
  readonly context: string;
  readonly operation: string;
  readonly match: Json;
  readonly value: Json;
}

/** What Istio accepts of an EnvoyFilter in silence although it does not do what it says. */
export function lintEnvoyFilter(document: Json): Finding[] {
  const patches = listAt(document, 'spec', 'configPatches').map(readPatch);
  const findings: Finding[] = [];
  if (Object.keys(objectAt(document, 'spec', 'workloadSelector', 'labels')).length === 0) {
    const reason = 'without labels every workload of the namespace is patched, in the root namespace every one of the mesh';
    findings.push(warning(['spec', 'workloadSelector'], reason, 'select the workload by its labels'));
  }
  const placing = patches.filter(
    ({ applyTo, value }) => applyTo === 'HTTP_FILTER' && (isWasm(objectAt(value, 'typed_config')) || isDiscovery(value)),
  );
  for (const patch of placing) findings.push(...lintPlace(patch), ...lintDiscovery(patch, patches), ...lintIdleTimeout(patch, patches));
  for (const patch of patches) {
    const typedConfig = objectAt(patch.value, 'typed_config');
    if (!isWasm(typedConfig)) continue;
    const isDiscovered = patch.applyTo === 'EXTENSION_CONFIG';
    const keys = [...patch.keys, 'patch', 'value', 'typed_config'];
    findings.push(...lintWasm(typedConfig, { keys, isDiscovered, isInbound: patch.context === 'SIDECAR_INBOUND' }));
  }
  return findings;
}

function readPatch(raw: unknown, index: number): Patch {
  return {
    keys: ['spec', 'configPatches', index],
    applyTo: textAt(raw, 'applyTo') ?? '',
    context: textAt(raw, 'match', 'context') ?? 'ANY',
    operation: textAt(raw, 'patch', 'operation') ?? '',
    match: objectAt(raw, 'match', 'listener'),
    value: objectAt(raw, 'patch', 'value'),
  };
}

const isDiscovery = (value: Json) => Object.keys(objectAt(value, 'config_discovery')).length > 0;

/** Whether the filter lands in a chain, and where in it. */
function lintPlace({ keys, context, operation, match }: Patch): Finding[] {
  const findings: Finding[] = [];
  const filterKeys = [...keys, 'match', 'listener', 'filterChain', 'filter'];
  const subFilter = textAt(match, 'filterChain', 'filter', 'subFilter', 'name');
  if (operation === 'ADD' || (operation === 'INSERT_AFTER' && (subFilter === undefined || subFilter === ALWAYS[0]))) {
    const reason = 'puts the filter behind the router: Envoy rejects the whole listener, while its /ready stays 200';
    findings.push(error([...keys, 'patch', 'operation'], reason, 'use INSERT_BEFORE with subFilter envoy.filters.http.router'));
  }
  const filter = textAt(match, 'filterChain', 'filter', 'name');
  if (filter !== undefined && filter !== CONNECTION_MANAGER) {
    findings.push(error([...filterKeys, 'name'], 'has no HTTP filters: the patch is silently absent', `use ${CONNECTION_MANAGER}`));
  }
  if (context === 'ANY') {
    const reason = 'patches both sides of sidecars, every outbound listener included, and gateways';
    findings.push(warning([...keys, 'match'], `context ANY ${reason}`, 'name SIDECAR_INBOUND, SIDECAR_OUTBOUND or GATEWAY'));
  }
  if (subFilter === undefined) {
    if (operation !== 'INSERT_BEFORE' && operation !== 'INSERT_FIRST') return findings;
    const reason = 'puts the filter first, in front of authentication and of the metrics';
    return [...findings, warning(filterKeys, `${operation} without a subFilter ${reason}`, 'match subFilter envoy.filters.http.router')];
  }
  return [...findings, ...lintSubFilter(subFilter, context, [...filterKeys, 'subFilter', 'name'])];
}

function lintSubFilter(name: string, context: string, keys: Keys): Finding[] {
  const there = context === 'SIDECAR_INBOUND' ? ALWAYS : [...ALWAYS, ALPN];
  if (there.includes(name)) return [];
  if (SOMETIMES.includes(name)) {
    const reason = `${name} is in a chain only where other settings ask for it; elsewhere the filter is silently absent`;
    return [warning(keys, reason, 'match envoy.filters.http.router, which is in every chain')];
  }
  const close = nearest(name, [...there, ...SOMETIMES]);
  const reason = `no chain of Istio has ${name}: no error is told anywhere, the filter is absent`;
  return [error(keys, reason, close === null ? 'match envoy.filters.http.router' : `write ${close}`)];
}

/** Whether what is discovered is there, and whether Envoy takes what the agent puts in its place. */
function lintDiscovery({ keys, value }: Patch, patches: readonly Patch[]): Finding[] {
  if (!isDiscovery(value)) return [];
  const findings: Finding[] = [];
  const name = textAt(value, 'name');
  const types = listAt(value, 'config_discovery', 'type_urls');
  const inside = [...keys, 'patch', 'value'];
  if (!types.includes(RBAC_TYPE)) {
    const reason = 'where the agent cannot fetch the module it hands over an RBAC filter; Envoy refuses it and answers 500 to everything';
    findings.push(error([...inside, 'config_discovery', 'type_urls'], reason, `list ${RBAC_TYPE} too`));
  }
  if (!patches.some((patch) => patch.applyTo === 'EXTENSION_CONFIG' && textAt(patch.value, 'name') === name)) {
    const reason = `no EXTENSION_CONFIG is named ${name}: the listener waits for it`;
    findings.push(error([...inside, 'name'], reason, 'add one by the same name'));
  }
  return findings;
}

function lintIdleTimeout({ context }: Patch, patches: readonly Patch[]): Finding[] {
  const covers = (patch: Patch) => patch.applyTo === 'NETWORK_FILTER' && (patch.context === context || patch.context === 'ANY');
  const timeouts = patches.filter(covers).map(({ value }) => textAt(value, 'typed_config', 'stream_idle_timeout'));
  if (timeouts.some((timeout) => timeout !== undefined && Number.parseFloat(timeout) > 0)) return [];
  const reason = 'stream_idle_timeout is not set, and 0 in sidecars: streams that a trap of the module leaves waiting hang for ever';
  return [warning(['spec', 'configPatches'], reason, 'MERGE one into the connection manager by a NETWORK_FILTER patch')];
}
