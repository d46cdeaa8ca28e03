import { afterEach, describe, expect, test } from 'vitest';
import { degraded, expectClean, feature, type Json, type Scene, scene } from './scene.ts';

afterEach(expectClean);

const CONTROL_PLANE = { cluster: 'control-plane', authority: 'rekindle' };
const word = (text: string, service = 'shop'): Json => ({
  service,
  features: [feature('catalog', { fallback: [{ static: { status: 200, body: text } }] })],
});
const configuration = (text: string | null, more: Json = {}): string =>
  JSON.stringify({
    services: [text === null ? { service: 'shop' } : { service: 'shop', policy: word(text) }],
    controlPlane: CONTROL_PLANE,
    ...more,
  });

const openWatches = (it: Scene) => it.fleet.watches.filter(({ state }) => state === 'open');

describe('several root contexts in one VM', () => {
  test('of one service: one watch, one report, one breaker', () => {
    const it = scene({ connected: true, policy: null });
    for (let i = 0; i < 4; i++) it.proxy.addPlugin({ configuration: configuration(null), rootId: `listener-${i}` });
    it.fleet.publish('shop', { policy: word('one') });
    it.advance(5000);
    expect(openWatches(it)).toHaveLength(1);
    const { reports } = it.fleet;
    expect(reports.map(({ sequence }) => sequence)).toEqual(reports.map((_, i) => i + 1));
    expect(reports.length).toBeLessThan(10);
    for (let i = 0; i < 4; i++) it.bad('/catalog', { plugin: i + 1 });
    const refused = it.proxy.request({ path: '/catalog', plugin: 0 });
    expect(degraded(refused)?.reason).toBe('open');
  });

  test('of services of their own: one watch and report each', () => {
    const services = ['a', 'b', 'c'].map((service) => ({ service, hosts: [`${service}.example`] }));
    const it = scene({ connected: true, configuration: { services } });
    for (const { service } of services) it.fleet.publish(service, { policy: word(service, service) });
    it.advance(3000);
    expect(openWatches(it)).toHaveLength(3);
    for (const { service } of services) {
      expect(it.bad('/catalog', { authority: `${service}.example` }).client.body).toBe(service);
      expect(it.fleet.reports.some((report) => report.service === service)).toBe(true);
    }
    it.trip('/catalog', 0);
    for (let i = 0; i < 4; i++) it.bad('/catalog', { authority: 'a.example' });
    expect(it.proxy.request({ path: '/catalog', authority: 'a.example' }).upstream).toBeNull();
    expect(it.proxy.request({ path: '/catalog', authority: 'b.example' }).upstream).not.toBeNull();
  });

  test('32 services, the most that one configuration takes', () => {
    const services = Array.from({ length: 32 }, (_, i) => ({ service: `s${i}`, hosts: [`s${i}.example`] }));
    const it = scene({ connected: true, configuration: { services } });
    for (const { service } of services) it.fleet.publish(service, { policy: word(service, service) });
    it.advance(2000);
    expect(openWatches(it)).toHaveLength(32);
    expect(it.bad('/catalog', { authority: 's31.example' }).client.body).toBe('s31');
  });
});

describe('a change of configuration', () => {
  test('new requests follow the new one, those in flight end under the old one', () => {
    const it = scene({ configuration: { services: [{ service: 'shop', policy: word('old') }] } });
    const flying = it.proxy.request({ path: '/catalog' });
    it.proxy.replacePlugin(0, { configuration: configuration('new') });
    expect(it.bad('/catalog').client.body).toBe('new');
    flying.upstream!.answer({ status: 500, body: 'x' });
    expect(flying.client.ended).toBe(true);
  });

  test('keeps the state of the service: an OPEN breaker stays open', () => {
    const it = scene({ configuration: { services: [{ service: 'shop', policy: word('old') }] } });
    it.trip('/catalog');
    it.proxy.replacePlugin(0, { configuration: configuration('new') });
    for (const worker of [0, 1]) {
      it.advance(60);
      expect(it.proxy.request({ path: '/catalog', worker }).upstream).toBeNull();
    }
  });

  test('the acting root goes with its watch and report in flight: another takes over at once', () => {
    const it = scene({ connected: true, policy: null });
    it.fleet.publish('shop', { policy: word('one') });
    it.advance(3000);
    it.fleet.silent = true;
    it.proxy.addPlugin({ configuration: configuration(null), rootId: 'second' });
    it.advance(6000);
    it.fleet.silent = false;
    const asked = it.fleet.watches.length;
    it.proxy.removePlugin(1);
    it.advance(100);
    expect(it.fleet.watches.slice(asked)).toHaveLength(1);
    it.fleet.publish('shop', { policy: word('two') });
    it.advance(100);
    for (const worker of [0, 1]) expect(it.bad('/catalog', { worker }).client.body).toBe('two');
    it.advance(30_000);
    expect(openWatches(it)).toHaveLength(1);
  });

  test('the first root goes: the second one acts', () => {
    const it = scene({ connected: true, policy: null });
    it.proxy.addPlugin({ configuration: configuration(null), rootId: 'second' });
    it.fleet.publish('shop', { policy: word('one') });
    it.advance(1000);
    it.proxy.removePlugin(0);
    it.fleet.publish('shop', { policy: word('two') });
    it.advance(1500);
    expect(it.bad('/catalog', { plugin: 1 }).client.body).toBe('two');
  });

  test('many changes in a row leave one watch, one root and no heap of memory', () => {
    const it = scene({ connected: true, policy: null });
    it.fleet.publish('shop', { policy: word('one') });
    it.advance(1000);
    for (let i = 0; i < 300; i++) {
      it.proxy.replacePlugin(0, { configuration: configuration(null, { cache: { entries: 16 + (i % 2) * 4 } }), rootId: `r${i % 2}` });
      it.advance(200);
    }
    expect(it.proxy.workers[0]!.vm.memory.byteLength).toBeLessThanOrEqual(2 * 1024 * 1024);
    it.advance(30_000);
    expect(openWatches(it)).toHaveLength(1);
    expect(it.proxy.workers[0]!.vm.roots.size).toBe(1);
  });

  test('a service that no root knows any more is no longer spoken for', () => {
    const it = scene({ connected: true, policy: null });
    it.fleet.publish('shop', { policy: word('one') });
    it.advance(1000);
    it.proxy.replacePlugin(0, { configuration: JSON.stringify({ services: [{ service: 'other' }], controlPlane: CONTROL_PLANE }) });
    it.advance(1000);
    it.fleet.reports.length = 0;
    it.fleet.watches.length = 0;
    it.advance(20_000);
    expect(new Set(it.fleet.reports.map(({ service }) => service))).toEqual(new Set(['other']));
  });
});
