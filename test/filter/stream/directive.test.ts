import { afterEach, describe, expect, test } from 'vitest';
import { query } from '../host/control-plane.ts';
import { connected, inForce, policyWith, word } from './directive-scene.ts';
import { expectClean, scene } from './scene.ts';

afterEach(expectClean);

describe('the first directive', () => {
  test('is in force on every worker within 1 s of the first tick', () => {
    const it = scene({ connected: true, policy: null, workers: 4 });
    it.fleet.publish('shop', { policy: policyWith('first') });
    it.advance(1000);
    for (let worker = 0; worker < 4; worker++) expect(inForce(it, worker)).toBe('first');
  });

  test('takes the place of the inline policy', () => {
    const it = scene({ connected: true, features: [word('inline')] });
    expect(inForce(it)).toBe('inline');
    it.fleet.publish('shop', { policy: policyWith('first') });
    it.advance(1000);
    expect(inForce(it)).toBe('first');
  });

  test('is asked for without a name, later ones with the name of the one in force', () => {
    const it = connected();
    it.fleet.publish('shop', { policy: policyWith('second') });
    it.advance(500);
    const asked = it.fleet.watches.map((call) => [query(call).get('lineage'), query(call).get('revision'), query(call).get('hash')]);
    expect(asked).toEqual([
      [null, null, null],
      ['first', '1', 'h-first-1'],
      ['first', '2', 'h-first-2'],
    ]);
    expect(it.fleet.watches.slice(1).map((call) => query(call).get('wait'))).toEqual(['25', '25']);
  });

  test('without any, and without an inline policy, the built-in breaker protects the whole service', () => {
    const it = scene({ connected: true, policy: null });
    it.advance(500);
    for (let i = 0; i < 20; i++) it.bad('/anything', { worker: 0 });
    expect(it.proxy.request({ path: '/else' }).upstream).toBeNull();
    expect(it.fleet.reports[0]!.features.map(({ feature: name }) => name)).toEqual(['all-requests']);
  });
});

describe('the next directive', () => {
  test('is pushed: every worker obeys within a tick of its arrival', () => {
    const it = connected({ workers: 4 });
    it.fleet.publish('shop', { policy: policyWith('second') });
    it.advance(60);
    for (let worker = 0; worker < 4; worker++) expect(inForce(it, worker), `worker ${worker}`).toBe('second');
  });

  test('a flip of a flag leaves policy, window and requests in flight alone', () => {
    const it = connected();
    for (let i = 0; i < 3; i++) it.bad('/catalog');
    it.fleet.flag('shop', { feature: 'other', state: 'DISABLED', admit: 0 });
    it.advance(200);
    expect(query(it.fleet.watches.at(-1)!).get('revision')).toBe('2');
    expect(it.proxy.request({ path: '/catalog' }).upstream).not.toBeNull();
    it.bad('/catalog');
    expect(it.proxy.request({ path: '/catalog' }).upstream, 'the fourth failure of one window').toBeNull();
  });

  test('an edit of the policy raises and lowers nothing by itself', () => {
    const it = connected();
    it.trip('/catalog');
    it.fleet.publish('shop', { policy: { service: 'shop', features: [word('second'), word('x', 'fresh')] } });
    it.advance(200);
    expect(it.proxy.request({ path: '/catalog' }).upstream, 'still OPEN').toBeNull();
    expect(it.proxy.request({ path: '/catalog' }).client.body).toBe('second');
    expect(it.proxy.request({ path: '/fresh' }).upstream).not.toBeNull();
  });

  test('a feature that is gone takes its requests with it; those in flight end well', () => {
    const it = connected();
    const flying = it.proxy.request({ path: '/catalog' });
    it.fleet.publish('shop', { policy: { service: 'shop', features: [word('x', 'other')] } });
    it.advance(200);
    flying.upstream!.answer({ status: 500, body: 'late' });
    expect(flying.client.ended).toBe(true);
    for (let i = 0; i < 10; i++) it.send({ path: '/catalog' }, { status: 500 });
    expect(it.proxy.request({ path: '/catalog' }).upstream).not.toBeNull();
  });

  test('a replaced worker has it from its first request', () => {
    const it = connected();
    it.mayTrap = true;
    it.proxy.trapWhen = (vm) => vm === it.proxy.workers[1]!.vm;
    it.proxy.request({ path: '/catalog', worker: 1 });
    it.proxy.trapWhen = null;
    expect(inForce(it, 1)).toBe('first');
    expect(it.proxy.workers[1]!.reloads).toBe(1);
  });
});

describe('names', () => {
  test('a lower revision is taken under a new lineage', () => {
    const it = connected();
    it.fleet.publish('shop', { revision: 7, policy: policyWith('seventh') });
    it.advance(200);
    expect(inForce(it)).toBe('seventh');
    it.fleet.publish('shop', { lineage: 'restored', revision: 2, policy: policyWith('restored') });
    it.advance(200);
    for (const worker of [0, 1]) expect(inForce(it, worker)).toBe('restored');
  });

  test('the same revision with another hash is taken', () => {
    const it = connected();
    const body = { ...it.fleet.directive('shop', true), hash: 'other', policyRevision: 9, policy: policyWith('other') };
    it.fleet.watchScript.push((call) => call.respond({ status: 200, body: JSON.stringify(body) }));
    it.fleet.publish('shop', { revision: 1 });
    it.advance(30_000);
    expect(it.fleet.watches.map((call) => query(call).get('hash'))).toContain('other');
    expect(it.metric('directives_rejected_total')).toBe(0);
  });

  test('a report that is answered with another revision restarts the watch', () => {
    const it = connected();
    const open = it.fleet.watches.length;
    it.fleet.desks.get('shop')!.revision = 2;
    it.fleet.desks.get('shop')!.policyRevision = 2;
    it.fleet.desks.get('shop')!.policy = policyWith('second');
    it.advance(6000);
    expect(it.fleet.watches.length).toBeGreaterThan(open);
    expect(inForce(it)).toBe('second');
  });

  test('members that the filter does not know are passed over: the control plane may be newer', () => {
    const it = connected();
    const body = {
      ...it.fleet.directive('shop', true),
      revision: 2,
      hash: 'x2',
      policyRevision: 2,
      policy: policyWith('newer'),
      future: { a: [1] },
    };
    it.fleet.watchScript.push((call) => call.respond({ status: 200, body: JSON.stringify(body) }));
    it.fleet.publish('shop', { revision: 1 });
    it.advance(30_000);
    expect(inForce(it)).toBe('newer');
  });

  test('a tombstone: back to the inline policy', () => {
    const it = connected({ policy: {}, features: [word('inline')] });
    expect(inForce(it)).toBe('first');
    it.fleet.publish('shop', { deleted: true, policy: null });
    it.advance(200);
    for (const worker of [0, 1]) expect(inForce(it, worker)).toBe('inline');
    it.fleet.publish('shop', { deleted: false, policy: policyWith('reborn') });
    it.advance(200);
    expect(inForce(it)).toBe('reborn');
  });

  test('without contact the last one goes on for ever', () => {
    const it = connected();
    it.proxy.clusters.remove('control-plane');
    it.advance(1_200_000);
    for (const worker of [0, 1]) expect(inForce(it, worker)).toBe('first');
    expect(it.metric('directive_age_seconds', { service: 'shop' })).toBeGreaterThan(1100);
  });
});
