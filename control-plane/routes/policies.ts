import { DocumentReader } from '../contract/documents.ts';
import { LIMITS } from '../contract/limits.ts';
import { Policy } from '../contract/policy.ts';
import { readPolicy } from '../contract/policy-document.ts';
import { NamePage, namedPageOf } from '../contract/rest/pages.ts';
import { ServicePath } from '../contract/rest/paths.ts';
import { ForceQuery, PolicySummary, ReadConditions, WriteConditions } from '../contract/rest/policies.ts';
import { isRecovering } from '../domain/feature.ts';
import type { ServiceState } from '../domain/model.ts';
import { applyPolicy } from '../domain/policy-change.ts';
import { DocumentInvalid, listing, ServiceUnknown } from '../errors.ts';
import { deletionBy } from '../fleet/change.ts';
import { policyText } from '../fleet/directive.ts';
import { isListed, policyEtag, requireSeen } from '../http/etag.ts';
import { callerOf, scopes } from '../http/guard.ts';
import { type App, answers, pageByName, type RouteDependencies, ref } from '../http/route.ts';
import { isTombstone, type Stored } from '../store/store.ts';

const tags = ['policies'];
const reads = scopes('read');
const operates = scopes('operate');
const policy = ref(Policy, 'Policy');
const body = { content: { 'application/json': { schema: policy }, 'application/yaml': { schema: policy } } };
const bodyLimit = LIMITS.documentBytes;

export function policyRoutes(app: App, { fleet }: RouteDependencies): void {
  const reader = new DocumentReader(Policy);
  const accepted = (raw: unknown, service: string | null): Policy => {
    const read = readPolicy(reader, raw, service);
    if ('problems' in read) throw listing(DocumentInvalid, read.problems);
    return read.value;
  };

  const list = {
    operationId: 'listPolicies',
    summary: 'List policies',
    tags,
    querystring: NamePage,
    response: answers({ 200: namedPageOf(PolicySummary) }),
  };
  app.get('/v1/policies', { schema: list, config: reads }, async (request) => {
    const page = pageByName(fleet.live(), ({ state }) => state.service, request.query);
    return { items: page.items.map(({ state }) => summaryOf(state)), next: page.next };
  });

  const validate = {
    operationId: 'validatePolicy',
    summary: 'Check a policy without storing it',
    description: 'Answers with the policy as it would be stored, every default filled in, or with all that is wrong with it.',
    tags,
    body,
    response: answers({ 200: policy }),
  };
  app.post('/v1/policies/validate', { schema: validate, config: reads, bodyLimit }, async (request) => accepted(request.body, null));

  const read = {
    operationId: 'readPolicy',
    summary: 'Read a policy',
    tags,
    params: ServicePath,
    headers: ReadConditions,
    response: answers({ 200: policy, 304: 'Not modified' }),
  };
  app.get('/v1/policies/:service', { schema: read, config: reads }, (request, reply) => {
    const { state } = fleet.found(request.params.service);
    const etag = policyEtag(state);
    reply.header('etag', etag);
    if (isListed(request.headers['if-none-match'], etag)) return reply.code(304).send();
    return reply.type('application/json; charset=utf-8').send(policyText(state.policy).json);
  });

  const replace = {
    operationId: 'writePolicy',
    summary: 'Create or replace a policy',
    description:
      'Replacing needs the ETag of the present policy in If-Match; `If-None-Match: *` makes sure that nothing is replaced. An edit by ' +
      'itself never raises or lowers traffic. Removing a feature that recovers or is overridden needs `force`.',
    tags,
    params: ServicePath,
    headers: WriteConditions,
    querystring: ForceQuery,
    body,
    response: answers({ 200: policy, 201: policy }),
  };
  app.put('/v1/policies/:service', { schema: replace, config: operates, bodyLimit }, async (request, reply) => {
    const { service } = request.params;
    const wanted = accepted(request.body, service);
    let isNew = false;
    await fleet.change(service, (before) => {
      const present = liveOf(before);
      isNew = present === null;
      if (present && policyText(present.policy).hash === policyText(wanted).hash) return null; // a retry, perhaps, whose ETag is outdated
      requireSeen(request.headers, service, present);
      const result = applyPolicy(present, wanted, fleet.clock(), { force: request.query.force, afterRevision: before?.revision ?? 0 });
      return fleet.changeOf(callerOf(request).name, before, result);
    });
    const { state } = fleet.found(service);
    if (isNew) reply.code(201).header('location', `/v1/policies/${service}`);
    return reply.header('etag', policyEtag(state)).type('application/json; charset=utf-8').send(policyText(state.policy).json);
  });

  const remove = {
    operationId: 'deletePolicy',
    summary: 'Delete a policy',
    description:
      'Filters are told by a directive with `deleted`. Needs the ETag in If-Match, and `force` while a feature recovers or is overridden.',
    tags,
    params: ServicePath,
    headers: WriteConditions,
    querystring: ForceQuery,
    response: answers({ 204: 'Deleted' }),
  };
  app.delete('/v1/policies/:service', { schema: remove, config: operates }, async (request, reply) => {
    const { service } = request.params;
    await fleet.change(service, (before) => {
      const present = liveOf(before);
      if (!present) throw new ServiceUnknown(service);
      requireSeen(request.headers, service, present);
      const busy = request.query.force ? [] : busyFeatures(present);
      if (busy.length === 0) return deletionBy(callerOf(request).name, present, fleet.clock());
      const detail = `${service} has features that recover or are overridden: ${busy.join(', ')}; end that first, or send force=true`;
      return fleet.changeOf(callerOf(request).name, before, { refused: 'feature-recovers', detail, features: busy });
    });
    return reply.code(204).send();
  });
}

function liveOf(stored: Stored | null): ServiceState | null {
  return stored && !isTombstone(stored) ? stored : null;
}

function busyFeatures({ features }: ServiceState): string[] {
  return Object.values(features)
    .filter((record) => record.override !== null || isRecovering(record))
    .map(({ name }) => name);
}

function summaryOf(state: ServiceState): PolicySummary {
  const { service, policy, policyRevision } = state;
  const { mode, autopilot, features } = policy;
  return { service, mode, autopilot, revision: policyRevision, etag: policyEtag(state), features: features.length };
}
