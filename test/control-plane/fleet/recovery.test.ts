import { describe, expect, test } from 'vitest';
import { pass, SimulatedProxy } from './simulated-proxy.ts';
import { policyDraft, putPolicy, type Stage, stage } from './stage.ts';

const quick = { recovery: { stableForMs: 2000, minimumSamples: 5 }, health: { minimumRequests: 5 } };

async function shop(proxies = 3): Promise<{ control: Stage; proxies: SimulatedProxy[] }> {
  const control = await stage();
  const checkout = { name: 'checkout', priority: 2, dependsOn: [{ feature: 'catalog', hard: true }], ...quick };
  await putPolicy(control, policyDraft('shop', { name: 'catalog', priority: 1, ...quick }, checkout));
  return { control, proxies: Array.from({ length: proxies }, (_, index) => new SimulatedProxy(`node-${index}`, 'shop')) };
}

const stateOf = (control: Stage, feature: string) => control.fleet.found('shop').state.features[feature]!;

describe('an outage and its recovery, over the wire', () => {
  test('a quorum opens, probes stay within the budget, ramps rise, all is ENABLED, and everything is told', async () => {
    const { control, proxies } = await shop();
    await pass(control, proxies, { seconds: 15 });
    expect(stateOf(control, 'catalog')).toMatchObject({ state: 'ENABLED', health: 'HEALTHY' });

    await pass(control, proxies, { seconds: 10, down: ['catalog'], until: () => stateOf(control, 'catalog').state === 'DISABLED' });
    expect(stateOf(control, 'checkout').state).toBe('DISABLED');
    const { id } = control.fleet.found('shop').state.recovery!;

    const before = proxies.reduce((sum, proxy) => sum + (proxy.sent['catalog'] ?? 0), 0);
    await pass(control, proxies, { seconds: 20, down: ['catalog'] });
    const probes = proxies.reduce((sum, proxy) => sum + (proxy.sent['catalog'] ?? 0), 0) - before;
    expect(probes).toBeGreaterThan(0);
    expect(probes).toBeLessThanOrEqual(100); // 5 a second at most, where 120 a second were asked for

    await pass(control, proxies, { seconds: 300, until: () => control.fleet.found('shop').state.recovery?.endedAtMs !== null });
    expect(stateOf(control, 'catalog').state).toBe('ENABLED');
    expect(stateOf(control, 'checkout').state).toBe('ENABLED');

    const listed = (await control.app.inject('/v1/services/shop/recoveries')).json();
    expect(listed).toMatchObject({ items: [{ id, result: 'recovered' }], next: null });
    const { timeline } = (await control.app.inject(`/v1/services/shop/recoveries/${id}`)).json();
    expect(timeline.length).toBeGreaterThan(5);
    expect(new Set(timeline.map(({ feature }: { feature?: string }) => feature))).toContain('checkout');

    const transitions = control.lines.filter(({ msg }) => msg === 'transition');
    expect(transitions.find(({ feature }) => feature === 'catalog')).toMatchObject({
      service: 'shop',
      from: { state: 'ENABLED', admit: 10_000 },
      to: { state: 'DISABLED', admit: 0 },
      because: expect.any(String),
      numbers: expect.any(Object),
    });
    const audit = (await control.app.inject('/v1/services/shop/audit?limit=200')).json();
    expect(audit.items.filter(({ action }: { action: string }) => action === 'flag-changed')).toHaveLength(transitions.length);
    const metrics = (await control.app.inject('/metrics')).body;
    expect(metrics).toContain('rekindle_recoveries_total{service="shop",result="recovered"} 1');
    expect(metrics).toContain('rekindle_recovering{service="shop"} 0');
  });

  test('a restart in mid-recovery continues it: same id, same attempt, same step, nothing opened or closed by the restart itself', async () => {
    const { control, proxies } = await shop();
    await pass(control, proxies, { seconds: 15 });
    await pass(control, proxies, { seconds: 30, down: ['catalog'] });
    await pass(control, proxies, { seconds: 60, until: () => stateOf(control, 'catalog').state === 'TESTING' });
    const before = control.fleet.found('shop').state;

    const after = await control.restart();
    expect(after.fleet.found('shop').state).toEqual(before);
    await after.ticker.tick();
    expect(after.fleet.found('shop').state.features).toEqual(before.features);
    expect((await after.app.inject('/v1/services/shop')).json()).toMatchObject({
      holding: { because: 'cold-start' },
      recovering: before.recovery!.id,
    });

    await pass(after, proxies, { seconds: 300, until: () => after.fleet.found('shop').state.recovery?.endedAtMs !== null });
    expect(after.fleet.found('shop').state.recovery).toMatchObject({ id: before.recovery!.id, result: 'recovered' });
    expect(stateOf(after, 'checkout').state).toBe('ENABLED');
  });

  test('nodes that report are remembered over a restart', async () => {
    const { control, proxies } = await shop();
    await pass(control, proxies, { seconds: 3 });
    const after = await control.restart();
    expect(after.fleet.found('shop').state.nodes).toEqual(['node-0', 'node-1', 'node-2']);
    const directive = (await after.app.inject('/v1/services/shop/directive')).json();
    expect(directive.proxies).toBe(3);
  });

  test('a step that failed in memory is not taken over: the store refuses, the tick is counted, the next one goes on', async () => {
    let isBroken = false;
    const control = await stage({
      around: (store) =>
        new Proxy(store, {
          get: (target, member) => {
            if (member === 'commit' && isBroken) return () => Promise.reject(new Error('disk full'));
            const value = Reflect.get(target, member, target);
            return typeof value === 'function' ? value.bind(target) : value;
          },
        }),
    });
    await putPolicy(control, policyDraft('shop', { name: 'catalog', ...quick }));
    const proxies = [new SimulatedProxy('node-0', 'shop')];
    await pass(control, proxies, { seconds: 15 });
    const before = control.fleet.found('shop').state;
    isBroken = true;
    await pass(control, proxies, { seconds: 5, down: ['catalog'] });
    expect(control.fleet.found('shop').state).toEqual(before);
    const refused = await control.app.inject({
      method: 'PUT',
      url: '/v1/services/shop/features/catalog/override',
      payload: { kind: 'FORCED_OPEN', reason: 'x' },
    });
    expect(refused.json()).toMatchObject({ status: 503, code: 'REKINDLE_STORE_FAILED' });
    expect(refused.headers['retry-after']).toBe('1');
    const reply = await proxies[0]!.live(control, new Set(['catalog']));
    expect(reply.governorAgeMs).toBeGreaterThanOrEqual(5000); // its proxies will not rely on this process for ever
    isBroken = false;
    await pass(control, proxies, { seconds: 10, down: ['catalog'], until: () => stateOf(control, 'catalog').state === 'DISABLED' });
    expect((await control.app.inject('/metrics')).body).toMatch(/rekindle_ticks_failed_total\{service="shop"\} [1-9]/);
  });
});
