import type { FastifyReply, FastifyRequest } from 'fastify';
import { HistoryPage, historyPageOf } from '../contract/rest/pages.ts';
import { RecoveryPath, ServicePath } from '../contract/rest/paths.ts';
import { WriteConditions } from '../contract/rest/policies.ts';
import { Because } from '../contract/rest/reasons.ts';
import { InterventionRequest, PauseRequest, RecoverySummary, RecoveryView, StartRecoveryRequest } from '../contract/rest/recoveries.ts';
import type { Recovery, Refusal, ServiceState, StepResult } from '../domain/model.ts';
import type { Author } from '../domain/overrides.ts';
import { abortRecovery, startRecovery } from '../domain/recovery/commands.ts';
import { pauseRecovery, resumeRecovery } from '../domain/recovery/pause.ts';
import { promote } from '../domain/recovery/promote.ts';
import { rollBack } from '../domain/recovery/rollback.ts';
import { RecoveryUnknown, Refused, saying } from '../errors.ts';
import { recoveryDetail, recoverySummary, running } from '../fleet/views.ts';
import { recoveryEtag, requireMatch } from '../http/etag.ts';
import { callerOf, scopes } from '../http/guard.ts';
import { type App, answers, historyQuery, type RouteDependencies, ref } from '../http/route.ts';

const tags = ['recoveries'];
const reads = scopes('read');
const operates = scopes('operate');
const recovery = ref(RecoveryView, 'Recovery');
const path = '/v1/services/:service/recoveries';

/** What a person's request does to a running recovery. */
type Command = (state: ServiceState, author: Author, nowMs: number) => StepResult | Refusal;

/** A request to step in, as far as all of them are alike. */
type SteppingIn = FastifyRequest & {
  readonly params: { readonly service: string; readonly id: string };
  readonly body: { readonly reason: string };
};

