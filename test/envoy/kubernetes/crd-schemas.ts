/**
 * Closed schemas of what we use of the custom resources of others: narrower than their CRDs, so that a misspelt member is found, which the API
 * server would drop. Members and values after the CRDs of Istio 1.31 (networking.istio.io, extensions.istio.io) and of the Prometheus operator
 * 0.93 (monitoring.coreos.com).
 */
const text = { type: 'string' };
const texts = { type: 'object', minProperties: 1, additionalProperties: text };
const count = { type: 'integer', minimum: 1, maximum: 65_535 };
const one = (...words: string[]) => ({ enum: words });
const object = (properties: object, required: readonly string[] = Object.keys(properties)) => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required,
});
const list = (items: object) => ({ type: 'array', minItems: 1, items });

const metadata = object({ name: text, namespace: text, labels: texts, annotations: texts }, ['name', 'namespace']);
const resource = (apiVersion: string, kind: string, spec: object) =>
  object({ apiVersion: { const: apiVersion }, kind: { const: kind }, metadata, spec });

const filter = object({ name: text, subFilter: object({ name: text }) }, ['name']);
const patch = object(
  {
    applyTo: one('HTTP_FILTER', 'NETWORK_FILTER', 'CLUSTER', 'HTTP_ROUTE', 'EXTENSION_CONFIG'),
    match: object(
      {
        context: one('SIDECAR_INBOUND', 'SIDECAR_OUTBOUND', 'GATEWAY'),
        listener: object({ portNumber: count, filterChain: object({ filter }) }, ['filterChain']),
      },
      ['context'],
    ),
    // The value is Envoy's, which looks at it itself in test/e2e/istio.
    patch: object({ operation: one('MERGE', 'ADD', 'INSERT_BEFORE', 'INSERT_FIRST'), value: { type: 'object' } }),
  },
  ['applyTo', 'match', 'patch'],
);

const wasm = {
  url: { type: 'string', pattern: '^(file|oci|https?)://' },
  sha256: { type: 'string', pattern: '^[a-f0-9]{64}$' },
  pluginName: text,
  failStrategy: one('FAIL_CLOSE', 'FAIL_OPEN', 'FAIL_RELOAD'),
  pluginConfig: { type: 'object' },
};
const selected = {
  selector: object({ matchLabels: texts }),
  match: list(object({ mode: one('CLIENT', 'SERVER', 'CLIENT_AND_SERVER'), ports: list(object({ number: count })) }, ['mode'])),
};

const endpoint = object({
  port: text,
  path: text,
  interval: { type: 'string', pattern: '^[0-9]+s$' },
  authorization: object({ type: text, credentials: object({ name: text, key: text }) }),
});

export const CRD_SCHEMAS: Readonly<Record<string, object>> = {
  EnvoyFilter: resource(
    'networking.istio.io/v1alpha3',
    'EnvoyFilter',
    object({ workloadSelector: object({ labels: texts }), configPatches: list(patch) }),
  ),
  WasmPlugin: resource('extensions.istio.io/v1alpha1', 'WasmPlugin', object({ ...selected, ...wasm })),
  TrafficExtension: resource('extensions.istio.io/v1alpha1', 'TrafficExtension', object({ ...selected, wasm: object(wasm) })),
  ServiceMonitor: resource(
    'monitoring.coreos.com/v1',
    'ServiceMonitor',
    object({ selector: object({ matchLabels: texts }), endpoints: list(endpoint) }),
  ),
};
