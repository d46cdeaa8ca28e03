import { nearest } from '../../contract/nearest.ts';
import { camelCase, error, type Finding, type Json, type Keys } from './finding.ts';

/** Fields of Envoy's Wasm configuration, as the releases of Envoy inside Istio 1.27 to 1.31 have them; null: anything may stand inside. */
interface Fields {
  readonly [name: string]: Fields | null;
}

const SOURCE: Fields = {
  local: { filename: null, inline_bytes: null, inline_string: null, environment_variable: null, watched_directory: null },
  remote: { http_uri: { uri: null, cluster: null, timeout: null }, sha256: null, retry_policy: null },
};

export const WASM_FIELDS: Fields = {
  '@type': null,
  config: {
    name: null,
    root_id: null,
    fail_open: null,
    failure_policy: null,
    reload_config: { backoff: { base_interval: null, max_interval: null } },
    configuration: null,
    capability_restriction_config: { allowed_capabilities: null },
    allow_on_headers_stop_iteration: null,
    vm_config: {
      vm_id: null,
      runtime: null,
      code: SOURCE,
      configuration: null,
      allow_precompiled: null,
      nack_on_code_cache_miss: null,
      environment_variables: null,
    },
  },
};

/** Fields that Istio drops without a word. */
export function unknownFields(value: Json, fields: Fields, keys: Keys): Finding[] {
  const names = new Map(Object.keys(fields).flatMap((name) => [[name, name] as const, [camelCase(name), name] as const]));
  return Object.entries(value).flatMap(([name, member]) => {
    const known = names.get(name);
    if (known === undefined) return [unknown(name, Object.keys(fields), [...keys, name])];
    const inner = fields[known];
    if (!inner || typeof member !== 'object' || member === null) return [];
    return unknownFields(member as Json, inner, [...keys, name]);
  });
}

function unknown(name: string, known: readonly string[], keys: Keys): Finding {
  if (name === 'capability_restriction_config') {
    return error(
      keys,
      'Istio up to 1.30 does not know this field here and drops it: then the module may do everything',
      'move it one level up, beside vm_config, where Envoy 1.40 obeys it too',
    );
  }
  const close = nearest(name, known);
  return error(
    keys,
    'is not a field of the Wasm configuration: Istio drops it without a word',
    close === null ? `one of ${known.join(', ')}` : `write ${close}`,
  );
}
