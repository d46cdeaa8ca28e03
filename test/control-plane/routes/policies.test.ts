import { describe, expect, test } from 'vitest';
import { getPolicy, policyDraft, putPolicy, stage } from '../fleet/stage.ts';

const PROBLEM = 'application/problem+json; charset=utf-8';
const json = { 'content-type': 'application/json' };

describe('writing a policy', () => {
  test('creates it with every default, at its place, with a strong ETag', async () => {
    const { app } = await stage();
    const response = await app.inject({ method: 'PUT', url: '/v1/policies/shop', payload: policyDraft('shop', 'catalog') });
    expect(response.statusCode).toBe(201);
    expect(response.headers).toMatchObject({ location: '/v1/policies/shop', etag: expect.stringMatching(/^"1-[0-9a-f]{16}"$/) });
    expect(response.json()).toMatchObject({
      service: 'shop',
      mode: 'enforce',
      features: [{ name: 'catalog', priority: 100, breaker: { buckets: 10 } }],
    });
    const read = await app.inject('/v1/policies/shop');
    expect(read.headers.etag).toBe(response.headers.etag);
    expect(read.json()).toEqual(response.json());
  });

  test.for([
    { name: 'absent, no condition', exists: false, headers: {}, status: 201 },
    { name: 'absent, If-None-Match: *', exists: false, headers: { 'if-none-match': '*' }, status: 201 },
    { name: 'absent, If-Match', exists: false, headers: { 'if-match': '"1-0000000000000000"' }, status: 412 },
    { name: 'absent, If-Match: *', exists: false, headers: { 'if-match': '*' }, status: 412 },
    { name: 'present, no condition', exists: true, headers: {}, status: 428 },
    { name: 'present, If-None-Match: *', exists: true, headers: { 'if-none-match': '*' }, status: 412 },
    { name: 'present, If-Match of it', exists: true, headers: { 'if-match': 'its own' }, status: 200 },
    { name: 'present, If-Match of several with it', exists: true, headers: { 'if-match': '"other", its own' }, status: 200 },
    { name: 'present, If-Match: *', exists: true, headers: { 'if-match': '*' }, status: 200 },
    { name: 'present, If-Match of another', exists: true, headers: { 'if-match': '"1-0000000000000000"' }, status: 412 },
    { name: 'present, weak If-Match of it', exists: true, headers: { 'if-match': 'W/its own' }, status: 412 },
  ])('$name: $status', async ({ exists, headers, status }) => {
    const control = await stage();
    const etag = exists ? await putPolicy(control, policyDraft('shop', 'catalog')) : '';
    const before = exists ? await getPolicy(control, 'shop') : null;
    const sent = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replace('its own', etag)]));
    const draft = policyDraft('shop', 'catalog', 'checkout');
    const response = await control.app.inject({ method: 'PUT', url: '/v1/policies/shop', payload: draft, headers: sent });
    expect(response.statusCode).toBe(status);
    if (status >= 400) {
      expect(response.headers['content-type']).toBe(PROBLEM);
      expect(response.json()).toMatchObject({
        status,
        code: status === 428 ? 'REKINDLE_PRECONDITION_REQUIRED' : 'REKINDLE_PRECONDITION_FAILED',
      });
      if (before) expect(await getPolicy(control, 'shop')).toEqual(before);
    }
  });

  test('of two editors who saw the same policy one wins, the other is told', async () => {
    const control = await stage();
    const etag = await putPolicy(control, policyDraft('shop', 'catalog'));
    const write = (feature: string) =>
      control.app.inject({
        method: 'PUT',
        url: '/v1/policies/shop',
        payload: policyDraft('shop', 'catalog', feature),
        headers: { 'if-match': etag },
      });
    const statuses = (await Promise.all([write('a'), write('b'), write('c')])).map(({ statusCode }) => statusCode);
    expect(statuses.sort()).toEqual([200, 412, 412]);
  });

  test('the same policy again changes nothing, not even the revision', async () => {
    const control = await stage();
    const etag = await putPolicy(control, policyDraft('shop', 'catalog'));
    expect(await putPolicy(control, policyDraft('shop', 'catalog'), { 'if-match': etag })).toBe(etag);
    expect((await control.app.inject('/v1/services/shop')).json()).toMatchObject({ revision: 1, policyRevision: 1 });
  });

  test('a policy survives a restart with its ETag', async () => {
    const control = await stage();
    const etag = await putPolicy(control, policyDraft('shop', 'catalog'));
    const after = await control.restart();
    expect((await after.app.inject('/v1/policies/shop')).headers.etag).toBe(etag);
  });

  test('YAML means the same as JSON, anchors included', async () => {
    const { app } = await stage();
    const yaml = `
service: shop
features:
  - name: catalog
    routes: [{ path: { prefix: /catalog } }]
    breaker: &quick { openMs: 1000 }
  - name: checkout
    routes:
      - path: { prefix: /checkout }
    breaker: *quick
`;
    const response = await app.inject({
      method: 'PUT',
      url: '/v1/policies/shop',
      payload: yaml,
      headers: { 'content-type': 'application/yaml' },
    });
    expect(response.statusCode).toBe(201);
    const { features } = response.json();
    expect(features).toMatchObject([{ breaker: { openMs: 1000, buckets: 10 } }, { breaker: { openMs: 1000, buckets: 10 } }]);
  });
});

