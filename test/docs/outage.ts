import { readFeatures } from '../../envoy/demo/rest.ts';
import type { Stage } from '../../envoy/demo/stage.ts';
import { waitFor } from '../../envoy/demo/wait.ts';

/** The demo's catalog fails, and the fleet has opened it. */
export async function outage(stage: Stage | null): Promise<void> {
  const { shop, ports } = stage!;
  shop.setMode('catalog', { mode: 'fail', status: 503, healthyShare: 0 });
  await waitFor('the fleet to open catalog', async () => (await stateOf(ports.controlPlane)) === 'DISABLED' || null, 60_000, 200);
}

/** It is well again, and back. */
export async function recovered(stage: Stage | null): Promise<void> {
  const { shop, ports } = stage!;
  shop.setMode('catalog', { mode: 'ok' });
  await waitFor('catalog to be back', async () => (await stateOf(ports.controlPlane)) === 'ENABLED' || null, 60_000, 200);
}

async function stateOf(port: number): Promise<string | undefined> {
  return (await readFeatures(port, 'shop')).find(({ name }) => name === 'catalog')?.state;
}
