import type { Policy } from '../contract/policy.ts';
import type { Problem } from '../contract/problem.ts';

/** Clusters of a policy that the plugin configuration does not allow: the filter refuses such a configuration, and Envoy its listener. */
export function clusterProblems(
  { features }: Policy,
  allowed: { readonly fallbackClusters: readonly string[]; readonly probeClusters: readonly string[] },
): Problem[] {
  return features.flatMap(({ fallback, probe }, index) => {
    const rungs = fallback.flatMap((rung, place) =>
      rung.cluster === undefined || allowed.fallbackClusters.includes(rung.cluster.name)
        ? []
        : [{ path: `features[${index}].fallback[${place}].cluster.name`, reason: `${rung.cluster.name} must be one of fallbackClusters` }],
    );
    const probed = probe?.request?.cluster;
    if (probed === undefined || allowed.probeClusters.includes(probed)) return rungs;
    return [...rungs, { path: `features[${index}].probe.request.cluster`, reason: `${probed} must be one of probeClusters` }];
  });
}
