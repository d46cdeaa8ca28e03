import { DEGRADED_REASONS } from '../../control-plane/contract/metrics.ts';
import { JITTERS, MODES, PROTOCOLS } from '../../control-plane/contract/names.ts';
import type { PluginConfiguration } from '../../control-plane/contract/plugin-configuration.ts';
import type { Feature, Policy } from '../../control-plane/contract/policy.ts';

type Mode = (typeof MODES)[number];

/** What the filter should have understood of a policy, in the words of filter/domain/policy.ts. */
export function understoodPolicy({ service, mode, governance, recovery, features }: Policy) {
  const { staleAfterMs, reportMs, quietReportMs } = governance;
  return {
    service,
    staleAfterMs,
    reportMs,
    quietReportMs,
    fleetScope: recovery.scope === 'fleet',
    probesInFlight: recovery.probesInFlight,
    features: features.map((feature) => understoodFeature(feature, mode)),
  };
}

function understoodFeature(feature: Feature, policyMode: Mode) {
  const { halfOpen, jitter, ...breaker } = feature.breaker;
  return {
    name: feature.name,
    mode: Math.max(MODES.indexOf(feature.mode ?? 'enforce'), MODES.indexOf(policyMode)),
    stickyHeader: feature.stickyKey?.header ?? '',
    stickyCookie: feature.stickyKey?.cookie ?? '',
    protocol: PROTOCOLS.indexOf(feature.protocol),
    failure: {
      ...feature.failure,
      grpcStatuses: feature.failure.grpcStatuses.reduce((bits, status) => bits | (1 << status), 0),
      slowMs: feature.protocol === 'http' || feature.failure.slowStreams ? (feature.failure.slowMs ?? 0) : 0,
    },
    routes: feature.routes.map(({ host = '', methods = [], path }) => ({
      host,
      methods,
      kind: path.exact !== undefined ? 0 : path.prefix !== undefined ? 1 : 2,
      path: path.exact ?? path.prefix ?? path.template,
    })),
    breaker: {
      ...breaker,
      jitter: JITTERS.indexOf(jitter),
      probes: halfOpen.probes,
      probeSuccessPercent: halfOpen.successPercent,
      probeTimeoutMs: halfOpen.timeoutMs,
    },
    fallback: feature.fallback.map(understoodRung),
    probe: feature.probe?.request ? { ...feature.probe.request, authority: feature.probe.request.authority ?? '' } : null,
    fallbackTimeoutMs: feature.fallbackTimeoutMs,
  };
}

const NO_RUNG = {
  maxStaleMs: 0,
  refreshMs: 0,
  queryParameters: [],
  varyHeaders: [],
  cluster: '',
  timeoutMs: 0,
  status: 0,
  contentTypes: [],
  headerNames: [],
  headerValues: [],
  bodies: [],
};

function understoodRung({ stale, cluster, static: reply }: Feature['fallback'][number]) {
  const { causes, ...rung } = stale ?? cluster ?? reply ?? {};
  const reasons = causes?.reduce((bits, cause) => bits + 2 ** DEGRADED_REASONS.indexOf(cause), 0) ?? 2 ** 32 - 1;
  if (stale) return { ...NO_RUNG, ...rung, kind: 0, reasons };
  if (cluster) return { ...NO_RUNG, kind: 1, reasons, cluster: cluster.name, timeoutMs: cluster.timeoutMs };
  const { headers = {}, status, contentType, body, representations = [] } = reply ?? {};
  const all = representations.length > 0 ? representations : [{ contentType, body }];
  return {
    ...NO_RUNG,
    kind: 2,
    reasons,
    status,
    contentTypes: all.map((one) => one.contentType),
    bodies: all.map((one) => one.body),
    headerNames: Object.keys(headers),
    headerValues: Object.values(headers),
  };
}

/** What the filter should have understood of a plugin configuration. */
export function understoodConfiguration({ mode, services, controlPlane, cache, fallbackClusters, probeClusters }: PluginConfiguration) {
  return {
    mode: MODES.indexOf(mode),
    services: services.map(({ service, hosts = [], clusters = [], policy }) => ({
      service,
      hosts,
      clusters,
      policy: policy ? understoodPolicy(policy) : null,
    })),
    controlPlane: controlPlane ? { ...controlPlane, token: controlPlane.token ?? '' } : null,
    cacheEntries: cache.entries,
    cacheMaxBodyBytes: cache.maxBodyBytes,
    cacheShared: cache.shared,
    fallbackClusters,
    probeClusters,
  };
}
