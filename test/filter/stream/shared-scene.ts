import { degraded, feature, type Json, QUICK, type Scene, scene } from './scene.ts';

/** A proxy whose catalog serves stale copies and shares them; `rest`: further rungs. */
export function sharing(rung: Json = {}, rest: readonly Json[] = [], configuration: Json = {}): Scene {
  const it = scene({
    connected: true,
    features: [feature('catalog', { breaker: QUICK, fallback: [{ stale: { refreshMs: 1000, ...rung } }, ...rest] })],
    configuration: { cache: { shared: true, ...(configuration['cache'] as Json) } },
  });
  it.advance(200);
  return it;
}

/** Another proxy of the same service, which has seen nothing, on the same copies. */
export function another(first: Scene, ...given: Parameters<typeof sharing>): Scene {
  const it = sharing(...given);
  it.fleet.copies = first.fleet.copies;
  return it;
}

/** A proxy that has stored and shared this page. */
export function sharer(headers: Record<string, string> = {}, body = 'copy', path = '/catalog/1'): Scene {
  const it = sharing();
  it.send({ path }, { headers, body });
  it.advance(200);
  return it;
}

export const puts = (it: Scene): number => it.fleet.copyCalls.filter(({ method }) => method === 'PUT').length;
export const gets = (it: Scene): number => it.fleet.copyCalls.filter(({ method }) => method === 'GET').length;

/** Body of the stale copy that stands in for a failure, once all that is asked for has been answered; null: none does. */
export function served(it: Scene, path = '/catalog/1', waitMs = 10): string | null {
  const stream = it.send({ path }, { status: 503 });
  it.advance(waitMs);
  return degraded(stream)?.rung === 'stale' ? stream.client.body : null;
}
