import type { Caller } from '../access/access.ts';
import { LIMITS } from '../contract/limits.ts';
import { Report, ReportReply } from '../contract/report.ts';
import { ServicePath } from '../contract/rest/paths.ts';
import { saying, TooManyNodes } from '../errors.ts';
import { takeReport } from '../fleet/report.ts';
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

export function reportRoutes(app: App, { fleet, metrics, nodeLimits }: RouteDependencies): void {
  const requireRoom = (service: string, node: string, address: string, { name, tokenId }: Caller): void => {
    if (tokenId === null) return;
    const reached = nodeLimits.reached({ service, node, address, tokenId }, fleet.clock());
    if (!reached) return;
    const source = reached.by === 'address' ? `the address ${address}` : `the token ${name}`;
    throw saying(new TooManyNodes(source, service, `${SETTING[reached.by]} is ${reached.limit}`), { retryAfterSeconds: 60 });
  };

  app.post('/v1/services/:service/reports', { schema, config: scopes('filter'), bodyLimit: LIMITS.reportBytes }, (request, reply) => {
    const { service } = request.params;
    requireRoom(service, request.body.node, request.ip, callerOf(request));
    const { status, answer } = takeReport(fleet, service, request.body);
    metrics.reports.inc({ service, status });
    reply.send(answer);
  });
}
