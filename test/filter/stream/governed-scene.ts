import type { Flag } from '../../../control-plane/contract/directive.ts';
import { feature, type Json, QUICK, type Scene, type SceneInit, scene } from './scene.ts';

/** A proxy in contact with the fleet, whose feature `catalog` has this flag and ramps locally over 10 s. */
export function connected(flag: Partial<Flag> | null = null, policy: Json = {}, init: SceneInit = {}): Scene {
  const it = scene({ connected: true, policy: null, ...init });
  const features = [feature('catalog', { breaker: { ...QUICK, rampMs: 10_000 } })];
  const flags: Flag[] = flag === null ? [] : [{ feature: 'catalog', step: 1, state: 'ENABLED', admit: 10_000, by: 'recovery', ...flag }];
  it.fleet.publish('shop', { policy: { service: 'shop', features, ...policy }, flags });
  it.advance(1000);
  return it;
}
