import { DocumentReader } from '../contract/documents.ts';
import { Policy } from '../contract/policy.ts';
import { readPolicy } from '../contract/policy-document.ts';
import { HistoryPage, historyPageOf } from '../contract/rest/pages.ts';
import { ServicePath } from '../contract/rest/paths.ts';
import { ForceQuery, WriteConditions } from '../contract/rest/policies.ts';
import { PolicyVersionView, Rollback, VersionPath } from '../contract/rest/policy-history.ts';
import { applyPolicy } from '../domain/policy-change.ts';
import { DocumentInvalid, listing, RevisionUnknown } from '../errors.ts';
import type { Change } from '../fleet/change.ts';
import { policyText } from '../fleet/directive.ts';
import { policyEtag, requireSeen } from '../http/etag.ts';
import { callerOf, scopes } from '../http/guard.ts';
import { type App, answers, historyQuery, type RouteDependencies, ref } from '../http/route.ts';
import { isTombstone, type PolicyVersion } from '../store/store.ts';

const tags = ['policies'];
const policy = ref(Policy, 'Policy');

export function policyHistoryRoutes(app: App, { fleet, store }: RouteDependencies): void {
  const reader = new DocumentReader(Policy);
  const versionOf = async (service: string, revision: number): Promise<PolicyVersion> => {
    const { items } = await store.policyVersions(service, { limit: 1, before: revision + 1 });
    const version = items[0];
    if (version?.revision !== revision) throw new RevisionUnknown(service, String(revision));
    return version;
  };

  const list = {
    operationId: 'listPolicyVersions',
    summary: 'Versions of a policy, newest first',
    description: 'They stay readable after the policy was deleted. Who wrote them, and why, is in the audit.',
    tags,
    params: ServicePath,
    querystring: HistoryPage,
    response: answers({ 200: historyPageOf(PolicyVersionView) }),
  };
  app.get('/v1/policies/:service/history', { schema: list, config: scopes('read') }, async (request) => {
    const { name, state } = fleet.known(request.params.service);
    const page = await store.policyVersions(name, historyQuery(request.query));
    return { items: page.items.map((version) => viewOf(version, state?.policyRevision ?? null)), next: page.next };
  });

  const read = {
    operationId: 'readPolicyVersion',
    summary: 'A policy as it was',
    tags,
    params: VersionPath,
    response: answers({ 200: policy }),
  };
  app.get('/v1/policies/:service/history/:revision', { schema: read, config: scopes('read') }, async (request) => {
    const { name } = fleet.known(request.params.service);
    return (await versionOf(name, request.params.revision)).policy;
  });

  const rollback = {
    operationId: 'rollBackPolicy',
    summary: 'Write the policy of an earlier revision anew',
    description:
      'As if it were sent again: a new revision, checked as any other, with the ETag of the present policy in If-Match. It brings a ' +
      'deleted policy back, too.',
    tags,
    params: ServicePath,
    headers: WriteConditions,
    querystring: ForceQuery,
    body: ref(Rollback, 'Rollback'),
    response: answers({ 200: policy }),
  };
  app.post('/v1/policies/:service/rollback', { schema: rollback, config: scopes('operate') }, async (request, reply) => {
    const { name } = fleet.known(request.params.service);
    const { revision, reason } = request.body;
    const version = await versionOf(name, revision);
    const again = readPolicy(reader, structuredClone(version.policy), name);
    if ('problems' in again) throw listing(DocumentInvalid, again.problems);
    await fleet.change(name, (before) => {
      const present = before && !isTombstone(before) ? before : null;
      if (present && policyText(present.policy).hash === policyText(again.value).hash) return null;
      requireSeen(request.headers, name, present);
      const options = { force: request.query.force, afterRevision: before?.revision ?? 0 };
      const change = fleet.changeOf(callerOf(request).name, before, applyPolicy(present, again.value, fleet.clock(), options));
      return change && explained(change, revision, reason);
    });
    const { state } = fleet.found(name);
    return reply.header('etag', policyEtag(state)).type('application/json; charset=utf-8').send(policyText(state.policy).json);
  });
}

function viewOf({ revision, savedAtMs, policy: { mode, features } }: PolicyVersion, present: number | null): PolicyVersionView {
  return { revision, savedAtMs, mode, features: features.map(({ name }) => name), isPresent: revision === present };
}

/** The audit tells which revision came back, and why. */
function explained(change: Change, toRevision: number, reason: string): Change {
  const audit = change.audit.map((entry) =>
    entry.action === 'policy-changed' || entry.action === 'policy-created'
      ? { ...entry, reason: { because: 'rolled-back', numbers: { ...entry.reason.numbers, toRevision, reason } } }
      : entry,
  );
  return { ...change, audit };
}
