import { describe, expect, test } from 'vitest';
import { policyDraft, putPolicy, type Stage, stage } from '../fleet/stage.ts';

interface Row {
  readonly route: string;
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly url: string;
  readonly payload?: unknown;
  readonly status: number;
  /** Paths of the errors that must be told, all at once. */
  readonly errors: readonly string[];
}

const SERVICE = '/v1/services/:service';
const override = `${SERVICE}/features/:feature/override`;
const report = {
  node: 7,
  instance: 'UPPER',
  sequence: 0,
  uptimeMs: -1,
  intervalMs: 'x',
  version: '',
  governed: 'yes',
  features: [{ feature: 'catalog', latency: [1] }],
  extra: 1,
};
const reportErrors = ['extra', 'node', 'instance', 'sequence', 'uptimeMs', 'intervalMs', 'version', 'governed'];

const ROWS: readonly Row[] = [
  {
    route: '/v1/policies',
    method: 'GET',
    url: '/v1/policies?limit=0&cursor=A_B&foo=1',
    status: 400,
    errors: ['query.limit', 'query.cursor', 'query.foo'],
  },
  {
    route: '/v1/policies/validate',
    method: 'POST',
    url: '/v1/policies/validate',
    payload: { service: 1, features: 2 },
    status: 422,
    errors: ['service', 'features'],
  },
  { route: '/v1/policies/:service', method: 'GET', url: '/v1/policies/SHOP', status: 400, errors: ['params.service'] },
  { route: '/v1/policies/:service', method: 'PUT', url: '/v1/policies/shop', payload: [1], status: 422, errors: [''] },
  {
    route: '/v1/policies/:service',
    method: 'PUT',
    url: '/v1/policies/shop?force=maybe',
    payload: policyDraft('shop', 'a'),
    status: 400,
    errors: ['query.force'],
  },
  { route: '/v1/policies/:service', method: 'DELETE', url: '/v1/policies/shop?force=1', status: 400, errors: ['query.force'] },
  { route: '/v1/services', method: 'GET', url: '/v1/services?limit=many', status: 400, errors: ['query.limit'] },
  { route: SERVICE, method: 'GET', url: `/v1/services/${'x'.repeat(64)}`, status: 400, errors: ['params.service'] },
  { route: `${SERVICE}/features`, method: 'GET', url: '/v1/services/a_b/features', status: 400, errors: ['params.service'] },
  { route: `${SERVICE}/features/:feature`, method: 'GET', url: '/v1/services/shop/features/%00', status: 400, errors: ['params.feature'] },
  { route: `${SERVICE}/cache/:key`, method: 'GET', url: '/v1/services/A/cache/B', status: 400, errors: ['params.service', 'params.key'] },
  {
    route: `${SERVICE}/cache/:key`,
    method: 'PUT',
    url: `/v1/services/shop/cache/${'0'.repeat(32)}?ttlMs=-1&foo=1`,
    status: 400,
    errors: ['query.ttlMs', 'query.foo'],
  },
  { route: `${SERVICE}/proxies`, method: 'GET', url: '/v1/services/-shop/proxies', status: 400, errors: ['params.service'] },
  {
    route: `${SERVICE}/audit`,
    method: 'GET',
    url: '/v1/services/shop/audit?limit=201&cursor=-1',
    status: 400,
    errors: ['query.limit', 'query.cursor'],
  },
  { route: `${SERVICE}/recoveries`, method: 'GET', url: '/v1/services/shop/recoveries?cursor=abc', status: 400, errors: ['query.cursor'] },
  {
    route: `${SERVICE}/recoveries`,
    method: 'POST',
    url: '/v1/services/shop/recoveries',
    payload: { reason: 7, features: 'a' },
    status: 422,
    errors: ['reason', 'features'],
  },
  { route: `${SERVICE}/recoveries/:id`, method: 'GET', url: '/v1/services/shop/recoveries/A%20B', status: 400, errors: ['params.id'] },
  {
    route: `${SERVICE}/recoveries/:id/abort`,
    method: 'POST',
    url: '/v1/services/shop/recoveries/r1/abort',
    payload: {},
    status: 422,
    errors: ['reason'],
  },
  {
    route: `${SERVICE}/recoveries/:id/pause`,
    method: 'POST',
    url: '/v1/services/shop/recoveries/r1/pause',
    payload: { expiresInMs: 'soon', until: 5 },
    status: 422,
    errors: ['reason', 'expiresInMs', 'until'],
  },
  {
    route: `${SERVICE}/recoveries/:id/resume`,
    method: 'POST',
    url: '/v1/services/shop/recoveries/r1/resume',
    payload: { reason: '', features: ['a'] },
    status: 422,
    errors: ['reason', 'features'],
  },
  {
    route: `${SERVICE}/recoveries/:id/promote`,
    method: 'POST',
    url: '/v1/services/shop/recoveries/r1/promote',
    payload: { features: [], feature: 'a' },
    status: 422,
    errors: ['reason', 'features', 'feature'],
  },
  {
    route: `${SERVICE}/recoveries/:id/rollback`,
    method: 'POST',
    url: '/v1/services/shop/recoveries/r1/rollback',
    payload: { features: ['A B'] },
    status: 422,
    errors: ['reason', 'features[0]'],
  },
  { route: override, method: 'GET', url: '/v1/services/shop/features/%00/override', status: 400, errors: ['params.feature'] },
  {
    route: override,
    method: 'PUT',
    url: '/v1/services/shop/features/catalog/override',
    payload: { kind: 'OPEN', admit: 10_001, reason: '', expiresInMs: 'soon', until: 5 },
    status: 422,
    errors: ['kind', 'admit', 'reason', 'expiresInMs', 'until'],
  },
  {
    route: override,
    method: 'PUT',
    url: '/v1/services/shop/features/catalog/override',
    payload: { kind: 'HOLD', reason: 'x' },
    status: 422,
    errors: ['admit'],
  },
  {
    route: override,
    method: 'PUT',
    url: '/v1/services/shop/features/catalog/override',
    payload: { kind: 'FORCED_OPEN', admit: 5, reason: 'x' },
    status: 422,
    errors: ['admit'],
  },
  { route: override, method: 'DELETE', url: '/v1/services/shop/features/catalog/override?reason=', status: 400, errors: ['query.reason'] },
  {
    route: `${SERVICE}/directive`,
    method: 'GET',
    url: '/v1/services/shop/directive?wait=61&revision=1.5&lineage=A&hash=_&policyRevision=x',
    status: 400,
    errors: ['query.wait', 'query.revision', 'query.lineage', 'query.hash', 'query.policyRevision'],
  },
  { route: `${SERVICE}/directive`, method: 'GET', url: '/v1/services/shop/directive?wait=1&wait=2', status: 400, errors: ['query.wait'] },
  {
    route: `${SERVICE}/features/:feature/why`,
    method: 'GET',
    url: '/v1/services/shop/features/A/why',
    status: 400,
    errors: ['params.feature'],
  },
  {
    route: `${SERVICE}/audit`,
    method: 'GET',
    url: '/v1/services/shop/audit?kind=A&since=x&featur=a',
    status: 400,
    errors: ['query.kind', 'query.since', 'query.featur'],
  },
  {
    route: '/v1/events',
    method: 'GET',
    url: '/v1/events?service=A&kind=*&page=1',
    status: 400,
    errors: ['query.service', 'query.kind', 'query.page'],
  },
  {
    route: '/v1/policies/:service/history',
    method: 'GET',
    url: '/v1/policies/shop/history?limit=0',
    status: 400,
    errors: ['query.limit'],
  },
  {
    route: '/v1/policies/:service/history/:revision',
    method: 'GET',
    url: '/v1/policies/shop/history/last',
    status: 400,
    errors: ['params.revision'],
  },
  {
    route: '/v1/policies/:service/rollback',
    method: 'POST',
    url: '/v1/policies/shop/rollback',
    payload: { revision: 0, why: 'x' },
    status: 422,
    errors: ['revision', 'reason', 'why'],
  },
  {
    route: `${SERVICE}/features/:feature/history`,
    method: 'GET',
    url: '/v1/services/shop/features/catalog/history?sinceMs=x&nod=a',
    status: 400,
    errors: ['query.sinceMs', 'query.nod'],
  },
  {
    route: '/v1/policies/:service/simulate',
    method: 'POST',
    url: '/v1/policies/shop/simulate',
    payload: { service: 'shop', features: 2 },
    status: 422,
    errors: ['features'],
  },
  { route: '/v1/tokens', method: 'GET', url: '/v1/tokens?limit=x&page=1', status: 400, errors: ['query.limit', 'query.page'] },
  {
    route: '/v1/tokens',
    method: 'POST',
    url: '/v1/tokens',
    payload: { name: 'a b', scope: 'root', servce: 'shop' },
    status: 422,
    errors: ['name', 'scope', 'servce'],
  },
  { route: '/v1/tokens', method: 'POST', url: '/v1/tokens', payload: { name: 'a', scope: 'filter' }, status: 422, errors: ['service'] },
  {
    route: '/v1/tokens',
    method: 'POST',
    url: '/v1/tokens',
    payload: { name: 'recovery', scope: 'admin', service: 'shop' },
    status: 422,
    errors: ['name', 'service'],
  },
  { route: '/v1/tokens/:id', method: 'DELETE', url: '/v1/tokens/XYZ', status: 400, errors: ['params.id'] },
  { route: '/v1/tokens/audit', method: 'GET', url: '/v1/tokens/audit?cursor=0', status: 400, errors: ['query.cursor'] },
  { route: `${SERVICE}/reports`, method: 'POST', url: '/v1/services/shop/reports', payload: report, status: 422, errors: reportErrors },
];

