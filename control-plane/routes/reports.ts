import { LIMITS } from '../contract/limits.ts';
import { Report, ReportReply } from '../contract/report.ts';
import { ServicePath } from '../contract/rest/paths.ts';
import { takeReport } from '../fleet/report.ts';
import { type App, answers, type RouteDependencies, ref } from '../http/route.ts';

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

export function reportRoutes(app: App, { fleet, metrics }: RouteDependencies): void {
  app.post('/v1/services/:service/reports', { schema, bodyLimit: LIMITS.reportBytes }, (request) => {
    const { service } = request.params;
    const { status, ...reply } = takeReport(fleet, service, request.body);
    metrics.reports.inc({ service, status });
    return Promise.resolve(reply);
  });
}