describe('a policy that is refused', () => {
  const bad = {
    service: 'shop',
    modee: 'shadow',
    mode: 'enforc',
    features: [
      { name: 'catalog', routes: [{ path: { prefix: '/catalog' } }], breaker: { openMs: 'soon', windowMs: 1, breakr: 1 } },
      { name: 'catalog', routes: [{ path: { prefix: '/b' } }], priority: 'high', dependsOn: [{ feature: 'nowhere' }] },
      { name: 'loop-a', routes: [{ path: { prefix: '/c' } }], dependsOn: [{ feature: 'loop-b' }] },
      {
        name: 'loop-b',
        routes: [{ path: { prefix: '/d' } }],
        dependsOn: [{ feature: 'loop-a' }],
        health: { degradedPercent: 60, unhealthyPercent: 40 },
      },
    ],
  };

  test('names every offending field at once: types, bounds, unknown names, duplicates, cycles, thresholds', async () => {
    const { app } = await stage();
    const response = await app.inject({ method: 'PUT', url: '/v1/policies/shop', payload: bad });
    expect(response.statusCode).toBe(422);
    expect(response.headers['content-type']).toBe(PROBLEM);
    const problem = response.json();
    expect(problem).toMatchObject({
      type: 'urn:rekindle:problem:document-invalid',
      title: 'The document is not valid',
      status: 422,
      instance: '/v1/policies/shop',
      code: 'REKINDLE_DOCUMENT_INVALID',
    });
    const reasons = Object.fromEntries(problem.errors.map(({ path, reason }: { path: string; reason: string }) => [path, reason]));
    expect(reasons).toMatchObject({
      modee: 'is not a known field; did you mean mode?',
      mode: 'must be one of enforce, shadow, off, got "enforc"; did you mean enforce?',
      'features[0].breaker.openMs': 'must be an integer, got "soon"',
      'features[0].breaker.windowMs': 'must be at least 1000, got 1',
      'features[0].breaker.breakr': expect.stringContaining('is not a known field'),
      'features[1].priority': 'must be an integer, got "high"',
      'features[1].name': expect.stringContaining('features[0]'),
      'features[1].dependsOn[0].feature': expect.stringContaining('nowhere'),
      'features[3].dependsOn[0].feature': expect.stringContaining('cycle'),
    });
    expect(Object.keys(reasons).some((path) => path.startsWith('features[3].health'))).toBe(true);
    expect((await app.inject('/v1/policies/shop')).statusCode).toBe(404);
    expect((await app.inject('/v1/policies')).json()).toEqual({ items: [], next: null });
  });

  test("refuses the name that every JavaScript object answers to, and an override of it is of no feature's", async () => {
    const { app } = await stage();
    const refused = await app.inject({ method: 'PUT', url: '/v1/policies/shop', payload: policyDraft('shop', 'constructor') });
    expect([refused.statusCode, refused.json().errors]).toEqual([
      422,
      [{ path: 'features[0].name', reason: 'must not be constructor, a reserved word' }],
    ]);
    await app.inject({ method: 'PUT', url: '/v1/policies/shop', payload: policyDraft('shop', 'catalog') });
    const override = { kind: 'FORCED_OPEN', reason: 'x' };
    const url = '/v1/services/shop/features/constructor/override';
    expect((await app.inject({ method: 'PUT', url, payload: override })).statusCode).toBe(404);
  });

  test('leaves the one that is stored as it is', async () => {
    const control = await stage();
    const etag = await putPolicy(control, policyDraft('shop', 'catalog'));
    const before = await getPolicy(control, 'shop');
    const response = await control.app.inject({ method: 'PUT', url: '/v1/policies/shop', payload: bad, headers: { 'if-match': etag } });
    expect(response.statusCode).toBe(422);
    expect(await getPolicy(control, 'shop')).toEqual(before);
  });

  const rows: { name: string; payload: string; headers?: Record<string, string>; status: number; code: string; says: RegExp }[] = [
    {
      name: '10 MB of text',
      payload: JSON.stringify('x'.repeat(10_000_000)),
      status: 413,
      code: 'REKINDLE_BODY_TOO_LARGE',
      says: /at most 1048576 bytes/,
    },
    { name: 'cut JSON', payload: '{"service": "shop"', status: 400, code: 'REKINDLE_BODY_MALFORMED', says: /JSON/ },
    { name: 'nothing', payload: '', status: 400, code: 'REKINDLE_BODY_MALFORMED', says: /empty/i },
    { name: 'a prototype', payload: '{"__proto__": {"a": 1}}', status: 400, code: 'REKINDLE_BODY_MALFORMED', says: /prototype|JSON/ },
    { name: 'null', payload: 'null', status: 422, code: 'REKINDLE_DOCUMENT_INVALID', says: /1 problem/ },
    { name: 'an array', payload: '[]', status: 422, code: 'REKINDLE_DOCUMENT_INVALID', says: /1 problem/ },
    { name: 'a number', payload: '7', status: 422, code: 'REKINDLE_DOCUMENT_INVALID', says: /1 problem/ },
    {
      name: 'a deep nest',
      payload: `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
      status: 400,
      code: 'REKINDLE_BODY_MALFORMED',
      says: /nested deeper/,
    },
    {
      name: '50,000 unknown fields',
      payload: JSON.stringify(Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, 1]))),
      status: 422,
      code: 'REKINDLE_DOCUMENT_INVALID',
      says: /200 problems/,
    },
    {
      name: 'another service',
      payload: JSON.stringify(policyDraft('other', 'catalog')),
      status: 422,
      code: 'REKINDLE_DOCUMENT_INVALID',
      says: /1 problem/,
    },
    {
      name: 'plain text',
      payload: 'hello',
      headers: { 'content-type': 'text/plain' },
      status: 415,
      code: 'REKINDLE_MEDIA_TYPE_UNSUPPORTED',
      says: /got text\/plain/,
    },
    { name: 'no content type', payload: 'hello', headers: {}, status: 415, code: 'REKINDLE_MEDIA_TYPE_UNSUPPORTED', says: /got none/ },
    {
      name: 'broken YAML',
      payload: 'a: [1',
      headers: { 'content-type': 'application/yaml' },
      status: 400,
      code: 'REKINDLE_BODY_MALFORMED',
      says: /line 1/,
    },
    {
      name: 'a key twice in YAML',
      payload: 'a: 1\na: 2',
      headers: { 'content-type': 'text/yaml' },
      status: 400,
      code: 'REKINDLE_BODY_MALFORMED',
      says: /twice \(line 2, column 1\)/,
    },
    {
      name: 'two YAML documents',
      payload: 'a: 1\n---\nb: 1',
      headers: { 'content-type': 'application/yaml' },
      status: 400,
      code: 'REKINDLE_BODY_MALFORMED',
      says: /more than one document/,
    },
    {
      name: 'a nest of YAML',
      payload: '['.repeat(100_000),
      headers: { 'content-type': 'application/yaml' },
      status: 400,
      code: 'REKINDLE_BODY_MALFORMED',
      says: /nested deeper/,
    },
    {
      name: 'YAML aliases that multiply',
      payload: aliasBomb(),
      headers: { 'content-type': 'application/yaml' },
      status: 400,
      code: 'REKINDLE_BODY_MALFORMED',
      says: /more than 200000 values/,
    },
    {
      name: 'a YAML alias of itself',
      payload: 'a: &a [*a]',
      headers: { 'content-type': 'application/yaml' },
      status: 400,
      code: 'REKINDLE_BODY_MALFORMED',
      says: /nested deeper/,
    },
    {
      name: 'very many YAML aliases',
      payload: `a: &a 1\nb: [${'*a,'.repeat(5000)}]`,
      headers: { 'content-type': 'application/yaml' },
      status: 400,
      code: 'REKINDLE_BODY_MALFORMED',
      says: /1000 aliases/,
    },
  ];
  test.for(rows)('$name: $status', async ({ payload, headers, status, code, says }) => {
    const { app } = await stage();
    const response = await app.inject({ method: 'PUT', url: '/v1/policies/shop', payload, headers: headers ?? json });
    expect(response.headers['content-type']).toBe(PROBLEM);
    expect(response.json()).toMatchObject({ status, code });
    expect(response.json().detail).toMatch(says);
    expect(response.statusCode).toBe(status);
    expect((await app.inject('/v1/policies')).json().items).toEqual([]);
  });

  test('a policy that grows beyond a directive with its defaults is refused, though its text was short enough', async () => {
    const { app } = await stage();
    const features = Array.from({ length: 16 }, (_, index) => ({
      name: `f${index}`,
      fallback: [{ static: { body: 'x'.repeat(65_000) } }],
    }));
    const response = await app.inject({ method: 'PUT', url: '/v1/policies/shop', payload: policyDraft('shop', ...features) });
    expect(response.statusCode).toBe(422);
    expect(response.json().errors).toEqual([{ path: '', reason: expect.stringContaining('with its defaults filled in') }]);
  });
});

describe('validating a policy', () => {
  test('answers with the policy as it would be stored, and stores nothing', async () => {
    const { app } = await stage();
    const response = await app.inject({ method: 'POST', url: '/v1/policies/validate', payload: policyDraft('shop', 'catalog') });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toMatchObject({ service: 'shop', autopilot: 'on' });
    expect((await app.inject('/v1/policies')).json().items).toEqual([]);
  });

  test('names all problems', async () => {
    const { app } = await stage();
    const payload = { service: 'shop', features: [{ name: 'A', routes: [] }] };
    const response = await app.inject({ method: 'POST', url: '/v1/policies/validate', payload });
    expect(response.statusCode).toBe(422);
    expect(response.json().errors.map(({ path }: { path: string }) => path)).toEqual(['features[0].name', 'features[0].routes']);
  });
});

describe('reading and listing policies', () => {
  test('pages go by name and meet each policy once', async () => {
    const control = await stage();
    for (const service of ['c', 'a', 'e', 'b', 'd']) await putPolicy(control, policyDraft(service, 'catalog'));
    const names: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: { items: { service: string }[]; next: string | null } = (
        await control.app.inject(`/v1/policies?limit=2${cursor && `&cursor=${cursor}`}`)
      ).json();
      names.push(...page.items.map(({ service }) => service));
      cursor = page.next;
    }
    expect(names).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  test('If-None-Match spares the body', async () => {
    const control = await stage();
    const etag = await putPolicy(control, policyDraft('shop', 'catalog'));
    const response = await control.app.inject({ url: '/v1/policies/shop', headers: { 'if-none-match': etag } });
    expect([response.statusCode, response.body]).toEqual([304, '']);
    const weakened = await control.app.inject({ url: '/v1/policies/shop', headers: { 'if-none-match': `"x", W/${etag}` } });
    expect(weakened.statusCode).toBe(304);
  });
});

describe('deleting a policy', () => {
  test('needs its ETag, tells filters by a tombstone of a new revision, and keeps the audit', async () => {
    const control = await stage();
    const { app } = control;
    const etag = await putPolicy(control, policyDraft('shop', 'catalog'));
    expect((await app.inject({ method: 'DELETE', url: '/v1/policies/shop' })).statusCode).toBe(428);
    expect((await app.inject({ method: 'DELETE', url: '/v1/policies/shop', headers: { 'if-match': '"x"' } })).statusCode).toBe(412);
    const response = await app.inject({ method: 'DELETE', url: '/v1/policies/shop', headers: { 'if-match': etag } });
    expect([response.statusCode, response.body]).toEqual([204, '']);
    for (const url of ['/v1/policies/shop', '/v1/services/shop']) expect((await app.inject(url)).statusCode).toBe(404);
    expect((await app.inject('/v1/services/shop/directive')).json()).toMatchObject({
      deleted: true,
      flags: [],
      revision: 2,
      hash: 'deleted',
    });
    const { items } = (await app.inject('/v1/services/shop/audit')).json();
    expect(items[0]).toMatchObject({ action: 'policy-deleted', revision: 2, actor: 'anonymous' });
    const again = await app.inject({ method: 'DELETE', url: '/v1/policies/shop', headers: { 'if-match': etag } });
    expect(again.statusCode).toBe(404);
  });

  test('the service can come back, and its revisions go on', async () => {
    const control = await stage();
    const etag = await putPolicy(control, policyDraft('shop', 'catalog'));
    await control.app.inject({ method: 'DELETE', url: '/v1/policies/shop', headers: { 'if-match': etag } });
    const after = await control.restart();
    expect(await putPolicy(after, policyDraft('shop', 'catalog'))).not.toBe(etag);
    expect((await after.app.inject('/v1/services/shop/directive')).json()).toMatchObject({ revision: 3, policyRevision: 3 });
  });

  test('a feature that is overridden keeps it, unless force is said', async () => {
    const control = await stage();
    const etag = await putPolicy(control, policyDraft('shop', 'catalog'));
    const override = { kind: 'FORCED_OPEN', reason: 'maintenance' };
    await control.app.inject({ method: 'PUT', url: '/v1/services/shop/features/catalog/override', payload: override });
    const headers = { 'if-match': etag };
    const refused = await control.app.inject({ method: 'DELETE', url: '/v1/policies/shop', headers });
    expect(refused.statusCode).toBe(409);
    expect(refused.json()).toMatchObject({ code: 'REKINDLE_REFUSED', because: 'feature-recovers', errors: [{ path: 'features.catalog' }] });
    expect((await control.app.inject({ method: 'DELETE', url: '/v1/policies/shop?force=true', headers })).statusCode).toBe(204);
  });
});

/** A few lines that stand for 9^8 values. */
function aliasBomb(): string {
  const names = [...'abcdefgh'];
  return names
    .map(
      (name, index) =>
        `${name}: &${name} [${Array(9)
          .fill(index === 0 ? 'x' : `*${names[index - 1]}`)
          .join(', ')}]`,
    )
    .join('\n');
}
