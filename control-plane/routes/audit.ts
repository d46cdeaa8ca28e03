import { AuditQuery, AuditView } from '../contract/rest/audit.ts';
import { historyPageOf } from '../contract/rest/pages.ts';
import { ServicePath } from '../contract/rest/paths.ts';
import { searchAudit } from '../fleet/audit-search.ts';
import { scopes } from '../http/guard.ts';
import { type App, answers, type RouteDependencies } from '../http/route.ts';

const schema = {
  operationId: 'readAudit',
  summary: 'What changed in a service, newest first',
  description: 'Who or what changed what, why, and by which figures. It stays readable after the policy was deleted.',
  tags: ['services'],
  params: ServicePath,
  querystring: AuditQuery,
  response: answers({ 200: historyPageOf(AuditView) }),
};

export function auditRoutes(app: App, { fleet, store }: RouteDependencies): void {
  app.get('/v1/services/:service/audit', { schema, config: scopes('read') }, (request) => {
    const { name } = fleet.known(request.params.service);
    return searchAudit(store, name, request.query);
  });
}
