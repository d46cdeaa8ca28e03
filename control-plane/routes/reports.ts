import type { Caller } from '../access/access.ts';
import { LIMITS } from '../contract/limits.ts';
import { type Permit, Report, ReportReply } from '../contract/report.ts';
import { ServicePath } from '../contract/rest/paths.ts';
import { saying, TooManyNodes } from '../errors.ts';
import { replyTo, takeEvidence } from '../fleet/report.ts';
import { callerOf, scopes } from '../http/guard.ts';
import { type App, answers, type RouteDependencies, ref } from '../http/route.ts';

const SETTING = { address: 'REKINDLE_NODES_PER_ADDRESS', token: 'REKINDLE_NODES_PER_TOKEN' } as const;

const schema = {
  operationId: 'report',
  summary: 'Tell what one proxy saw',
  description:
    'One per proxy and interval. Counters are cumulative within a step, so a lost or repeated report changes nothing; a repeat of ' +
    '(instance, sequence) is answered as before.',
  tags: ['filters'],
  params: ServicePath,
  body: ref(Report, 'Report'),
  response: answers({ 200: ref(ReportReply, 'ReportReply') }),
};

export function reportRoutes(app: App, { fleet, metrics, nodeLimits, replicas }: RouteDependencies): void {
  const requireRoom = (service: string, node: string, address: string, { name, tokenId }: Caller): void => {
    if (tokenId === null) return;
    const reached = nodeLimits.reached({ service, node, address, tokenId }, fleet.clock());
    if (!reached) return;
    const source = reached.by === 'address' ? `the address ${address}` : `the token ${name}`;
    throw saying(new TooManyNodes(source, service, `${SETTING[reached.by]} is ${reached.limit}`), { retryAfterSeconds: 60 });
  };

  app.post('/v1/services/:service/reports', { schema, config: scopes('filter'), bodyLimit: LIMITS.reportBytes }, (request, reply) => {
    const { params, body: report, ip: address } = request;
    const caller = callerOf(request);
    requireRoom(params.service, report.node, address, caller);
    const { service, state } = fleet.found(params.service);
    const status = takeEvidence(fleet, service, state, report);
    metrics.reports.inc({ service: service.name, status });
    const answer = (permits: readonly Permit[]) => reply.send(replyTo(fleet, service, report, permits));
    if (!replicas) return answer(fleet.permits.grant(state, report, fleet.clock(), service.suspects));
    const source = caller.tokenId === null ? null : { address, tokenId: caller.tokenId };
    const permits = replicas.permitsFor(state, report); // before the relay, so that the leader answers a report that is new to it
    if (status === 'accepted') replicas.relay({ service: service.name, source, report });
    return permits instanceof Promise ? permits.then(answer) : answer(permits);
  });
}
