import { once } from 'node:events';
import http from 'node:http';
import { describe, expect, test } from 'vitest';
import { Directive } from '../../../control-plane/contract/directive.ts';
import { DocumentReader } from '../../../control-plane/contract/documents.ts';
import { proxiesTold } from '../../../control-plane/fleet/directive.ts';
import { policyDraft, putPolicy, reportOf, type Stage, type StageOptions, stage } from '../fleet/stage.ts';

const reader = new DocumentReader(Directive);

async function withShop(options: StageOptions = {}): Promise<{ control: Stage; directive: Directive }> {
  const control = await stage(options);
  await putPolicy(control, policyDraft('shop', 'catalog', 'checkout'));
  return { control, directive: (await control.app.inject('/v1/services/shop/directive')).json() };
}

function held(directive: Directive, changes: Partial<Directive> = {}): string {
  const { lineage, revision, hash, policyRevision } = { ...directive, ...changes };
  return `lineage=${lineage}&revision=${revision}&hash=${hash}&policyRevision=${policyRevision}`;
}

const url = (directive: Directive, changes: Partial<Directive> = {}, wait = 0) =>
  `/v1/services/shop/directive?${held(directive, changes)}&wait=${wait}`;

const override = (control: Stage, feature = 'catalog', body: object = { kind: 'FORCED_OPEN', reason: 'test' }) =>
  control.app.inject({ method: 'PUT', url: `/v1/services/shop/features/${feature}/override`, payload: body });

describe('the directive', () => {
  test('holds to its own schema, with the whole policy and a flag for each feature', async () => {
    const { directive } = await withShop();
    expect(reader.read(structuredClone(directive))).toEqual({ value: directive });
    expect(directive.flags).toEqual([
      { feature: 'catalog', step: 1, state: 'ENABLED', admit: 10_000, by: 'recovery' },
      { feature: 'checkout', step: 1, state: 'ENABLED', admit: 10_000, by: 'recovery' },
    ]);
  });

  test.for([
    { name: 'the same name', changes: {}, status: 304, policy: false },
    { name: 'another revision', changes: { revision: 0 }, status: 200, policy: false },
    { name: 'another hash', changes: { hash: 'other' }, status: 200, policy: false },
    { name: 'another lineage', changes: { lineage: 'other' }, status: 200, policy: true },
    { name: 'another policy', changes: { revision: 0, policyRevision: 0 }, status: 200, policy: true },
    { name: 'a higher revision, after a store was restored', changes: { revision: 99, lineage: 'other' }, status: 200, policy: true },
  ])('a caller with $name: $status', async ({ changes, status, policy }) => {
    const { control, directive } = await withShop();
    const response = await control.app.inject(url(directive, changes));
    expect(response.statusCode).toBe(status);
    if (status === 200) expect('policy' in response.json()).toBe(policy);
    else expect(response.body).toBe('');
  });

  test('a flag that flips changes revision and hash, not the policy revision', async () => {
    const { control, directive } = await withShop();
    await override(control);
    const next: Directive = (await control.app.inject(url(directive))).json();
    expect(next).toMatchObject({ revision: 2, policyRevision: 1, flags: [{ state: 'DISABLED', by: 'person', step: 2 }, { step: 1 }] });
    expect(next.hash).not.toBe(directive.hash);
  });

  test("a person's flag runs down with the time of sending, under the same name", async () => {
    const { control } = await withShop();
    await override(control, 'catalog', { kind: 'HOLD', admit: 2500, reason: 'test', expiresInMs: 10_000 });
    const first: Directive = (await control.app.inject('/v1/services/shop/directive')).json();
    control.time.nowMs += 4000;
    const second: Directive = (await control.app.inject('/v1/services/shop/directive')).json();
    expect(first.flags[0]).toMatchObject({ state: 'TESTING', admit: 2500, by: 'person', expiresInMs: 10_000 });
    expect(second.flags[0]).toMatchObject({ expiresInMs: 6000 });
    expect([second.revision, second.hash]).toEqual([first.revision, first.hash]);
  });

  test('its name stays over a restart', async () => {
    const { control, directive } = await withShop();
    const after = await control.restart();
    expect((await after.app.inject(url(directive))).statusCode).toBe(304);
  });

  test('each further proxy is news among few, not among many', async () => {
    expect([0, 1, 2, 8, 9, 10, 11, 100, 101, 1000].map(proxiesTold)).toEqual([0, 1, 2, 8, 10, 10, 12, 112, 112, 1024]);
    const { control, directive } = await withShop();
    await control.app.inject({ method: 'POST', url: '/v1/services/shop/reports', payload: reportOf() });
    for (let tick = 0; tick < 2; tick++) await control.ticker.tick(); // the first one ends the cold start
    expect((await control.app.inject(url(directive))).json()).toMatchObject({ revision: 2, proxies: 1 });
  });
});

