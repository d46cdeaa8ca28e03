import type { RequestInit } from '../host/proxy.ts';
import type { HttpStream } from '../host/stream.ts';
import type { UpstreamAnswer } from '../host/upstream.ts';
import { degraded, feature, type Json, type Scene, type SceneInit, scene } from './scene.ts';

/** A feature whose only rung is `stale`. */
export const withStale = (rung: Json = {}, more: SceneInit = {}): Scene => {
  const it = scene({ features: [feature('catalog', { fallback: [{ stale: { refreshMs: 1000, ...rung } }] })], ...more });
  // Workers agree on the place of copies once one of them has ticked.
  it.advance(200);
  return it;
};

/** Asks for the one thing that the tests keep copies of. */
export const get = (it: Scene, request: RequestInit, answer: UpstreamAnswer): HttpStream =>
  it.send({ path: '/catalog/1', ...request }, answer);

/** Body of the copy that stands in for a failure; null: none does. */
export const copyServed = (it: Scene, request: RequestInit = {}): string | null => {
  const stream = it.bad('/catalog/1', request);
  return degraded(stream)?.rung === 'stale' ? stream.client.body : null;
};
