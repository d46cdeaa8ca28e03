import { HistoryQuery, HistoryView } from '../contract/rest/history.ts';
import { FeaturePath } from '../contract/rest/paths.ts';
import { COARSE_KEPT_MS } from '../domain/history/series.ts';
import { FeatureUnknown } from '../errors.ts';
import { scopes } from '../http/guard.ts';
import { type App, answers, type RouteDependencies } from '../http/route.ts';
import { eventsOf, unknownSpans } from '../what-if/events.ts';

const schema = {
  operationId: 'readHistory',
  summary: 'What a feature did in the last hour',
  description:
    'Kept in memory, so it begins anew with the process. A moment that lies in no window and in no unknown stretch had no traffic.',
  tags: ['services'],
  params: FeaturePath,
  querystring: HistoryQuery,
  response: answers({ 200: HistoryView }),
};

export function historyRoutes(app: App, { fleet }: RouteDependencies): void {
  app.get('/v1/services/:service/features/:feature/history', { schema, config: scopes('read') }, async (request): Promise<HistoryView> => {
    const { service, feature } = request.params;
    const { node, sinceMs } = request.query;
    if (!Object.hasOwn(fleet.found(service).state.features, feature)) throw new FeatureUnknown(service, feature);
    const nowMs = fleet.clock();
    const fromMs = Math.min(Math.max(sinceMs ?? 0, nowMs - COARSE_KEPT_MS), nowMs);
    const history = fleet.history.read(service, feature, node ?? null, nowMs);
    const windows = history.windows.filter(({ atMs, lengthMs }) => atMs + lengthMs > fromMs);
    return {
      service,
      feature,
      node: node ?? null,
      nowMs,
      windows: windows.map(({ atMs, lengthMs, counts, degraded, latency, late }) => {
        return { atMs, lengthMs, ...counts, degraded, latency: [...latency], late };
      }),
      unknown: unknownSpans(eventsOf(history, fromMs, nowMs)),
    };
  });
}
