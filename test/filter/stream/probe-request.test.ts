import { afterEach, describe, expect, test } from 'vitest';
import type { ClusterHandler, PendingCall } from '../host/calls.ts';
import { connected } from './governed-scene.ts';
import { configurationOf, expectClean, feature, type Json, QUICK, type Scene, type SceneInit, TICK_MS } from './scene.ts';

afterEach(expectClean);

const REQUEST: Json = { cluster: 'shop', path: '/catalog/health', timeoutMs: 500 };
const INIT: SceneInit = { configuration: { probeClusters: ['shop'] } };

interface ProbeScene extends Scene {
  readonly probes: PendingCall[];
}

/** A proxy without traffic whose feature is DISABLED; the probe requests that reach the cluster `shop` are answered as given. */
function quiet(answer: ClusterHandler | null = (call) => call.respond(), request: Json = {}, init = INIT, more: Json = {}): ProbeScene {
  const probe = { request: { ...REQUEST, ...request } };
  const features = [feature('catalog', { breaker: QUICK, probe, ...more })];
  const it = connected({ state: 'DISABLED', admit: 0, step: 5 }, { features }, init);
  const probes: PendingCall[] = [];
  it.proxy.clusters.set('shop', (call) => {
    probes.push(call);
    answer?.(call);
  });
  return Object.assign(it, { probes });
}

/** Permits with the next report; returns when it was answered. */
function grant(it: Scene, count: number, ttlMs = 10_000): void {
  it.fleet.permits.push({ feature: 'catalog', step: 5, count, ttlMs });
  it.until(() => it.fleet.permits.length === 0);
  it.advance(2 * TICK_MS);
}

function told(it: Scene) {
  it.advance(6000);
  return it.fleet.reports.flatMap(({ features }) => features).findLast(({ feature: name }) => name === 'catalog');
}

describe('a permit that no request uses', () => {
  test('is used for a GET at half its term, and the report tells the outcome', () => {
    const it = quiet();
    grant(it, 1);
    it.advance(4700);
    expect(it.probes).toHaveLength(0);
    it.advance(400);
    expect(it.probes).toHaveLength(1);
    expect(it.probes[0]!.headers.pairs).toEqual([
      [':method', 'GET'],
      [':path', '/catalog/health'],
      [':authority', 'shop'],
      ['user-agent', 'rekindle-probe'],
    ]);
    expect(it.probes[0]!.timeoutMs).toBe(500);
    expect(told(it)).toMatchObject({ step: 5, admitted: 1, succeeded: 1, failed: 0, refused: 0 });
    expect(it.probes).toHaveLength(1);
  });

  test('asks for the host that the policy names', () => {
    const it = quiet(undefined, { authority: 'catalog.example:8080' });
    grant(it, 1);
    it.advance(6000);
    expect(it.probes[0]!.headers.get(':authority')).toBe('catalog.example:8080');
  });

  test('all of them are used, one at a time', () => {
    const it = quiet((call) => call.respond({ afterMs: 300 }));
    grant(it, 3);
    it.advance(5000);
    expect(it.probes).toHaveLength(1);
    it.advance(2000);
    expect(it.probes).toHaveLength(3);
    for (const [at, probe] of it.probes.entries()) {
      if (at > 0) expect(probe.startedAtMs - it.probes[at - 1]!.startedAtMs).toBeGreaterThanOrEqual(300);
    }
    expect(told(it)).toMatchObject({ admitted: 3, succeeded: 3 });
  });

  test('is left to requests for another half of the term when one came, on whichever worker', () => {
    const it = quiet();
    grant(it, 2);
    it.advance(4000);
    for (const worker of [0, 1]) it.admitted('/catalog', worker, { worker });
    it.advance(4700);
    expect(it.probes).toHaveLength(0);
    it.advance(500);
    expect(it.probes).toHaveLength(1);
  });

  test('is not sent when a request used it', () => {
    const it = quiet();
    grant(it, 1);
    it.good('/catalog');
    it.advance(20_000);
    expect(it.probes).toEqual([]);
  });

  test('is not kept idle by renewals', () => {
    const it = quiet();
    grant(it, 1);
    for (let i = 0; i < 3 && it.probes.length === 0; i++) {
      it.advance(1000);
      grant(it, 1);
    }
    expect(it.probes).toHaveLength(1);
  });

  test('without probe.request waits for a request', () => {
    const it = connected({ state: 'DISABLED', admit: 0, step: 5 }, {}, INIT);
    const probes: PendingCall[] = [];
    it.proxy.clusters.set('shop', (call) => probes.push(call));
    grant(it, 1);
    it.advance(20_000);
    expect(probes).toEqual([]);
  });
});

