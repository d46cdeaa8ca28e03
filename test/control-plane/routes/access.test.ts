import { describe, expect, test } from 'vitest';
import type { AccessSettings } from '../../../control-plane/app.ts';
import { ACCESS_AUDIT } from '../../../control-plane/store/store.ts';
import { policyDraft, reportOf, type Stage, stage } from '../fleet/stage.ts';

const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

interface Tokens {
  readonly admin: string;
  readonly operate: string;
  readonly read: string;
  readonly filter: string;
  readonly 'filter of another service': string;
}

async function createToken({ app }: Stage, body: object, by?: string): Promise<{ id: string; token: string }> {
  const response = await app.inject({ method: 'POST', url: '/v1/tokens', payload: body, ...(by ? { headers: bearer(by) } : {}) });
  if (response.statusCode !== 201) throw new Error(response.body);
  return response.json();
}

/** A control plane with the service `shop` and one token of each kind. */
async function withTokens(access: Partial<AccessSettings> = {}): Promise<{ control: Stage; tokens: Tokens }> {
  const control = await stage({ access });
  const admin = (await createToken(control, { name: 'root', scope: 'admin' })).token;
  const create = async (body: object) => (await createToken(control, body, admin)).token;
  const tokens = {
    admin,
    operate: await create({ name: 'oncall', scope: 'operate' }),
    read: await create({ name: 'viewer', scope: 'read' }),
    filter: await create({ name: 'sidecars', scope: 'filter', service: 'shop' }),
    'filter of another service': await create({ name: 'others', scope: 'filter', service: 'other' }),
  };
  await control.app.inject({ method: 'PUT', url: '/v1/policies/shop', payload: policyDraft('shop', 'catalog'), headers: bearer(admin) });
  return { control, tokens };
}

