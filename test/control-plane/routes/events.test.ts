import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { EventFeed } from '../../../control-plane/fleet/events.ts';
import { EventStream } from '../../../control-plane/http/event-stream.ts';
import type { AuditEntry } from '../../../control-plane/store/store.ts';
import { policyDraft, putPolicy, type Stage, stage } from '../fleet/stage.ts';

interface Follower {
  /** What came so far. */
  readonly text: () => string;
  readonly ended: Promise<void>;
  leave(): void;
}

async function follow(control: Stage, query = '', lastId?: string): Promise<Follower> {
  const base = control.app.server.listening ? addressOf(control) : await control.app.listen({ port: 0 });
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const response = await fetch(`${base}/v1/events${query}`, {
    signal: abort.signal,
    ...(lastId === undefined ? {} : { headers: { 'last-event-id': lastId } }),
  });
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  let text = '';
  const read = async (): Promise<void> => {
    for await (const chunk of response.body!) text += Buffer.from(chunk).toString();
  };
  const ended = read().catch(() => undefined);
  return { text: () => text, ended, leave: () => abort.abort() };
}

const addressOf = ({ app }: Stage) => `http://localhost:${(app.server.address() as { port: number }).port}`;

/** Events as [name, feature or revision, id]. */
function eventsOf(text: string): { id: string; name: string; data: Record<string, unknown> }[] {
  return [...text.matchAll(/id: (\S+)\nevent: (\S+)\ndata: (.*)\n\n/g)].map(([, id, name, data]) => ({
    id: id!,
    name: name!,
    data: JSON.parse(data!),
  }));
}

const force = ({ app }: Stage, feature: string) =>
  app.inject({ method: 'PUT', url: `/v1/services/shop/features/${feature}/override`, payload: { kind: 'FORCED_OPEN', reason: 'test' } });

async function withShop(): Promise<Stage> {
  const control = await stage();
  await putPolicy(control, policyDraft('shop', 'a', 'b'));
  return control;
}

describe('events', () => {
  test('tell each change as it happens, under the name of its action', async () => {
    const control = await withShop();
    const follower = await follow(control);
    await force(control, 'a');
    await expect.poll(() => eventsOf(follower.text()).length).toBeGreaterThan(0);
    const { items } = (await control.app.inject('/v1/services/shop/audit')).json();
    const told = eventsOf(follower.text());
    expect(told.map(({ name }) => name)).toEqual(
      items
        .slice(0, told.length)
        .map(({ action }: AuditEntry) => action)
        .reverse(),
    );
    expect(told[0]).toMatchObject({ data: { service: 'shop', feature: 'a', actor: 'anonymous' } });
  });

  test('go on after the last one that was seen, without a gap or a repetition', async () => {
    const control = await withShop();
    const first = await follow(control);
    await force(control, 'a');
    await expect.poll(() => eventsOf(first.text()).length).toBeGreaterThan(0);
    const { id } = eventsOf(first.text()).at(-1)!;
    first.leave();
    await first.ended;
    await force(control, 'b');
    const second = await follow(control, '', id);
    await expect.poll(() => eventsOf(second.text()).length).toBeGreaterThan(0);
    expect(eventsOf(second.text()).every(({ data }) => data['feature'] === 'b')).toBe(true);
    expect(Number(eventsOf(second.text())[0]!.id.split('-')[1])).toBe(Number(id.split('-')[1]) + 1);
  });

  test.for(['0badc0de-1', 'nonsense', '12'])('say so when what was missed is not known: %s', async (lastId) => {
    const control = await withShop();
    const follower = await follow(control, '', lastId);
    await expect.poll(() => eventsOf(follower.text()).map(({ name }) => name)).toEqual(['reset']);
  });

  test('are narrowed down by service, feature, kind and actor', async () => {
    const control = await withShop();
    await putPolicy(control, policyDraft('other', 'x'));
    const narrow = await follow(control, '?service=shop&feature=b');
    const wide = await follow(control, '');
    await force(control, 'a');
    await force(control, 'b');
    await expect.poll(() => eventsOf(wide.text()).some(({ data }) => data['feature'] === 'b')).toBe(true);
    await expect.poll(() => eventsOf(narrow.text()).length).toBeGreaterThan(0);
    expect(new Set(eventsOf(narrow.text()).map(({ data }) => data['feature']))).toEqual(new Set(['b']));
  });

  test('end with a goodbye when the process stops', async () => {
    const control = await withShop();
    const follower = await follow(control);
    await control.app.close();
    await follower.ended;
    expect(follower.text()).toContain('event: goodbye');
  });

  test('end when their token is revoked, at the next heartbeat', async () => {
    const control = await stage();
    const create = async (body: object, headers = {}) =>
      (await control.app.inject({ method: 'POST', url: '/v1/tokens', payload: body, headers })).json();
    const { token } = await create({ name: 'root', scope: 'admin' });
    const headers = { authorization: `Bearer ${token}` };
    const { id } = await create({ name: 'viewer', scope: 'read' }, headers);
    const caller = { name: 'viewer', scope: 'read', service: null, tokenId: id } as const;
    expect(control.access.admits(caller)).toBe(true);
    await control.app.inject({ method: 'DELETE', url: `/v1/tokens/${id}`, headers });
    expect(control.access.admits(caller)).toBe(false);
  });
});

describe('a reader that does not keep up', () => {
  test('is cut off rather than held in memory', async () => {
    const stream = new EventStream();
    let taken = 0;
    while (stream.tell('x', 'y'.repeat(1000)) && taken < 10_000) taken++;
    expect(taken).toBeGreaterThan(100);
    expect(taken).toBeLessThan(300);
    await sleep(0);
    expect(stream.destroyed).toBe(true);
    expect(stream.heartbeat()).toBe(false);
  });
});

describe('the feed', () => {
  const entry: AuditEntry = { atMs: 1, actor: 'x', action: 'y', reason: { because: 'z' }, revision: 1 };

  test('keeps the latest only, and knows what it no longer keeps', () => {
    const feed = new EventFeed(3);
    for (let count = 0; count < 5; count++) feed.add('shop', [entry]);
    expect(feed.since(5)).toEqual([]);
    expect(feed.since(3)?.map(({ number }) => number)).toEqual([4, 5]);
    expect(feed.since(2)?.map(({ number }) => number)).toEqual([3, 4, 5]);
    expect(feed.since(1)).toBeNull();
    expect(feed.since(6)).toBeNull();
  });
});
