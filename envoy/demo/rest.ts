import type { FeatureView } from '../../control-plane/contract/rest/features.ts';
import type { Recovery } from '../../control-plane/domain/model.ts';

/** The features of a service as the control plane sees them. */
export async function readFeatures(port: number, service: string): Promise<readonly FeatureView[]> {
  const { items } = await getJson<{ items: readonly FeatureView[] }>(port, `/v1/services/${service}/features`);
  return items;
}

/** The latest recovery of a service with its timeline; null when there was none. */
export async function readLatestRecovery(port: number, service: string): Promise<Recovery | null> {
  const { items } = await getJson<{ items: readonly { id: string }[] }>(port, `/v1/services/${service}/recoveries`);
  const latest = items[0];
  return latest === undefined ? null : getJson<Recovery>(port, `/v1/services/${service}/recoveries/${latest.id}`);
}

async function getJson<T>(port: number, path: string): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  if (!response.ok) throw new Error(`GET ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}
