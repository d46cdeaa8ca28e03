import { afterEach, describe, expect, test } from 'vitest';
import { expectClean, feature, type Json, type Scene, scene } from './scene.ts';

afterEach(expectClean);

const SORRY: Json = { fallback: [{ static: { status: 200, body: 'sorry' } }] };
const untouched = (it: Scene, path = '/catalog') => {
  const stream = it.bad(path);
  expect(stream.upstream).not.toBeNull();
  expect(stream.client).toMatchObject({ status: 500, body: 'broken' });
  expect(stream.request.mutations).toBe(0);
  expect(stream.client.header('rekindle')).toBeUndefined();
};

describe('off', () => {
  test.for([
    { name: 'in the plugin configuration', init: { features: [feature('catalog', SORRY)], configuration: { mode: 'off' } } },
    { name: 'in the policy', init: { features: [feature('catalog', SORRY)], policy: { mode: 'off' } } },
    { name: 'of the feature', init: { features: [feature('catalog', { ...SORRY, mode: 'off' })] } },
  ])('$name: everything passes, nothing is judged', ({ init }) => {
    const it = scene(init);
    for (let i = 0; i < 10; i++) untouched(it);
    it.advance(200);
    expect(it.metric('transitions_total')).toBe(0);
    expect(it.metric('requests_total')).toBe(0);
  });

  test('in the plugin configuration beats every directive: a kill switch without a control plane', () => {
    const it = scene({ connected: true, policy: null, configuration: { mode: 'off' } });
    it.fleet.publish('shop', { policy: { service: 'shop', features: [feature('catalog', SORRY)] } });
    it.fleet.flag('shop', { feature: 'catalog', state: 'DISABLED', admit: 0, by: 'person' });
    it.advance(2000);
    for (let i = 0; i < 10; i++) untouched(it);
  });

  test('switched by a listener update while OPEN: the next request passes', () => {
    const it = scene({ features: [feature('catalog', SORRY)] });
    it.trip('/catalog');
    expect(it.proxy.request({ path: '/catalog' }).client.body).toBe('sorry');
    const services = [{ service: 'shop', policy: { service: 'shop', features: [feature('catalog', SORRY)] } }];
    it.proxy.replacePlugin(0, { configuration: JSON.stringify({ mode: 'off', services }) });
    untouched(it);
    expect(it.good('/catalog').client.body).toBe('fine');
  });

  test('a stricter mode of the policy wins over that of the feature, never the looser one', () => {
    const it = scene({ features: [feature('catalog', { ...SORRY, mode: 'enforce' })], policy: { mode: 'off' } });
    for (let i = 0; i < 6; i++) untouched(it);
  });
});

describe('shadow', () => {
  test.for([
    { name: 'in the plugin configuration', init: { features: [feature('catalog', SORRY)], configuration: { mode: 'shadow' } } },
    { name: 'in the policy', init: { features: [feature('catalog', SORRY)], policy: { mode: 'shadow' } } },
    { name: 'of the feature', init: { features: [feature('catalog', { ...SORRY, mode: 'shadow' })] } },
  ])('$name: judged and counted, nothing done', ({ init }) => {
    const it = scene(init);
    for (let i = 0; i < 10; i++) untouched(it);
    it.advance(200);
    expect(it.metric('transitions_total', { to: 'OPEN' })).toBe(1);
    expect(it.metric('requests_total', { outcome: 'refused' })).toBe(0);
    expect(it.metric('degraded_total')).toBe(0);
  });

  test('each request has one outcome, and beside it is told what would have been done', () => {
    const it = scene({ features: [feature('catalog', { ...SORRY, mode: 'shadow' })] });
    for (let i = 0; i < 4; i++) untouched(it);
    it.tick();
    for (let i = 0; i < 3; i++) untouched(it);
    it.good('/catalog');
    it.advance(200);
    const outcome = (name: string) => it.metric('requests_total', { outcome: name });
    expect({ failure: outcome('failure'), success: outcome('success') }).toEqual({ failure: 7, success: 1 });
    const detected = (reason: string) => it.metric('detected_total', { feature: 'catalog', reason });
    expect({ failure: detected('failure'), open: detected('open') }).toEqual({ failure: 4, open: 4 });
  });

  test('what would have been refused says nothing to the breaker', () => {
    const it = scene({ connected: true, policy: null });
    it.fleet.publish('shop', { policy: { service: 'shop', mode: 'shadow', features: [feature('catalog')] } });
    it.advance(1000);
    it.fleet.flag('shop', { feature: 'catalog', state: 'TESTING', admit: 0 });
    it.advance(11_000);
    for (let i = 0; i < 20; i++) it.bad('/catalog');
    it.advance(200);
    expect(it.metric('transitions_total', { to: 'OPEN' })).toBe(0);
    expect(it.metric('detected_total')).toBe(20);
    expect(it.metric('requests_total', { outcome: 'failure' })).toBe(20);
  });

  test('flags do nothing either', () => {
    const it = scene({ connected: true, policy: null });
    it.fleet.publish('shop', { policy: { service: 'shop', mode: 'shadow', features: [feature('catalog')] } });
    it.advance(1000);
    it.fleet.flag('shop', { feature: 'catalog', state: 'TESTING', admit: 100 });
    it.advance(200);
    for (let i = 0; i < 20; i++) {
      const stream = it.good('/catalog');
      expect(stream.upstream).not.toBeNull();
      expect(stream.request.mutations).toBe(0);
    }
  });

  test('it recovers as it would: the phase closes again while traffic is good', () => {
    const it = scene({ features: [feature('catalog', { mode: 'shadow' })] });
    it.trip('/catalog');
    it.advance(1000 + 150);
    for (let i = 0; i < 20; i++) it.good('/catalog');
    it.advance(200);
    expect(it.metric('transitions_total', { to: 'CLOSED' })).toBe(1);
  });
});
