import Type from 'typebox';
import { FeatureView } from '../contract/rest/features.ts';
import { NamePage, namedPageOf } from '../contract/rest/pages.ts';
import { FeaturePath, ServicePath } from '../contract/rest/paths.ts';
import { ProxyView } from '../contract/rest/proxies.ts';
import { ServiceSummary, ServiceView } from '../contract/rest/services.ts';
import { WhyView } from '../contract/rest/why.ts';
import { FeatureUnknown } from '../errors.ts';
import { searchAudit } from '../fleet/audit-search.ts';
import { featureViews, proxyViews, serviceView, summaryOf } from '../fleet/views.ts';
import { whyOf } from '../fleet/why.ts';
import { scopes } from '../http/guard.ts';
import { type App, answers, pageByName, type RouteDependencies, ref } from '../http/route.ts';
import { StoreFault } from '../store/store.ts';

const tags = ['services'];
const config = scopes('read');
/** Latest changes that `why` tells. */
const CHANGES_TOLD = 5;
const feature = ref(FeatureView, 'Feature');
const items = <S extends Type.TSchema>(schema: S) => Type.Object({ items: Type.Array(schema) });

export function serviceRoutes(app: App, { fleet, store }: RouteDependencies): void {
  /** Why something is as it is must be told during an outage of the store, too; what led to it is in the store alone. */
  const latestChanges = async (service: string, feature: string) => {
    try {
      return (await searchAudit(store, service, { limit: CHANGES_TOLD, feature })).items;
    } catch (error) {
      if (error instanceof StoreFault) return [];
      throw error;
    }
  };

  const list = {
    operationId: 'listServices',
    summary: 'List services',
    tags,
    querystring: NamePage,
    response: answers({ 200: namedPageOf(ServiceSummary) }),
  };
  app.get('/v1/services', { schema: list, config }, async (request) => {
    const page = pageByName(fleet.live(), ({ state }) => state.service, request.query);
    return { items: page.items.map(({ service, state }) => summaryOf(service, state, fleet.clock())), next: page.next };
  });

  const one = {
    operationId: 'readService',
    summary: 'A service with all its features',
    tags,
    params: ServicePath,
    response: answers({ 200: ServiceView }),
  };
  app.get('/v1/services/:service', { schema: one, config }, async (request) => {
    const { service, state } = fleet.found(request.params.service);
    return serviceView(service, state, fleet.clock());
  });

  const all = {
    operationId: 'listFeatures',
    summary: 'The features of a service',
    tags,
    params: ServicePath,
    response: answers({ 200: items(feature) }),
  };
  app.get('/v1/services/:service/features', { schema: all, config }, async (request) => {
    const { service, state } = fleet.found(request.params.service);
    return { items: featureViews(service, state, fleet.clock()) };
  });

  const single = { operationId: 'readFeature', summary: 'One feature', tags, params: FeaturePath, response: answers({ 200: feature }) };
  app.get('/v1/services/:service/features/:feature', { schema: single, config }, async (request) => {
    const { service, state } = fleet.found(request.params.service);
    const view = featureViews(service, state, fleet.clock()).find(({ name }) => name === request.params.feature);
    if (!view) throw new FeatureUnknown(request.params.service, request.params.feature);
    return view;
  });

  const why = {
    operationId: 'explainFeature',
    summary: 'Why a feature is as it is, and why not otherwise',
    description:
      'What made its flag and its health, what keeps it from letting more through, each with its figures, and its last ' +
      'changes (none while the store cannot be used).',
    tags,
    params: FeaturePath,
    response: answers({ 200: ref(WhyView, 'Why') }),
  };
  app.get('/v1/services/:service/features/:feature/why', { schema: why, config }, async (request) => {
    const { service, state } = fleet.found(request.params.service);
    const record = Object.hasOwn(state.features, request.params.feature) && state.features[request.params.feature];
    if (!record) throw new FeatureUnknown(request.params.service, request.params.feature);
    return whyOf(service, state, record, await latestChanges(service.name, record.name), fleet.clock());
  });

  const proxies = {
    operationId: 'listProxies',
    summary: 'The proxies that report now',
    tags,
    params: ServicePath,
    response: answers({ 200: items(ProxyView) }),
  };
  app.get('/v1/services/:service/proxies', { schema: proxies, config }, async (request) => {
    const { service, state } = fleet.found(request.params.service);
    return { items: proxyViews(service, state, fleet.clock()) };
  });
}