/** Routes that take nothing from their caller. */
const WITHOUT_INPUT = ['/livez', '/readyz', '/metrics', '/v1/backup'];

async function withShop(): Promise<Stage> {
  const control = await stage();
  await putPolicy(control, policyDraft('shop', 'catalog'));
  return control;
}

describe('wrong input is refused with a problem that names all of it', () => {
  test.for(ROWS.map((row) => ({ ...row, name: `${row.method} ${row.url.slice(0, 90)}` })))(
    '$name',
    async ({ method, url, payload, status, errors }) => {
      const { app } = await withShop();
      const response = await app.inject({ method, url, ...(payload === undefined ? {} : { payload: payload as object }) });
      expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
      const problem = response.json();
      expect(problem).toMatchObject({ status, code: status === 400 ? 'REKINDLE_REQUEST_INVALID' : 'REKINDLE_DOCUMENT_INVALID' });
      expect(response.statusCode).toBe(status);
      const paths = problem.errors.map(({ path }: { path: string }) => path);
      expect(paths).toEqual(expect.arrayContaining([...errors]));
    },
  );

  test('a name that is too long for any route', async () => {
    const { app } = await withShop();
    const response = await app.inject(`/v1/policies/${'a'.repeat(300)}`);
    expect(response.json()).toMatchObject({ status: 400, code: 'REKINDLE_REQUEST_INVALID', errors: [{ path: 'params' }] });
  });

  test('every route is in the table', async () => {
    const { app } = await withShop();
    const { paths } = (await app.inject('/openapi.json')).json();
    const documented = Object.entries(paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
    );
    const covered = new Set(ROWS.map(({ method, route }) => `${method} ${route}`));
    const free = new Set(WITHOUT_INPUT.map((path) => `GET ${path}`));
    expect(documented.filter((route) => !covered.has(route) && !free.has(route))).toEqual([]);
    expect([...covered].filter((route) => !documented.includes(route))).toEqual([]);
  });
});

