import { expect, test } from 'vitest';
import { ACCESS_AUDIT } from '../../../control-plane/store/store.ts';
import { policyDraft, putPolicy, stage } from '../fleet/stage.ts';

const MARK = 'marked-secret';

test('nothing secret is in any answer, log line or audit entry, whatever is asked and however it goes wrong', async () => {
  const control = await stage();
  await putPolicy(control, policyDraft('shop', 'catalog'));
  const created = await control.app.inject({ method: 'POST', url: '/v1/tokens', payload: { name: 'root', scope: 'admin' } });
  const { token, id } = created.json();
  const answers: string[] = [];
  const ask = async (method: string, url: string, headers: Record<string, string>, payload?: string) => {
    const json = payload === undefined ? {} : { 'content-type': 'application/json' };
    const response = await control.app.inject({
      method: method as 'GET',
      url,
      headers: { ...headers, ...json },
      ...(payload === undefined ? {} : { payload }),
    });
    answers.push(JSON.stringify([response.headers, response.body]));
  };
  // A stream without an end, and the whole store, hashes and all, which is for admins.
  const routes = control.routes.filter(({ url }) => !['/v1/events', '/v1/backup'].includes(url) && !url.startsWith('/docs'));
  expect(routes.length).toBeGreaterThan(25);
  for (const { method, url } of routes) {
    const path = url.replace(':service', 'shop').replace(':feature', 'catalog').replace(/:\w+/, 'a1b2c3d4e5f6');
    for (const authorization of [`Bearer ${token}`, `Bearer ${MARK}-${'x'.repeat(40)}`, `Basic ${MARK}`, MARK]) {
      await ask(method, path, { authorization });
      if (method !== 'GET' && method !== 'HEAD') await ask(method, path, { authorization }, '{"reason":');
    }
    await ask(method, `${path}?token=${MARK}&access_token=${MARK}`, { authorization: `Bearer ${token}`, cookie: `session=${MARK}` });
  }
  Object.defineProperty(control.fleet, 'live', {
    value: () => {
      throw new Error('a bug');
    },
  });
  await ask('GET', `/v1/services?cursor=${MARK}`, { authorization: `Bearer ${token}`, cookie: MARK });
  await ask('GET', '/v1/services', { authorization: `Bearer ${token}`, cookie: MARK });
  const audits = await Promise.all(['shop', ACCESS_AUDIT].map((name) => control.store.audit(name, { limit: 200 })));
  const { sha256 } = (await control.store.tokens())[0]!;
  const everything = { answers: answers.join('\n'), log: JSON.stringify(control.lines), audits: JSON.stringify(audits) };
  expect(everything.audits).toContain(id);
  expect(everything.log).toContain('a bug');
  for (const [place, text] of Object.entries(everything)) {
    for (const secret of [token, sha256]) expect(text.includes(secret), `${place} tells ${secret}`).toBe(false);
  }
  for (const place of ['log', 'audits'] as const) expect(everything[place]).not.toContain(MARK);
  expect(answers.filter((answer) => answer.includes(MARK) && !answer.includes('query.cursor'))).toEqual([]);
});
