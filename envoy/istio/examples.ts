import { VERSION } from '../../control-plane/version.gen.ts';

/** The manifests of envoy/istio/, by file name: options as a person would write them. */
const sparePool = 'outbound|80||recommendations-fallback.demo.svc.cluster.local';

const catalog = {
  name: 'catalog',
  routes: [{ methods: ['GET', 'HEAD'], path: { template: '/catalog/items/{id}' } }],
  fallback: [{ stale: { maxStaleMs: 600_000 } }, { static: { status: 200, contentType: 'application/json', body: '{"item":null}' } }],
};
const checkout = {
  name: 'checkout',
  routes: [{ path: { prefix: '/checkout' } }],
  fallback: [{ static: { status: 503, headers: { 'retry-after': '5' }, body: 'Please try again.' } }],
};
const recommendations = {
  name: 'recommendations',
  routes: [{ methods: ['GET'], path: { prefix: '/recommendations' } }],
  fallback: [
    { cluster: { name: sparePool, timeoutMs: 500 } },
    { static: { status: 200, contentType: 'application/json', body: '{"recommended":[]}' } },
  ],
};

const shop = { service: 'shop', policy: { service: 'shop', features: [catalog, checkout, recommendations] } };
const payments = {
  service: 'payments',
  hosts: ['payments.example.com'],
  policy: {
    service: 'payments',
    features: [
      {
        name: 'charge',
        routes: [{ methods: ['POST'], path: { prefix: '/v1/charges' } }],
        failure: { slowMs: 3000 },
        fallback: [{ static: { status: 503, headers: { 'retry-after': '10' }, body: 'Nothing was charged.' } }],
      },
    ],
  },
};
const rates = {
  service: 'rates',
  hosts: ['rates.demo.svc.cluster.local', 'rates.demo', 'rates'],
  policy: { service: 'rates', features: [{ name: 'rates', routes: [{ path: { prefix: '/' } }], fallback: [{ stale: {} }] }] },
};

const inbound = { context: 'inbound', namespace: 'demo', labels: { app: 'shop' }, services: [shop], fallbackClusters: [sparePool] };
const outbound = { context: 'outbound', namespace: 'demo', labels: { app: 'shop' }, services: [payments, rates] };
const gateway = {
  context: 'gateway',
  namespace: 'istio-ingress',
  labels: { istio: 'ingressgateway' },
  services: [{ ...shop, hosts: ['shop.example.com'] }],
  fallbackClusters: [sparePool],
};

const image = {
  delivery: 'ecds-oci',
  url: `oci://registry.example.com/rekindle/filter:${VERSION}`,
  sha256: '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae',
};
const download = { delivery: 'ecds-http', url: `https://downloads.example.com/rekindle/rekindle-${VERSION}.wasm` };
const outside = { controlPlane: 'added-cluster', controlPlaneHost: 'rekindle.example.com', controlPlanePort: 443, controlPlaneTls: true };

export const ISTIO_EXAMPLES: Readonly<Record<string, object>> = {
  'envoyfilter-inbound': inbound,
  'envoyfilter-inbound-oci': { ...inbound, ...image },
  'envoyfilter-inbound-http': { ...inbound, ...download },
  'envoyfilter-outbound': outbound,
  'envoyfilter-outbound-oci': { ...outbound, ...image },
  'envoyfilter-outbound-added-cluster': { ...outbound, ...outside },
  'envoyfilter-gateway': gateway,
  'envoyfilter-gateway-before-cors': { ...gateway, place: 'before-cors' },
  'envoyfilter-gateway-http': { ...gateway, ...download },
  'wasmplugin-inbound': { ...inbound, kind: 'WasmPlugin' },
  'wasmplugin-gateway-oci': { ...gateway, kind: 'WasmPlugin', ...image },
  'trafficextension-inbound': { ...inbound, kind: 'TrafficExtension' },
  'trafficextension-gateway-oci': { ...gateway, kind: 'TrafficExtension', ...image },
};

/** Patches of workloads, by file name: they differ with the place of the proxy only. */
export const WORKLOAD_EXAMPLES: Readonly<Record<string, object>> = { 'workload-patch': inbound, 'gateway-patch': gateway };