describe('what is not there', () => {
  test.for([
    { method: 'GET', url: '/v1/policies/nope', code: 'REKINDLE_SERVICE_UNKNOWN' },
    { method: 'GET', url: '/v1/policies/nope/history', code: 'REKINDLE_SERVICE_UNKNOWN' },
    { method: 'GET', url: '/v1/policies/shop/history/7', code: 'REKINDLE_REVISION_UNKNOWN' },
    { method: 'GET', url: '/v1/services/shop/features/nope/why', code: 'REKINDLE_FEATURE_UNKNOWN' },
    { method: 'GET', url: '/v1/services/nope', code: 'REKINDLE_SERVICE_UNKNOWN' },
    { method: 'GET', url: '/v1/services/nope/features', code: 'REKINDLE_SERVICE_UNKNOWN' },
    { method: 'GET', url: '/v1/services/nope/proxies', code: 'REKINDLE_SERVICE_UNKNOWN' },
    { method: 'GET', url: '/v1/services/nope/audit', code: 'REKINDLE_SERVICE_UNKNOWN' },
    { method: 'GET', url: '/v1/services/nope/directive', code: 'REKINDLE_SERVICE_UNKNOWN' },
    { method: 'GET', url: '/v1/services/nope/recoveries', code: 'REKINDLE_SERVICE_UNKNOWN' },
    { method: 'GET', url: '/v1/services/shop/features/nope', code: 'REKINDLE_FEATURE_UNKNOWN' },
    { method: 'DELETE', url: '/v1/services/shop/features/nope/override', code: 'REKINDLE_FEATURE_UNKNOWN' },
    { method: 'DELETE', url: '/v1/services/shop/features/catalog/override', code: 'REKINDLE_OVERRIDE_UNKNOWN' },
    { method: 'GET', url: '/v1/services/shop/recoveries/nope', code: 'REKINDLE_RECOVERY_UNKNOWN' },
    { method: 'GET', url: '/nope', code: 'REKINDLE_ROUTE_UNKNOWN' },
  ] as const)('$method $url: 404 $code', async ({ method, url, code }) => {
    const { app } = await withShop();
    const response = await app.inject({ method, url });
    expect(response.json()).toMatchObject({ status: 404, code, instance: url });
    expect(response.statusCode).toBe(404);
  });
});

test('a bug leaves as a problem that tells nothing of the inside, and is logged', async () => {
  const control = await withShop();
  Object.defineProperty(control.fleet, 'live', {
    value: () => {
      throw new Error('secret detail');
    },
  });
  const response = await control.app.inject('/v1/services');
  expect(response.json()).toMatchObject({ status: 500, code: 'REKINDLE_INTERNAL' });
  expect(response.body).not.toContain('secret');
  expect(control.lines).toContainEqual(
    expect.objectContaining({ msg: 'request failed', err: expect.objectContaining({ message: 'secret detail' }) }),
  );
});

test('a method that a resource does not have: 405, with those that it has', async () => {
  const { app } = await withShop();
  const response = await app.inject({ method: 'POST', url: '/v1/policies/shop' });
  expect(response.json()).toMatchObject({ status: 405, code: 'REKINDLE_METHOD_NOT_ALLOWED' });
  expect(response.headers.allow).toBe('DELETE, GET, HEAD, PUT');
});

test('an URL that cannot be decoded is refused as a problem', async () => {
  const { app } = await withShop();
  const response = await app.inject('/v1/services/%E0%A4%A');
  expect(response.statusCode).toBe(400);
  expect(response.headers['content-type']).toContain('application/problem+json');
  expect(response.json().code).toBe('REKINDLE_PATH_MALFORMED');
});