/** A control plane that listens, with the real clock. */
async function listening(options: StageOptions = {}): Promise<{ control: Stage; base: string; directive: Directive }> {
  const { control, directive } = await withShop({ ...options, clock: Date.now });
  const base = await control.app.listen({ host: '127.0.0.1', port: 0 });
  return { control, base, directive };
}

const waiting = (control: Stage, count: number) => expect.poll(() => control.fleet.watchers.count, { interval: 5 }).toBe(count);

describe('waiting for a change', () => {
  test('a wait without news ends as 304 at its time', async () => {
    const { base, directive, control } = await listening();
    const startedMs = Date.now();
    const response = await fetch(base + url(directive, {}, 1));
    expect(response.status).toBe(304);
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(1000);
    expect(Date.now() - startedMs).toBeLessThan(2500);
    expect(control.fleet.watchers.count).toBe(0);
  });

  test('all that wait are answered at once, with the policy only where it is new', async () => {
    const { base, directive, control } = await listening();
    const polls = Array.from({ length: 50 }, () => fetch(base + url(directive, {}, 30)));
    await waiting(control, 50);
    await override(control);
    const answers = await Promise.all(polls);
    const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as Directive[];
    expect(new Set(bodies.map(({ revision, policy }) => `${revision} ${policy === undefined}`))).toEqual(new Set(['2 true']));
    expect(control.fleet.watchers.count).toBe(0);

    const next = fetch(base + url(bodies[0]!, {}, 30));
    await waiting(control, 1);
    const etag = (await control.app.inject('/v1/policies/shop')).headers.etag as string;
    await putPolicy(control, policyDraft('shop', 'catalog', 'checkout', 'search'), { 'if-match': etag });
    const changed = (await (await next).json()) as Directive;
    expect(changed.policy?.features).toHaveLength(3);
    expect(changed).toMatchObject({ revision: 3, policyRevision: 3 });
  });

  test('news of one service wakes nobody who waits for another', async () => {
    const { base, directive, control } = await listening();
    await putPolicy(control, policyDraft('other', 'catalog'));
    const other: Directive = (await control.app.inject('/v1/services/other/directive')).json();
    const poll = fetch(`${base}/v1/services/other/directive?${held(other)}&wait=1`);
    await waiting(control, 1);
    await override(control);
    expect((await poll).status).toBe(304);
    expect((await fetch(base + url(directive, { revision: 2 }))).status).toBe(200);
  });

  test('a deletion reaches those who wait', async () => {
    const { base, directive, control } = await listening();
    const poll = fetch(base + url(directive, {}, 30));
    await waiting(control, 1);
    const etag = (await control.app.inject('/v1/policies/shop')).headers.etag as string;
    await control.app.inject({ method: 'DELETE', url: '/v1/policies/shop', headers: { 'if-match': etag } });
    expect(await (await poll).json()).toMatchObject({ deleted: true, revision: 2, flags: [] });
  });

  test('a client that leaves frees its place', async () => {
    const { base, directive, control } = await listening({ maxWatchers: 1 });
    const request = http.get(base + url(directive, {}, 30));
    request.on('error', () => undefined);
    await waiting(control, 1);
    request.destroy();
    await waiting(control, 0);
    const next = fetch(base + url(directive, {}, 1));
    expect((await next).status).toBe(304);
  });

  test('one too many is told when to come back', async () => {
    const { base, directive, control } = await listening({ maxWatchers: 2 });
    const polls = [1, 2].map(() => fetch(base + url(directive, {}, 30)));
    await waiting(control, 2);
    const refused = await fetch(base + url(directive, {}, 30));
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: 'REKINDLE_TOO_MANY_WATCHERS' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await fetch(base + url(directive, { revision: 0 }, 30))).status).toBe(200); // news needs no place to wait
    await override(control);
    expect((await Promise.all(polls)).map(({ status }) => status)).toEqual([200, 200]);
  });

  test('a control plane that stops says goodbye to all, soon', async () => {
    const { base, directive, control } = await listening();
    const agent = new http.Agent({ keepAlive: true });
    const polls = Array.from({ length: 5 }, async () => {
      const request = http.get(base + url(directive, {}, 60), { agent });
      const [response] = (await once(request, 'response')) as [http.IncomingMessage];
      const chunks = await response.toArray();
      return {
        status: response.statusCode,
        retryAfter: response.headers['retry-after'],
        body: JSON.parse(Buffer.concat(chunks).toString()),
      };
    });
    await waiting(control, 5);
    const startedMs = Date.now();
    await control.app.close();
    expect(Date.now() - startedMs).toBeLessThan(2000);
    for (const answer of await Promise.all(polls)) {
      expect(answer).toMatchObject({ status: 503, retryAfter: '1', body: { code: 'REKINDLE_STOPPING' } });
    }
    agent.destroy();
  });
});
