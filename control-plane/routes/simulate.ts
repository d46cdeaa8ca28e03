import { setImmediate as nextTurn } from 'node:timers/promises';
import { DocumentReader } from '../contract/documents.ts';
import { LIMITS } from '../contract/limits.ts';
import { Policy } from '../contract/policy.ts';
import { readPolicy } from '../contract/policy-document.ts';
import { Simulation, SimulationQuery } from '../contract/rest/history.ts';
import { ServicePath } from '../contract/rest/paths.ts';
import { featuresOf } from '../domain/feature.ts';
import { COARSE_KEPT_MS } from '../domain/history/series.ts';
import { DocumentInvalid, listing, ProxyUnknown } from '../errors.ts';
import { scopes } from '../http/guard.ts';
import { type App, answers, type RouteDependencies, ref } from '../http/route.ts';
import { newFilterBreaker } from '../what-if/breaker.ts';
import { caveatsOf } from '../what-if/caveats.ts';
import { simulateFeature } from '../what-if/simulate.ts';

const policy = ref(Policy, 'Policy');

const schema = {
  operationId: 'simulatePolicy',
  summary: 'Ask when a draft policy would have tripped',
  description:
    "Replays what was recorded in the last hour against the draft, with the filter's own breaker, up to the first trip of each feature: " +
    'what comes after it cannot be known. Nothing is changed. Without `node` the traffic of all proxies is taken as that of one.',
  tags: ['policies'],
  params: ServicePath,
  querystring: SimulationQuery,
  body: { content: { 'application/json': { schema: policy }, 'application/yaml': { schema: policy } } },
  response: answers({ 200: Simulation }),
};

export function simulateRoutes(app: App, { fleet }: RouteDependencies): void {
  const reader = new DocumentReader(Policy);
  const options = { schema, config: scopes('read'), bodyLimit: LIMITS.documentBytes };

  app.post('/v1/policies/:service/simulate', options, async (request): Promise<Simulation> => {
    const { service } = request.params;
    const { state } = fleet.found(service);
    const read = readPolicy(reader, request.body, service);
    if ('problems' in read) throw listing(DocumentInvalid, read.problems);
    const node = request.query.node ?? null;
    if (node !== null && !fleet.history.nodes(service).includes(node)) throw new ProxyUnknown(service, node);
    const nowMs = fleet.clock();
    const fromMs = Math.min(Math.max(request.query.sinceMs ?? 0, nowMs - COARSE_KEPT_MS), nowMs);
    const breaker = newFilterBreaker();
    const present = featuresOf(state.policy);
    const features: Simulation['features'] = [];
    for (const draft of read.value.features) {
      const before = present.get(draft.renamedFrom ?? draft.name) ?? null;
      const history = fleet.history.read(service, before?.name ?? draft.name, node, nowMs);
      const { unknown, ...simulated } = simulateFeature(breaker, draft, before, history, fromMs, nowMs);
      features.push({ ...simulated, unknown: [...unknown], caveats: caveatsOf(read.value, draft, before) });
      await nextTurn(); // reports and ticks go on in between
    }
    return { service, node, fromMs, toMs: nowMs, features };
  });
}