export function recoveryRoutes(app: App, { fleet, store }: RouteDependencies): void {
  const byId = async (service: string, id: string): Promise<Recovery> => {
    const present = fleet.found(service).state.recovery;
    const found = present?.id === id ? present : await store.recovery(service, id);
    if (!found) throw new RecoveryUnknown(service, id);
    return found;
  };
  const send = (reply: FastifyReply, service: string, found: Recovery) =>
    reply.header('etag', recoveryEtag(fleet.found(service).state, found)).send(recoveryDetail(found, fleet.clock()));

  const list = {
    operationId: 'listRecoveries',
    summary: 'Recoveries of a service, newest first',
    tags,
    params: ServicePath,
    querystring: HistoryPage,
    response: answers({ 200: historyPageOf(RecoverySummary) }),
  };
  app.get(path, { schema: list, config: reads }, async (request) => {
    const { state } = fleet.found(request.params.service);
    const present = request.query.cursor === undefined ? running(state) : null;
    const room = request.query.limit - (present ? 1 : 0);
    const ended = await store.recoveries(state.service, historyQuery({ ...request.query, limit: Math.max(1, room) }));
    const items = [...(present ? [present] : []), ...ended.items].slice(0, request.query.limit);
    const next = room === 0 && ended.items.length > 0 ? Number.MAX_SAFE_INTEGER : ended.next;
    return { items: items.map((each) => recoverySummary(each, fleet.clock())), next };
  });

  const start = {
    operationId: 'startRecovery',
    summary: 'Start a recovery',
    description:
      'Takes up what is not ENABLED, as after an outage, or only the features that are named. At most one recovery runs per service: ' +
      'while one does, features that wait for a person join it.',
    tags,
    params: ServicePath,
    body: ref(StartRecoveryRequest, 'StartRecovery'),
    response: answers({ 201: recovery }),
  };
  app.post(path, { schema: start, config: operates }, async (request, reply) => {
    const { service } = request.params;
    const { reason, features } = request.body;
    const author = { who: callerOf(request).name, why: reason };
    const state = await fleet.command(service, author.who, (before, nowMs) => startRecovery(before, author, nowMs, features));
    const started = state.recovery!;
    reply.code(201).header('location', `/v1/services/${service}/recoveries/${started.id}`);
    return send(reply, service, started);
  });

  const read = {
    operationId: 'readRecovery',
    summary: 'A recovery with its timeline',
    tags,
    params: RecoveryPath,
    response: answers({ 200: recovery }),
  };
  app.get(`${path}/:id`, { schema: read, config: reads }, async (request, reply) => {
    const { service, id } = request.params;
    return send(reply, service, await byId(service, id));
  });

  const stepIn = async (request: SteppingIn, reply: FastifyReply, command: Command) => {
    const { service, id } = request.params;
    await byId(service, id);
    const author = { who: callerOf(request).name, why: request.body.reason };
    await fleet.command(service, author.who, (before, nowMs) => {
      const present = running(before);
      if (present?.id !== id) throw saying(new Refused(`the recovery ${id} has ended`), { because: 'recovery-ended' });
      requireMatch(request.headers, `the recovery ${id}`, recoveryEtag(before, present));
      return command(before, author, nowMs);
    });
    return send(reply, service, await byId(service, id));
  };
  const conditional = { tags, params: RecoveryPath, headers: WriteConditions, response: answers({ 200: recovery }) };
  const described = (text: string) => `${text} Needs the ETag of the recovery in If-Match.`;

  const abort = {
    ...conditional,
    operationId: 'abortRecovery',
    summary: 'Abort a recovery',
    description: described('Governance ends; the proxies recover by themselves from where they are.'),
    body: ref(Because, 'Because'),
  };
  app.post(`${path}/:id/abort`, { schema: abort, config: operates }, (request, reply) => stepIn(request, reply, abortRecovery));

  const pause = {
    ...conditional,
    operationId: 'pauseRecovery',
    summary: 'Pause a recovery',
    description: described('Nothing rises and no probe goes out until it ends, by itself after `expiresInMs`; what fails still falls.'),
    body: ref(PauseRequest, 'Pause'),
  };
  app.post(`${path}/:id/pause`, { schema: pause, config: operates }, (request, reply) => {
    const { expiresInMs } = request.body;
    const forMs = expiresInMs === 'never' ? null : expiresInMs;
    return stepIn(request, reply, (state, author, nowMs) => pauseRecovery(state, author, nowMs, forMs));
  });

  const resume = {
    ...conditional,
    operationId: 'resumeRecovery',
    summary: 'End a pause',
    description: described('Overdue attempts begin with jitter.'),
    body: ref(Because, 'Because'),
  };
  app.post(`${path}/:id/resume`, { schema: resume, config: operates }, (request, reply) => stepIn(request, reply, resumeRecovery));

  const promotion = {
    ...conditional,
    operationId: 'promoteRecovery',
    summary: 'Skip one wait',
    description: described(
      'The wait that a feature stands in (backoff, an earlier wave, a failed step, the rest of a stability window) is skipped once. ' +
        'Dependencies, budgets and verdicts still hold.',
    ),
    body: ref(InterventionRequest, 'Intervention'),
  };
  app.post(`${path}/:id/promote`, { schema: promotion, config: operates }, (request, reply) =>
    stepIn(request, reply, (state, author, nowMs) => promote(state, author, nowMs, request.body.features)),
  );

  const rollback = {
    ...conditional,
    operationId: 'rollBackRecovery',
    summary: 'Go back to the last step that was seen healthy',
    description: described(
      'Features go back below their present step, to the probes where nothing below had passed, and wait as after a failure.',
    ),
    body: ref(InterventionRequest, 'Intervention'),
  };
  app.post(`${path}/:id/rollback`, { schema: rollback, config: operates }, (request, reply) =>
    stepIn(request, reply, (state, author, nowMs) => rollBack(state, author, nowMs, request.body.features)),
  );
}