describe('every route', () => {
  /** The only ones that need no token. */
  const OPEN = ['/livez', '/readyz', '/openapi.json', '/docs'];
  /** They send something and change nothing. */
  const ASKS = ['/v1/policies/validate', '/v1/services/:service/simulate', '/v1/policies/:service/simulate'];

  test('says whom it is for: open, a scope for what is read, a higher one for what is changed', async () => {
    const { app, routes } = await stage();
    await app.ready();
    expect(routes.length).toBeGreaterThan(25);
    const wrong = routes.filter(({ method, url, scopes }) => {
      if (!scopes || scopes.length === 0) return true;
      if (scopes.includes('open')) return !OPEN.some((path) => url === path || url.startsWith(`${path}/`));
      const changes = !['GET', 'HEAD'].includes(method) && !ASKS.includes(url);
      return changes && scopes.includes('read');
    });
    expect(wrong).toEqual([]);
  });

  test('lets in whom it is for and nobody else: each route with each scope, without a token, with a wrong one', async () => {
    const { control, tokens } = await withTokens();
    const base = await control.app.listen({ port: 0 });
    const includes = { read: ['read'], operate: ['read', 'operate'], admin: ['read', 'operate', 'admin'], filter: ['filter'] };
    const callers: readonly { name: string; secret: string | null; has: readonly string[] }[] = [
      { name: 'no token', secret: null, has: [] },
      { name: 'a wrong token', secret: `${tokens.admin.slice(0, -2)}${tokens.admin.endsWith('AA') ? 'BB' : 'AA'}`, has: [] },
      ...Object.entries(includes).map(([name, has]) => ({ name, secret: tokens[name as keyof Tokens], has })),
      { name: 'filter of another service', secret: tokens['filter of another service'], has: [] },
    ];
    const wrong: string[] = [];
    for (const { method, url, scopes = ['admin'] } of control.routes) {
      const path = url.replace(':service', 'shop').replace(':feature', 'catalog').replace(/:\w+/, 'a1b2c3d4e5f6').replace('*', 'x');
      for (const { name, secret, has } of callers) {
        const response = await fetch(base + path, { method, ...(secret ? { headers: bearer(secret) } : {}) });
        if (name === 'a wrong token' && response.status === 429) continue; // the limit of wrong tokens refuses as well
        const code = await codeOf(response, method);
        const isLet = scopes.some((scope) => scope === 'open' || has.includes(scope));
        const expected =
          name === 'a wrong token' ? 'REKINDLE_TOKEN_INVALID' : isLet ? '' : secret ? 'REKINDLE_SCOPE_MISSING' : 'REKINDLE_TOKEN_REQUIRED';
        const got = [401, 403].includes(response.status) ? code : '';
        if (got !== (method === 'HEAD' && expected !== '' ? 'HEAD' : expected))
          wrong.push(`${method} ${path} with ${name}: ${response.status} ${code}, expected ${expected || 'to be let in'}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

/** The code of a problem; an answer to HEAD has no body to tell it. */
async function codeOf(response: Response, method: string): Promise<string> {
  if (method === 'HEAD') return 'HEAD';
  if (response.headers.get('content-type')?.includes('problem')) return ((await response.json()) as { code: string }).code;
  await response.body?.cancel();
  return '';
}

describe('tokens', () => {
  test('there are none at first: whoever reaches the port may do everything, and the first one ends that', async () => {
    const control = await stage();
    expect((await control.app.inject('/v1/policies')).statusCode).toBe(200);
    const refused = await control.app.inject({ method: 'POST', url: '/v1/tokens', payload: { name: 'viewer', scope: 'read' } });
    expect(refused.json()).toMatchObject({ status: 409, because: 'first-token-not-admin' });
    const { token } = await createToken(control, { name: 'root', scope: 'admin' });
    const without = await control.app.inject('/v1/policies');
    expect(without.json()).toMatchObject({ status: 401, code: 'REKINDLE_TOKEN_REQUIRED' });
    expect(without.headers['www-authenticate']).toBe('Bearer realm="rekindle"');
    expect((await control.app.inject({ url: '/v1/policies', headers: bearer(token) })).statusCode).toBe(200);
  });

  test('are hashed in the store, shown once, listed without their secrets, and survive a restart', async () => {
    const { control, tokens } = await withTokens();
    const kept = await control.store.tokens();
    expect(kept).toHaveLength(5);
    expect(kept.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256))).toBe(true);
    const list = await control.app.inject({ url: '/v1/tokens?limit=3', headers: bearer(tokens.admin) });
    expect(list.json()).toMatchObject({
      items: [{ name: 'oncall', source: 'rest', createdBy: 'root' }, { name: 'others' }, { name: 'root' }],
      next: 'root',
    });
    const after = await control.restart();
    expect((await after.app.inject({ url: '/v1/policies', headers: bearer(tokens.read) })).statusCode).toBe(200);
    for (const secret of Object.values(tokens)) expect(JSON.stringify([kept, list.body, control.lines])).not.toContain(secret);
  });

  test('a revoked one is refused from the next request on', async () => {
    const { control, tokens } = await withTokens();
    const { id, token } = await createToken(control, { name: 'temp', scope: 'read' }, tokens.admin);
    expect((await control.app.inject({ url: '/v1/policies', headers: bearer(token) })).statusCode).toBe(200);
    expect((await control.app.inject({ method: 'DELETE', url: `/v1/tokens/${id}`, headers: bearer(tokens.admin) })).statusCode).toBe(204);
    const refused = await control.app.inject({ url: '/v1/policies', headers: bearer(token) });
    expect(refused.json()).toMatchObject({ status: 401, code: 'REKINDLE_TOKEN_INVALID' });
    const again = await control.app.inject({ method: 'DELETE', url: `/v1/tokens/${id}`, headers: bearer(tokens.admin) });
    expect(again.json()).toMatchObject({ status: 404, code: 'REKINDLE_TOKEN_UNKNOWN' });
  });

  test('a revoked one gets no news that it waited for', async () => {
    const { control, tokens } = await withTokens();
    const { app } = control;
    const { id, token } = await createToken(control, { name: 'temp', scope: 'filter', service: 'shop' }, tokens.admin);
    const { lineage, revision, hash } = (await app.inject({ url: '/v1/services/shop/directive', headers: bearer(token) })).json();
    const waiting = `/v1/services/shop/directive?lineage=${lineage}&revision=${revision}&hash=${hash}&wait=20`;
    const poll = app.inject({ url: waiting, headers: bearer(token) }).then((response) => response);
    await expect.poll(() => control.fleet.watchers.count).toBe(1);
    await app.inject({ method: 'DELETE', url: `/v1/tokens/${id}`, headers: bearer(tokens.admin) });
    const payload = policyDraft('shop', 'catalog', 'checkout');
    await app.inject({ method: 'PUT', url: '/v1/policies/shop', payload, headers: { ...bearer(tokens.admin), 'if-match': '*' } });
    expect((await poll).json()).toMatchObject({ status: 401, code: 'REKINDLE_TOKEN_INVALID' });
  });

  test('a secret is no name: the audit would show it', async () => {
    const { control, tokens } = await withTokens();
    const payload = { name: tokens.read, scope: 'read' };
    const response = await control.app.inject({ method: 'POST', url: '/v1/tokens', payload, headers: bearer(tokens.admin) });
    expect(response.json()).toMatchObject({ status: 422, errors: [{ path: 'name' }] });
    expect(response.body).not.toContain(tokens.read);
  });

  test('the last admin stays, names are taken once, those of the file stay in the file', async () => {
    const given = {
      id: 'abcdefabcdef',
      name: 'ci',
      scope: 'operate',
      service: null,
      sha256: 'ab'.repeat(32),
      createdBy: null,
      createdAtMs: null,
    } as const;
    const control = await stage({ access: { tokens: [given] } });
    expect((await control.app.inject('/v1/tokens')).statusCode).toBe(401);
    const root = {
      id: '2bd806c97f0e',
      name: 'root',
      scope: 'admin',
      service: null,
      sha256: '2bd806c97f0e00af1a1fc3328fa763a9269723c8db8fac4f93af71db186d6e90',
      createdBy: null,
      createdAtMs: null,
    } as const;
    const both = await stage({ access: { tokens: [given, root] } });
    const ask = (method: 'POST' | 'DELETE', url: string, payload?: object) =>
      both.app.inject({ method, url, headers: bearer('alice'), ...(payload ? { payload } : {}) });
    expect((await ask('DELETE', `/v1/tokens/${given.id}`)).json()).toMatchObject({ status: 409, because: 'token-of-file' });
    expect((await ask('POST', '/v1/tokens', { name: 'ci', scope: 'read' })).json()).toMatchObject({
      status: 409,
      because: 'token-name-taken',
    });
    const twice = await Promise.all([1, 2].map(() => ask('POST', '/v1/tokens', { name: 'bob', scope: 'read' })));
    expect(twice.map(({ statusCode }) => statusCode).sort()).toEqual([201, 409]);

    const { control: other, tokens } = await withTokens();
    const { id } = (await other.store.tokens()).find(({ scope }) => scope === 'admin')!;
    const refused = await other.app.inject({ method: 'DELETE', url: `/v1/tokens/${id}`, headers: bearer(tokens.admin) });
    expect(refused.json()).toMatchObject({ status: 409, because: 'last-admin-token' });
  });

  test('the audit names the token that changed something, and who created and revoked tokens', async () => {
    const { control, tokens } = await withTokens();
    const override = {
      method: 'PUT',
      url: '/v1/services/shop/features/catalog/override',
      payload: { kind: 'FORCED_OPEN', reason: 'test' },
    } as const;
    expect((await control.app.inject({ ...override, headers: bearer(tokens.operate) })).json()).toMatchObject({
      override: { author: 'oncall' },
    });
    const audit = await control.app.inject({ url: '/v1/services/shop/audit', headers: bearer(tokens.read) });
    expect(audit.json().items.map(({ actor }: { actor: string }) => actor)).toContain('oncall');
    const { items } = await control.store.audit(ACCESS_AUDIT, { limit: 10 });
    expect(items.map(({ action, actor, reason }) => [action, actor, reason.numbers?.['name']])).toContainEqual([
      'token-created',
      'root',
      'sidecars',
    ]);
    const read = await control.app.inject({ url: '/v1/tokens/audit', headers: bearer(tokens.admin) });
    expect(read.json().items).toHaveLength(5);
  });

  test.for(['Basic YTpi', 'Bearer', 'Bearer a b', 'bearer nope', 'Token x', ''])('the header %j is refused', async (authorization) => {
    const { control } = await withTokens();
    const response = await control.app.inject({ url: '/v1/policies', headers: { authorization } });
    expect(response.json()).toMatchObject({ status: 401, code: 'REKINDLE_TOKEN_INVALID' });
    expect(response.headers['www-authenticate']).toContain('error="invalid_token"');
  });
});

describe('limits', () => {
  test('of requests: each token has its own, each address one for wrong tokens', async () => {
    const { control, tokens } = await withTokens({ requestsPerMinute: 20, wrongTokensPerMinute: 5 });
    const read = (secret: string) => control.app.inject({ url: '/v1/policies', headers: bearer(secret) });
    const statuses = [];
    for (let count = 0; count < 22; count++) statuses.push((await read(tokens.read)).statusCode);
    expect(statuses.filter((status) => status === 200)).toHaveLength(20);
    const refused = await read(tokens.read);
    expect(refused.json()).toMatchObject({
      status: 429,
      code: 'REKINDLE_TOO_MANY_REQUESTS',
      detail: expect.stringContaining('the token viewer'),
    });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await read(tokens.operate)).statusCode).toBe(200);
    const wrong = [];
    for (let count = 0; count < 6; count++) wrong.push((await read('wrong')).statusCode);
    expect(wrong).toEqual([401, 401, 401, 401, 401, 429]);
    expect((await read(tokens.operate)).statusCode).toBe(200);
  });

  test('of proxies per address and token, so that a filter cannot fake a quorum; one that restarts remains one (R10)', async () => {
    const { control, tokens } = await withTokens({ nodesPerAddress: 2, nodesPerToken: 3, trustedProxies: ['127.0.0.1'] });
    const report = async (node: string, address: string, instance = 'instance-1') => {
      const headers = { ...bearer(tokens.filter), 'x-forwarded-for': address };
      const response = await control.app.inject({
        method: 'POST',
        url: '/v1/services/shop/reports',
        payload: reportOf({ node, instance }),
        headers,
      });
      return response.statusCode === 200 ? 'taken' : response.json().detail;
    };
    expect(await report('a', '10.0.0.1')).toBe('taken');
    expect(await report('b', '10.0.0.1')).toBe('taken');
    expect(await report('b', '10.0.0.1', 'instance-2')).toBe('taken');
    expect(await report('c', '10.0.0.1')).toContain('REKINDLE_NODES_PER_ADDRESS is 2');
    expect(await report('c', '10.0.0.2')).toBe('taken');
    expect(await report('d', '10.0.0.3')).toContain('REKINDLE_NODES_PER_TOKEN is 3');
    control.time.nowMs += 61_000;
    expect(await report('d', '10.0.0.3')).toBe('taken');
  });
});

describe('without tokens, a page of another site', () => {
  test.for([
    { name: 'its own name as Host', url: '/v1/policies', headers: { host: 'evil.example' }, status: 403 },
    { name: 'localhost', url: '/v1/policies', headers: { host: 'localhost:7700' }, status: 200 },
    { name: 'an address', url: '/v1/policies', headers: { host: '[::1]:7700' }, status: 200 },
    { name: 'its own Origin', url: '/v1/policies', headers: { host: 'localhost', origin: 'http://evil.example' }, status: 403 },
    { name: 'a null Origin', url: '/v1/policies', headers: { host: 'localhost', origin: 'null' }, status: 403 },
    { name: 'the Origin of our page', url: '/v1/policies', headers: { host: 'localhost:1', origin: 'http://localhost:1' }, status: 200 },
    { name: 'any Origin where filters call', url: '/v1/services/shop/directive', headers: { origin: 'http://localhost' }, status: 403 },
    { name: 'a filter with the authority of its choice', url: '/v1/services/shop/directive', headers: { host: 'rekindle' }, status: 404 },
    { name: 'a probe of the process', url: '/livez', headers: { host: 'cluster' }, status: 200 },
  ])('$name: $status', async ({ url, headers, status }) => {
    const { app } = await stage();
    expect((await app.inject({ url, headers })).statusCode).toBe(status);
  });
});
