import type { PendingCall } from '../host/calls.ts';
import type { Route } from '../host/router.ts';
import { feature, type Json, type Scene, type SceneInit, scene } from './scene.ts';

/** The route that the shipped configuration has for each fallback cluster. */
export const ROUTES: readonly Route[] = [
  { name: 'to-spare', cluster: 'spare', header: { name: 'x-rekindle-fallback', value: 'spare' } },
  { name: 'default', cluster: 'upstream' },
];
export const SORRY: Json = { static: { status: 200, body: 'sorry' } };
export const TO_SPARE: Json = { cluster: { name: 'spare', timeoutMs: 500 } };

export interface ClusterScene extends Scene {
  calls: PendingCall[];
}

/** A scene whose feature has this chain, and whose call-outs to `spare` the test answers. */
export function withCluster(chain: readonly Json[] = [TO_SPARE], more: SceneInit = {}): ClusterScene {
  const it = scene({
    features: [feature('catalog', { fallback: chain })],
    configuration: { fallbackClusters: ['spare', 'second'] },
    routes: ROUTES,
    ...more,
  });
  const calls: PendingCall[] = [];
  it.proxy.clusters.set('spare', (call) => calls.push(call));
  it.advance(200);
  return Object.assign(it, { calls });
}
