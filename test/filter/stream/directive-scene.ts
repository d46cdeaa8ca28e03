import { feature, type Json, type Scene, type SceneInit, scene } from './scene.ts';

/** Feature that refuses nothing and answers every failure with its own word, to see which policy is in force. */
export const word = (text: string, name = 'catalog'): Json => feature(name, { fallback: [{ static: { status: 200, body: text } }] });
export const policyWith = (text: string): Json => ({ service: 'shop', features: [word(text)] });
/** Word of the policy that this worker obeys. */
export const inForce = (it: Scene, worker = 0): string => it.bad('/catalog', { worker }).client.body;

/** A proxy that holds its first directive. */
export function connected(init: SceneInit = {}): Scene {
  const it = scene({ connected: true, policy: null, ...init });
  it.fleet.publish('shop', { policy: policyWith('first') });
  it.advance(500);
  return it;
}
