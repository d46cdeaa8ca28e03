import { FILTER_CAPABILITIES } from '../filter.gen.ts';
import { WASM_TYPE } from '../wasm-filter.ts';
import { error, type Finding, type Json, type Keys, objectAt, textAt, warning } from './finding.ts';
import { unknownFields, WASM_FIELDS } from './known-fields.ts';
import { lintPluginText } from './plugin-text.ts';

const V8 = 'envoy.wasm.runtime.v8';

/** Where a Wasm configuration stands. */
export interface Place {
  readonly keys: Keys;
  readonly isInbound: boolean;
  /** Through ECDS, so that the Istio agent fetches a remote module. */
  readonly isDiscovered: boolean;
}

export const isWasm = (typedConfig: Json) => textAt(typedConfig, '@type') === WASM_TYPE;

/** What is wrong with the filter's own configuration. */
export function lintWasm(typedConfig: Json, { keys, isInbound, isDiscovered }: Place): Finding[] {
  const config = objectAt(typedConfig, 'config');
  const at = (...inner: Keys): Keys => [...keys, 'config', ...inner];
  return [
    ...unknownFields(typedConfig, WASM_FIELDS, keys),
    ...lintFailurePolicy(config, at()),
    ...lintCapabilities(config, at('capability_restriction_config')),
    ...lintVm(objectAt(config, 'vm_config'), at('vm_config')),
    ...lintCode(objectAt(config, 'vm_config', 'code'), at('vm_config', 'code'), isDiscovered),
    ...lintConfiguration(objectAt(config, 'configuration'), at('configuration'), isInbound),
  ];
}

function lintFailurePolicy(config: Json, keys: Keys): Finding[] {
  const policy = textAt(config, 'failure_policy');
  if (policy !== undefined && 'fail_open' in config) {
    return [error([...keys, 'fail_open'], 'together with failure_policy Envoy rejects the listener', 'leave fail_open out')];
  }
  if (policy !== 'FAIL_RELOAD') {
    const then =
      policy === 'FAIL_OPEN' ? 'the filter stays off on that worker for ever' : 'every request of that worker is refused for ever';
    return [warning([...keys, 'failure_policy'], `after a trap of the module ${then}`, 'set FAIL_RELOAD')];
  }
  if (textAt(config, 'reload_config', 'backoff', 'base_interval') !== undefined) return [];
  const reason = 'after a trap Envoy refuses requests for 1 s and more before it reloads';
  return [warning([...keys, 'reload_config'], reason, 'set backoff: { base_interval: 0.1s }')];
}

function lintCapabilities(config: Json, keys: Keys): Finding[] {
  const allowed = Object.keys(objectAt(config, 'capability_restriction_config', 'allowed_capabilities'));
  if (allowed.length === 0)
    return [warning(keys, 'the module may call whatever the host offers', 'list what it needs, as `rekindle manifest` does')];
  const missing = FILTER_CAPABILITIES.filter((name) => !allowed.includes(name));
  if (missing.length === 0) return [];
  return [
    error([...keys, 'allowed_capabilities'], `the module needs ${missing.join(', ')} as well`, 'take the list of `rekindle manifest`'),
  ];
}

function lintVm(vm: Json, keys: Keys): Finding[] {
  const findings: Finding[] = [];
  const runtime = textAt(vm, 'runtime');
  if (runtime !== V8) {
    const reason = `${runtime === undefined ? 'without it' : `with ${runtime}`} Envoy rejects the whole listener, while its /ready stays 200`;
    findings.push(error([...keys, 'runtime'], reason, `set ${V8}`));
  }
  if (!textAt(vm, 'vm_id'))
    findings.push(warning([...keys, 'vm_id'], 'shared data is shared with every other module without one', 'give it an id of its own'));
  return findings;
}

function lintCode(code: Json, keys: Keys, isDiscovered: boolean): Finding[] {
  const remote = objectAt(code, 'remote');
  if (Object.keys(remote).length === 0) {
    if (textAt(code, 'local', 'filename') !== undefined) return [];
    return [error(keys, 'names no module: Envoy rejects the whole listener', 'set local.filename, or remote by ECDS')];
  }
  const findings: Finding[] = [];
  if (!/^[0-9a-f]{64}$/.test(textAt(remote, 'sha256') ?? '')) {
    findings.push(error([...keys, 'remote', 'sha256'], 'without the hash any module would do', 'set the 64 hexadecimal digits of it'));
  }
  if (!isDiscovered) {
    const reason = 'the Istio agent fetches modules for ECDS only: here Envoy fetches it by itself, which it calls unstable';
    findings.push(error([...keys, 'remote'], reason, 'use config_discovery with an EXTENSION_CONFIG, or a local file'));
  }
  return findings;
}

function lintConfiguration(configuration: Json, keys: Keys, isInbound: boolean): Finding[] {
  const type = textAt(configuration, '@type')?.split('/').at(-1);
  if (type !== 'google.protobuf.StringValue') {
    const reason =
      type === undefined
        ? 'the filter has no configuration'
        : `a ${type} does not reach the module as JSON: it refuses it, and Envoy the listener`;
    return [error(keys, reason, 'set @type google.protobuf.StringValue, its value JSON in a block scalar')];
  }
  return lintPluginText(textAt(configuration, 'value') ?? '', [...keys, 'value'], isInbound);
}
