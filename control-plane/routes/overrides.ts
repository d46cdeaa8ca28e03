import { FeatureView } from '../contract/rest/features.ts';
import { OverrideRequest, OverrideView } from '../contract/rest/overrides.ts';
import { FeaturePath } from '../contract/rest/paths.ts';
import { WriteConditions } from '../contract/rest/policies.ts';
import { BecauseQuery } from '../contract/rest/reasons.ts';
import type { Override } from '../domain/model.ts';
import { clearOverride, setOverride } from '../domain/overrides.ts';
import { DocumentInvalid, FeatureUnknown, listing, OverrideUnknown } from '../errors.ts';
import { featureViews } from '../fleet/views.ts';
import { overrideEtag, requireMatch } from '../http/etag.ts';
import { callerOf, scopes } from '../http/guard.ts';
import { type App, answers, type RouteDependencies, ref } from '../http/route.ts';

const tags = ['overrides'];
const config = scopes('operate');
const feature = ref(FeatureView, 'Feature');
const path = '/v1/services/:service/features/:feature/override';

export function overrideRoutes(app: App, { fleet }: RouteDependencies): void {
  const requireFeature = (service: string, name: string): void => {
    if (!Object.hasOwn(fleet.found(service).state.features, name)) throw new FeatureUnknown(service, name);
  };
  const viewOf = (service: string, name: string): FeatureView => {
    const { service: held, state } = fleet.found(service);
    const view = featureViews(held, state, fleet.clock()).find((candidate) => candidate.name === name);
    if (!view) throw new FeatureUnknown(service, name);
    return view;
  };

  const etagOf = (service: string, name: string) => overrideEtag(fleet.found(service).state.features[name]!);
  const what = (service: string, name: string) => `the override of ${service}/${name}`;

  const read = {
    operationId: 'readOverride',
    summary: 'The override of a feature',
    tags,
    params: FeaturePath,
    response: answers({ 200: OverrideView }),
  };
  app.get(path, { schema: read, config: scopes('read') }, (request, reply) => {
    const { service, feature: name } = request.params;
    const { override } = viewOf(service, name);
    if (!override) throw new OverrideUnknown(service, name);
    return reply.header('etag', etagOf(service, name)).send(override);
  });

  const set = {
    operationId: 'setOverride',
    summary: 'Force a feature open or closed, or hold its share',
    description:
      'It ends by itself after `expiresInMs` (default one hour), with or without a control plane. Replacing an override that is there ' +
      'needs its ETag in If-Match; `If-None-Match: *` makes sure that nothing is replaced.',
    tags,
    params: FeaturePath,
    headers: WriteConditions,
    body: ref(OverrideRequest, 'Override'),
    response: answers({ 200: feature }),
  };
  app.put(path, { schema: set, config }, async (request, reply) => {
    const { service, feature: name } = request.params;
    requireFeature(service, name);
    requireShare(request.body);
    const author = callerOf(request).name;
    await fleet.command(service, author, (before, nowMs) => {
      const record = before.features[name];
      if (record) requireMatch(request.headers, what(service, name), overrideEtag(record));
      return setOverride(before, name, overrideOf(request.body, author, nowMs), nowMs);
    });
    return reply.header('etag', etagOf(service, name)).send(viewOf(service, name));
  });

  const clear = {
    operationId: 'clearOverride',
    summary: 'End an override',
    description:
      'Leaving FORCED_OPEN starts at the probes, leaving HOLD at the largest step up to its share; leaving FORCED_CLOSED judges anew. ' +
      'Needs the ETag of the override in If-Match.',
    tags,
    params: FeaturePath,
    headers: WriteConditions,
    querystring: BecauseQuery,
    response: answers({ 200: feature }),
  };
  app.delete(path, { schema: clear, config }, async (request) => {
    const { service, feature: name } = request.params;
    requireFeature(service, name);
    const author = { who: callerOf(request).name, why: request.query.reason ?? '' };
    await fleet.command(service, callerOf(request).name, (before, nowMs) => {
      if (!before.features[name]?.override) throw new OverrideUnknown(service, name);
      requireMatch(request.headers, what(service, name), overrideEtag(before.features[name]));
      return clearOverride(before, name, author, nowMs);
    });
    return viewOf(service, name);
  });
}

/** A share belongs to HOLD, and to nothing else. */
function requireShare({ kind, admit }: OverrideRequest): void {
  if (kind === 'HOLD' && admit === undefined) throw listing(DocumentInvalid, [{ path: 'admit', reason: 'is required with kind HOLD' }]);
  if (kind !== 'HOLD' && admit !== undefined) {
    throw listing(DocumentInvalid, [{ path: 'admit', reason: `is allowed with kind HOLD only, got kind ${kind}` }]);
  }
}

function overrideOf({ kind, admit, reason, expiresInMs }: OverrideRequest, author: string, nowMs: number): Override {
  return {
    kind,
    ...(admit === undefined ? {} : { admit }),
    reason,
    author,
    createdAtMs: nowMs,
    expiresAtMs: expiresInMs === 'never' ? null : nowMs + expiresInMs,
  };
}
