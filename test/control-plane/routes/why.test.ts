import { describe, expect, test } from 'vitest';
import { policyDraft, putPolicy, type Stage, stage } from '../fleet/stage.ts';

const shop = policyDraft('shop', 'catalog', { name: 'checkout', dependsOn: [{ feature: 'catalog' }] }, 'watched');
const why = async ({ app }: Stage, feature: string) => (await app.inject(`/v1/services/shop/features/${feature}/why`)).json();
const about = (said: { about: string; because: string }[]) => said.map((each) => [each.about, each.because]);

async function withShop(changes: object = {}): Promise<Stage> {
  const control = await stage();
  await putPolicy(control, { ...shop, ...changes });
  return control;
}

const force = (control: Stage, feature: string) =>
  control.app.inject({
    method: 'PUT',
    url: `/v1/services/shop/features/${feature}/override`,
    payload: { kind: 'FORCED_OPEN', reason: 'vendor maintenance' },
  });

describe('why', () => {
  test('of a feature that lets all through: what made it so, and that nothing holds it', async () => {
    const answer = await why(await withShop(), 'catalog');
    expect(answer).toMatchObject({ service: 'shop', feature: 'catalog', state: 'ENABLED', admit: 10_000, health: 'UNKNOWN', holds: [] });
    expect(about(answer.because)).toEqual([
      ['flag', 'created'],
      ['health', 'no-evidence'],
      ['proxies', 'reporting'],
    ]);
    expect(answer.text).toBe('catalog is ENABLED and lets all requests through: created; its health is UNKNOWN');
  });

  test('of a name that every object answers to is not found', async () => {
    expect(await why(await withShop(), 'constructor')).toMatchObject({ status: 404, code: 'REKINDLE_FEATURE_UNKNOWN' });
  });

  test('of one that a person forced: who, why and until when', async () => {
    const control = await withShop();
    await force(control, 'catalog');
    const answer = await why(control, 'catalog');
    expect(answer.holds).toMatchObject([
      {
        about: 'override',
        because: 'forced-open',
        numbers: { author: 'anonymous', reason: 'vendor maintenance', expiresAtMs: control.time.nowMs + 3_600_000 },
      },
    ]);
    expect(answer.text).toContain('lets no requests but probes through: forced-open');
    expect(answer.changes[0]).toMatchObject({ feature: 'catalog', actor: 'anonymous' });
  });

  test('of one that waits for another: the dependency, and what it lacks', async () => {
    const control = await withShop();
    await force(control, 'checkout');
    await force(control, 'catalog');
    const { holds } = await why(control, 'checkout');
    expect(holds).toContainEqual(
      expect.objectContaining({
        about: 'dependency',
        because: 'dependency-not-enabled',
        numbers: { dependency: 'catalog', state: 'DISABLED' },
      }),
    );
  });

  test.for([
    { changes: { mode: 'shadow' }, hold: ['mode', 'mode-shadow'] },
    { changes: { autopilot: 'advise' }, hold: ['autopilot', 'autopilot-advise'] },
    { changes: { recovery: { scope: 'proxy' } }, hold: ['autopilot', 'scope-proxy'] },
  ])('of one that the fleet only watches: $hold', async ({ changes, hold }) => {
    const control = await withShop(changes);
    await force(control, 'watched');
    expect(about((await why(control, 'watched')).holds)).toContainEqual(hold);
  });
});

describe('the audit', () => {
  test('is searched by feature, kind, actor and time, in pages that lose nothing', async () => {
    const control = await withShop();
    for (const [feature, condition] of [
      ['catalog', {}],
      ['checkout', {}],
      ['catalog', { 'if-match': '*' }],
    ] as const) {
      control.time.nowMs += 1000;
      await control.app.inject({
        method: 'PUT',
        url: `/v1/services/shop/features/${feature}/override`,
        payload: { kind: 'HOLD', admit: (control.time.nowMs / 1000) % 1000, reason: 'x' },
        headers: condition,
      });
    }
    const read = async (query: string) => (await control.app.inject(`/v1/services/shop/audit?${query}`)).json();
    const all = (await read('limit=200')).items as { feature?: string; action: string; atMs: number; sequence: number }[];
    const check = async (query: string, wanted: (entry: (typeof all)[number]) => boolean) =>
      expect((await read(query)).items).toEqual(all.filter(wanted));
    await check('feature=catalog', ({ feature }) => feature === 'catalog');
    await check('kind=policy-created', ({ action }) => action === 'policy-created');
    await check('actor=recovery', () => false);
    await check(`since=${control.time.nowMs}`, ({ atMs }) => atMs >= control.time.nowMs);
    await check(`until=${control.time.nowMs}`, ({ atMs }) => atMs < control.time.nowMs);
    const collected = [];
    for (let cursor = ''; ; ) {
      const page = await read(`feature=catalog&limit=1${cursor}`);
      collected.push(...page.items);
      if (page.next === null) break;
      cursor = `&cursor=${page.next}`;
    }
    expect(collected).toEqual(all.filter(({ feature }) => feature === 'catalog'));
    expect(collected.length).toBeGreaterThan(1);
  });
});
