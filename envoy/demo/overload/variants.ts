import { join } from 'node:path';
import { projectRoot } from '../../../scripts/project-root.ts';
import { type ListenerPlan, loopbackCluster, rekindleFilter } from '../envoy-listeners.ts';

/** One way to stand between the clients and an upstream that is overloaded. */
export interface Variant {
  readonly name: string;
  readonly listenerPort: number;
  readonly upstreamPort: number;
  /** Name of the service under which Rekindle's metrics stand; null: another mechanism. */
  readonly service: string | null;
  readonly listener: ListenerPlan;
  readonly cluster: object;
}

/** A variant before it has ports. */
export interface VariantPlan {
  readonly name: string;
  readonly service: string | null;
  readonly filters: () => Promise<readonly object[]>;
  /** Members of its cluster. */
  readonly cluster: object;
}

/** Three retries with 1 s each, as many at a time as there are requests: what a mesh ships (Envoy alone allows three at a time). */
const route = { timeout: '5s', retry_policy: { retry_on: '5xx,reset,connect-failure', num_retries: 3, per_try_timeout: '1s' } };
const unlimited = 1_000_000;
const uncapped = { max_connections: unlimited, max_pending_requests: unlimited, max_requests: unlimited, max_retries: unlimited };

const noFilters = async (): Promise<readonly object[]> => [];
const uncappedCluster = { circuit_breakers: { thresholds: [uncapped] } };

export const bareEnvoy: VariantPlan = { name: 'Envoy with retries', service: null, filters: noFilters, cluster: uncappedCluster };

/** Ejects the one host after five timeouts in a row. Without the panic threshold Envoy would go on sending to it all the same. */
const outlierDetection: VariantPlan = {
  name: 'outlier detection',
  service: null,
  filters: noFilters,
  cluster: {
    ...uncappedCluster,
    outlier_detection: {
      consecutive_5xx: 5,
      interval: '1s',
      base_ejection_time: '2s',
      max_ejection_time: '10s',
      max_ejection_percent: 100,
    },
    common_lb_config: { healthy_panic_threshold: { value: 0 } },
  },
};

/** Twice as many requests at a time as the upstream has in health, and three retries. */
const concurrencyCaps: VariantPlan = {
  name: 'circuit_breakers caps',
  service: null,
  filters: noFilters,
  cluster: { circuit_breakers: { thresholds: [{ max_connections: 30, max_pending_requests: 30, max_requests: 30, max_retries: 3 }] } },
};

/** Rejects by the share of failures of the last seconds; slow answers are none of its business. */
export const admissionControlFilter = {
  name: 'admission_control',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.admission_control.v3.AdmissionControl',
    enabled: { default_value: true, runtime_key: 'admission_control.enabled' },
    success_criteria: { http_criteria: { http_success_status: [{ start: 100, end: 500 }] } },
    sampling_window: '5s',
    max_rejection_probability: { default_value: { value: 95 }, runtime_key: 'admission_control.max_rejection' },
  },
};

const admissionControl: VariantPlan = {
  name: 'admission_control',
  service: null,
  filters: async () => [admissionControlFilter],
  cluster: uncappedCluster,
};

/** Rekindle with the policy inline; `controlPlane` adds the control plane beside it. */
export function rekindleVariant(policy: object, controlPlane: boolean): VariantPlan {
  const service = controlPlane ? 'shop' : 'shop-alone';
  const plugin = {
    mode: 'enforce',
    cache: { entries: 256, maxBodyBytes: 65_536 },
    services: [{ service, policy: { ...policy, service } }],
    ...(controlPlane ? { controlPlane: { cluster: 'rekindle-control-plane', authority: 'rekindle' } } : {}),
  };
  return {
    name: controlPlane ? 'Rekindle, control plane' : 'Rekindle, policy alone',
    service,
    filters: async () => [await rekindleFilter({ name: service, module: join(projectRoot, 'build/rekindle.wasm'), plugin })],
    cluster: uncappedCluster,
  };
}

/** All that stand side by side. */
export function allVariants(policy: object): VariantPlan[] {
  const rekindle = [rekindleVariant(policy, false), rekindleVariant(policy, true)];
  return [bareEnvoy, outlierDetection, concurrencyCaps, admissionControl, ...rekindle];
}

/** Gives a variant its listener, and a cluster for an upstream of its own. */
export async function placeVariant(plan: VariantPlan, index: number, listenerPort: number, upstreamPort: number): Promise<Variant> {
  const cluster = `upstream-${index}`;
  const virtualHost = { routes: [{ match: { prefix: '/' }, route: { cluster, ...route } }], include_request_attempt_count: true };
  return {
    name: plan.name,
    service: plan.service,
    listenerPort,
    upstreamPort,
    listener: { name: `variant-${index}`, port: listenerPort, virtualHost, filters: await plan.filters() },
    cluster: loopbackCluster(cluster, upstreamPort, plan.cluster),
  };
}