describe('the answer is judged as that of a request', () => {
  const counts = { succeeded: 0, failed: 0, ignored: 0, slow: 0 };
  const rows: { name: string; answer: ClusterHandler | null; more?: Json; counts: object }[] = [
    { name: 'a status that is a failure', answer: (call) => call.respond({ status: 500 }), counts: { failed: 1 } },
    { name: 'a status that is none', answer: (call) => call.respond({ status: 404 }), counts: { succeeded: 1 } },
    { name: 'a timeout', answer: null, counts: { failed: 1 } },
    { name: 'no connection', answer: (call) => call.refuse(), counts: { failed: 1 } },
    { name: 'a broken connection', answer: (call) => call.reset(), counts: { failed: 1 } },
    {
      name: 'a timeout that the status rules do not name',
      answer: null,
      more: { failure: { statuses: [{ from: 500, to: 500 }] } },
      counts: { failed: 1 },
    },
    {
      name: 'no connection, which does not count by this policy',
      answer: (call) => call.refuse(),
      more: { failure: { statuses: [{ from: 500, to: 500 }], connectFailures: false } },
      counts: { ignored: 1 },
    },
    {
      name: 'a broken connection, which does not count by this policy',
      answer: (call) => call.reset(),
      more: { failure: { resets: false } },
      counts: { ignored: 1 },
    },
    {
      name: 'a slow one',
      answer: (call) => call.respond({ afterMs: 200 }),
      more: { failure: { slowMs: 100 } },
      counts: { succeeded: 1, slow: 1 },
    },
    {
      name: 'one that another Rekindle has degraded',
      answer: (call) => call.respond({ headers: { rekindle: 'degraded; feature="a"; reason=open; rung=static' } }),
      counts: { ignored: 1 },
    },
    {
      name: 'one without a status that makes sense',
      answer: (call) => call.respond({ headers: { ':status': 'x' } }),
      counts: { failed: 1 },
    },
  ];
  test.for(rows)('$name', ({ answer, more, counts: some }) => {
    const it = quiet(answer, {}, INIT, more);
    grant(it, 1);
    it.advance(6000);
    expect(told(it)).toMatchObject({ admitted: 1, ...counts, ...some });
  });
});

describe('a probe request that cannot be', () => {
  const unknown = { probeClusters: ['shop', 'nowhere'] };
  test.for([
    { name: 'a cluster that the configuration does not allow', cluster: 'shop', configuration: {}, says: 'is not in probeClusters' },
    { name: 'a cluster that Envoy does not know', cluster: 'nowhere', configuration: unknown, says: 'cannot be called' },
  ])('$name: nothing is sent, it is said once, the permit stays for requests', ({ cluster, configuration, says }) => {
    const it = quiet(undefined, { cluster }, { configuration });
    grant(it, 1, 60_000);
    it.advance(59_000);
    expect(it.probes).toEqual([]);
    expect(it.warnings).toEqual([`shop/catalog: no probe.request is sent, cluster ${cluster} ${says}`]);
    expect(it.admitted('/catalog', 5)).toBe(1);
  });

  test('a cluster without a healthy host says nothing of the upstream', () => {
    const it = quiet();
    it.proxy.clusters.set('shop', 'unhealthy');
    grant(it, 1);
    expect(told(it)?.admitted ?? 0).toBe(0);
  });

  test('one whose root context went is void after its deadline, and the next root probes on', () => {
    const it = quiet(null);
    grant(it, 2, 4000);
    it.until(() => it.probes.length === 1);
    it.proxy.replacePlugin(0, {
      configuration: JSON.stringify(configurationOf({ ...INIT, connected: true, policy: null, features: [] })),
      rootId: 'new',
    });
    expect(it.probes[0]!.state).toBe('cancelled');
    it.until(() => it.probes.length === 2, 3000);
    expect(it.probes[1]!.startedAtMs - it.probes[0]!.startedAtMs).toBeGreaterThanOrEqual(600);
    expect(told(it)).toMatchObject({ admitted: 2, ignored: 1, failed: 1 });
  });

  test('an outcome of a step that is over is told to nobody', () => {
    const it = quiet((call) => call.respond({ afterMs: 400 }));
    grant(it, 1);
    it.until(() => it.probes.length === 1);
    it.fleet.flag('shop', { feature: 'catalog', state: 'DISABLED', admit: 0, step: 6 });
    expect(told(it)).toMatchObject({ step: 6, admitted: 0, succeeded: 0 });
  });

  test.for(['shadow', 'off'])('in mode %s none is sent', (mode) => {
    const it = quiet(undefined, {}, { configuration: { ...INIT.configuration, mode } });
    it.fleet.permits.push({ feature: 'catalog', step: 5, count: 1, ttlMs: 10_000 });
    it.advance(30_000);
    expect(it.probes).toEqual([]);
  });
});
