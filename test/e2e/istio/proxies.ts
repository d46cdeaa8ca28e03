import { VERSION } from '../../../control-plane/version.gen.ts';
import type { Json, MeshProxy } from './istiod.ts';

export interface Ports {
  /** The declared port of the workload, and one that no Service declares. */
  readonly inbound: number;
  readonly undeclared: number;
  readonly outbound: number;
  readonly gateway: number;
  readonly shop: number;
  readonly fallback: number;
  readonly controlPlane: number;
}

const typed = (type: string, more: object = {}) => ({ '@type': `type.googleapis.com/envoy.${type}`, ...more });
const address = (port: number) => ({ socket_address: { address: '127.0.0.1', port_value: port } });
const router = { name: 'envoy.filters.http.router', typed_config: typed('extensions.filters.http.router.v3.Router') };
/** Istio's own filters are in its build of Envoy only: filters that do nothing hold their places. */
const placeholder = (name: string) => ({ name, typed_config: typed('extensions.filters.http.set_metadata.v3.Config') });

/** The filters of a chain, in Istio's order. */
const httpFilters = (isInbound: boolean): Json[] => [
  placeholder('istio.metadata_exchange'),
  {
    name: 'envoy.filters.http.grpc_stats',
    typed_config: typed('extensions.filters.http.grpc_stats.v3.FilterConfig', { emit_filter_state: true }),
  },
  ...(isInbound ? [] : [placeholder('istio.alpn')]),
  { name: 'envoy.filters.http.fault', typed_config: typed('extensions.filters.http.fault.v3.HTTPFault') },
  { name: 'envoy.filters.http.cors', typed_config: typed('extensions.filters.http.cors.v3.Cors') },
  placeholder('istio.stats'),
  router,
];

function chain(match: object, routes: object, isInbound: boolean): Json {
  const manager = typed('extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: 'http',
    stream_idle_timeout: '0s',
    http_filters: httpFilters(isInbound),
    ...routes,
  });
  return { filter_chain_match: match, filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }] };
}

/** A sidecar of the shop: its inbound side with a chain for the declared port and the one for all others, and one outbound listener. */
export function sidecar(ports: Ports): MeshProxy {
  const inboundRoutes = () => ({
    route_config: {
      name: 'inbound|8080||',
      validate_clusters: false,
      virtual_hosts: [{ name: 'inbound|http|8080', domains: ['*'], routes: [to('inbound|8080||')] }],
    },
  });
  const inbound = {
    name: 'virtualInbound',
    address: address(ports.inbound),
    additional_addresses: [{ address: address(ports.undeclared) }],
    filter_chains: [chain({}, inboundRoutes(), true), chain({ destination_port: ports.inbound }, inboundRoutes(), true)],
  };
  const hosts = ['payments.example.com', 'rates.demo.svc.cluster.local'];
  const outboundRoutes = {
    name: '80',
    virtual_hosts: hosts.map((host) => ({ name: `${host}:80`, domains: [host], routes: [to('outbound|80||shop.demo.svc.cluster.local')] })),
  };
  return {
    namespace: 'demo',
    labels: { app: 'shop', 'rekindle-filter': VERSION },
    listeners: [
      { context: 'SIDECAR_INBOUND', listener: inbound },
      { context: 'SIDECAR_OUTBOUND', listener: named('0.0.0.0_80', ports.outbound, '80') },
    ],
    routes: [{ context: 'SIDECAR_OUTBOUND', configuration: outboundRoutes }],
    clusters: clusters(ports),
    extensions: [],
  };
}

/** An ingress gateway in front of the shop, with a policy of CORS on its route. */
export function gateway(ports: Ports): MeshProxy {
  const corsPolicy = typed('extensions.filters.http.cors.v3.CorsPolicy', {
    allow_origin_string_match: [{ exact: 'https://web.example.com' }],
  });
  const route = { ...to('outbound|80||shop.demo.svc.cluster.local'), typed_per_filter_config: { 'envoy.filters.http.cors': corsPolicy } };
  const configuration = {
    name: 'http.8080',
    virtual_hosts: [{ name: 'shop.example.com:8080', domains: ['shop.example.com'], routes: [route] }],
  };
  return {
    namespace: 'istio-ingress',
    labels: { istio: 'ingressgateway', 'rekindle-filter': VERSION },
    listeners: [{ context: 'GATEWAY', listener: named('0.0.0.0_8080', ports.gateway, 'http.8080') }],
    routes: [{ context: 'GATEWAY', configuration }],
    clusters: clusters(ports),
    extensions: [],
  };
}

const to = (cluster: string): Json => ({ name: 'default', match: { prefix: '/' }, route: { cluster, timeout: '0s' } });

/** A listener whose routes come over RDS. */
function named(name: string, port: number, routeConfiguration: string): Json {
  const rds = { route_config_name: routeConfiguration, config_source: { ads: {}, resource_api_version: 'V3' } };
  return { name, address: address(port), filter_chains: [chain({}, { rds }, false)] };
}

function clusters(ports: Ports): Json[] {
  const local = (name: string, port: number) => ({
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }] },
  });
  return [
    local('inbound|8080||', ports.shop),
    local('outbound|80||shop.demo.svc.cluster.local', ports.shop),
    local('outbound|80||recommendations-fallback.demo.svc.cluster.local', ports.fallback),
    local('outbound|7700||rekindle.rekindle.svc.cluster.local', ports.controlPlane),
  ];
}
