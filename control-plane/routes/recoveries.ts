import { HistoryPage, historyPageOf } from '../contract/rest/pages.ts';
import { RecoveryPath, ServicePath } from '../contract/rest/paths.ts';
import { Because } from '../contract/rest/reasons.ts';
import { RecoverySummary, RecoveryView } from '../contract/rest/recoveries.ts';
import type { Recovery } from '../domain/model.ts';
import { abortRecovery, startRecovery } from '../domain/recovery/commands.ts';
import { RecoveryUnknown, Refused, saying } from '../errors.ts';
import { recoverySummary, running } from '../fleet/views.ts';
import { callerOf, scopes } from '../http/guard.ts';
import { type App, answers, historyQuery, type RouteDependencies, ref } from '../http/route.ts';

const tags = ['recoveries'];
const reads = scopes('read');
const operates = scopes('operate');
const recovery = ref(RecoveryView, 'Recovery');

export function recoveryRoutes(app: App, { fleet, store }: RouteDependencies): void {
  const byId = async (service: string, id: string): Promise<Recovery> => {
    const present = fleet.found(service).state.recovery;
    const found = present?.id === id ? present : await store.recovery(service, id);
    if (!found) throw new RecoveryUnknown(service, id);
    return found;
  };

  const list = {
    operationId: 'listRecoveries',
    summary: 'Recoveries of a service, newest first',
    tags,
    params: ServicePath,
    querystring: HistoryPage,
    response: answers({ 200: historyPageOf(RecoverySummary) }),
  };
  app.get('/v1/services/:service/recoveries', { schema: list, config: reads }, async (request) => {
    const { state } = fleet.found(request.params.service);
    const page = await store.recoveries(state.service, historyQuery(request.query));
    const present = request.query.cursor === undefined ? running(state) : null;
    return { items: [...(present ? [present] : []), ...page.items].map(recoverySummary), next: page.next };
  });

  const start = {
    operationId: 'startRecovery',
    summary: 'Start a recovery',
    description: 'Takes up what is not ENABLED, as after an outage. At most one recovery runs per service.',
    tags,
    params: ServicePath,
    body: ref(Because, 'Because'),
    response: answers({ 201: recovery }),
  };
  app.post('/v1/services/:service/recoveries', { schema: start, config: operates }, async (request, reply) => {
    const { service } = request.params;
    const author = { who: callerOf(request).name, why: request.body.reason };
    const state = await fleet.command(service, callerOf(request).name, (before, nowMs) => startRecovery(before, author, nowMs));
    const started = state.recovery!;
    return reply.code(201).header('location', `/v1/services/${service}/recoveries/${started.id}`).send(started);
  });

  const read = {
    operationId: 'readRecovery',
    summary: 'A recovery with its timeline',
    tags,
    params: RecoveryPath,
    response: answers({ 200: recovery }),
  };
  app.get('/v1/services/:service/recoveries/:id', { schema: read, config: reads }, (request) =>
    byId(request.params.service, request.params.id),
  );

  const abort = {
    operationId: 'abortRecovery',
    summary: 'Abort a recovery',
    description: 'Governance ends; the proxies recover by themselves from where they are.',
    tags,
    params: RecoveryPath,
    body: ref(Because, 'Because'),
    response: answers({ 200: recovery }),
  };
  app.post('/v1/services/:service/recoveries/:id/abort', { schema: abort, config: operates }, async (request) => {
    const { service, id } = request.params;
    await byId(service, id);
    const author = { who: callerOf(request).name, why: request.body.reason };
    await fleet.command(service, callerOf(request).name, (before, nowMs) => {
      if (running(before)?.id !== id) throw saying(new Refused(`the recovery ${id} has ended`), { because: 'recovery-ended' });
      return abortRecovery(before, author, nowMs);
    });
    return byId(service, id);
  });
}
