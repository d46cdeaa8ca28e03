import { afterEach, describe, expect, test } from 'vitest';
import type { EnvoyProxy } from '../host/proxy.ts';
import type { Vm } from '../host/vm.ts';
import { degraded, expectClean, feature, type Json, type Scene, scene } from './scene.ts';

afterEach(expectClean);

const word = (text: string): Json => ({
  service: 'shop',
  features: [feature('catalog', { fallback: [{ static: { status: 200, body: text } }] })],
});
const inForce = (it: Scene, worker = 0): string => it.bad('/catalog', { worker }).client.body;

function connected(workers = 2): Scene {
  const it = scene({ connected: true, policy: null, workers });
  it.mayTrap = true;
  it.fleet.publish('shop', { policy: word('first') });
  it.advance(1000);
  return it;
}

/** Whether a host call writes or reads a shared-data key whose name matches. */
function touches(vm: Vm, args: readonly unknown[], key: RegExp): boolean {
  return key.test(vm.memory.text(args[0] as number, args[1] as number) ?? '');
}

/** Kills whichever VM writes a key of that name, as a directive that traps its reader would. */
function trapOnWrite(key: RegExp): NonNullable<EnvoyProxy['trapWhen']> {
  return (vm, call, args) => call === 'proxy_set_shared_data' && touches(vm, args, key);
}
function trapOnRead(key: RegExp): NonNullable<EnvoyProxy['trapWhen']> {
  return (vm, call, args) => call === 'proxy_get_shared_data' && touches(vm, args, key);
}

describe('a directive that kills the VM that applies it', () => {
  test('kills one VM, not the proxy: the next leader leaves it alone, and the last one stays', () => {
    const it = connected(3);
    it.proxy.trapWhen = trapOnWrite(/:flags:\d$/);
    it.fleet.publish('shop', { policy: word('poison') });
    it.advance(60_000);
    expect(it.proxy.threads.filter(({ vm }) => vm.failure !== null)).toHaveLength(1);
    for (let worker = 0; worker < 3; worker++) expect(inForce(it, worker), `worker ${worker}`).toBe('first');
    expect(it.metric('directives_rejected_total')).toBeGreaterThanOrEqual(1);
    expect(it.fleet.reports.at(-1)!.rejected!.reason).toContain('trapped');
  });

  test('the next good one is taken', () => {
    const it = connected(3);
    it.proxy.trapWhen = trapOnWrite(/:flags:\d$/);
    it.fleet.publish('shop', { policy: word('poison') });
    it.advance(40_000);
    it.proxy.trapWhen = null;
    it.fleet.publish('shop', { policy: word('antidote') });
    it.advance(35_000);
    for (let worker = 0; worker < 3; worker++) expect(inForce(it, worker), `worker ${worker}`).toBe('antidote');
  });

  test('stored before it kills its leader: none of the others dies of it', () => {
    const it = connected(3);
    let written = '';
    // The end of the trial comes after the directive was stored and applied.
    it.proxy.trapWhen = (vm, call, args) => {
      if (call !== 'proxy_set_shared_data') return false;
      const before = written;
      written = vm.memory.text(args[0] as number, args[1] as number) ?? '';
      return before.endsWith(':directive') && written.endsWith(':trying');
    };
    it.fleet.publish('shop', { policy: word('poison') });
    it.advance(60_000);
    expect(it.proxy.threads.filter(({ vm }) => vm.failure !== null)).toHaveLength(1);
    for (let worker = 0; worker < 3; worker++) expect(inForce(it, worker), `worker ${worker}`).toBe('first');
    expect(it.fleet.reports.at(-1)!.rejected!.reason).toContain('trapped');
  });

  test('stored for the others already: each of them may die at most once for it, then all serve the last one', () => {
    const it = connected(3);
    // The leader applies it; whoever reads it from shared data dies.
    it.fleet.publish('shop', { policy: word('poison') });
    const leader = it.fleet.watches.at(-1)!.root.vm;
    const read = trapOnRead(/:policy:1$/);
    it.proxy.trapWhen = (vm, call, args) => vm !== leader && read(vm, call, args);
    it.advance(5000);
    let failed = 0;
    for (let i = 0; i < 40; i++) {
      for (let worker = 0; worker < 3; worker++) if (it.bad('/catalog', { worker }).info.codeDetails === 'wasm_fail_stream') failed++;
      it.advance(250);
    }
    expect(it.proxy.workers.map(({ reloads }) => reloads).reduce((sum, n) => sum + n)).toBeLessThanOrEqual(3);
    expect(failed).toBeLessThanOrEqual(3);
    for (let worker = 0; worker < 3; worker++) expect(it.proxy.workers[worker]!.vm.failure).toBeNull();
  });

  test('a fresh VM that meets the mark of a dead one uses the last one in its first request', () => {
    const it = connected(2);
    it.proxy.trapWhen = trapOnWrite(/:flags:\d$/);
    it.fleet.publish('shop', { policy: word('poison') });
    it.advance(200);
    it.proxy.trapWhen = (vm) => vm === it.proxy.workers[1]!.vm;
    it.proxy.request({ path: '/catalog', worker: 1 });
    it.proxy.trapWhen = null;
    expect(inForce(it, 1)).toBe('first');
  });
});

describe('a stored answer that kills its reader', () => {
  test('is left alone after one death; other copies are served', () => {
    const it = scene({ features: [feature('catalog', { fallback: [{ stale: {} }, { static: { status: 200, body: 'sorry' } }] })] });
    it.mayTrap = true;
    it.advance(500);
    it.send({ path: '/catalog/bad', worker: 0 }, { body: 'poison' });
    it.advance(300);
    let deaths = 0;
    it.proxy.trapWhen = (vm, call, args) => {
      const poisoned = vm.name.startsWith('worker-1') && call === 'proxy_get_shared_data' && touches(vm, args, /:body\d+$/) && deaths === 0;
      if (poisoned) deaths++;
      return poisoned;
    };
    expect(it.bad('/catalog/bad', { worker: 1 }).info.codeDetails).toBe('wasm_fail_stream');
    it.advance(400);
    const stream = it.bad('/catalog/bad', { worker: 1 });
    expect(degraded(stream)?.rung).toBe('static');
    it.send({ path: '/catalog/good', worker: 0 }, { body: 'good' });
    expect(it.bad('/catalog/good', { worker: 1 }).client.body).toBe('good');
  });
});

describe('shared data written by a foreign hand', () => {
  const JUNK = [
    new Uint8Array(),
    new Uint8Array([1]),
    new Uint8Array(8).fill(255),
    new Uint8Array(4096).fill(7),
    new Uint8Array(200_000).fill(255),
  ];

  test.for(JUNK.map((bytes, i) => ({ name: `${bytes.length} bytes`, bytes, i })))(
    '$name in every key: no trap, traffic goes on, the keys heal',
    ({ bytes }) => {
      const it = connected(2);
      it.mayTrap = false;
      it.trip('/catalog');
      it.advance(200);
      for (const key of it.proxy.shared.keys(it.proxy.vmId)) it.proxy.shared.set(it.proxy.vmId, key, bytes, 0);
      for (let i = 0; i < 100; i++) {
        const { client } = it.good('/catalog', { worker: i % 2 });
        expect(client.status).toBe(200);
        it.advance(100);
      }
      it.fleet.publish('shop', { policy: word('later') });
      it.advance(31_000);
      for (const worker of [0, 1]) expect(inForce(it, worker)).toBe('later');
      expect(it.proxy.liveVms).toHaveLength(3);
    },
  );

  test('in the cache: no copy rather than a wrong one', () => {
    const it = scene({ features: [feature('catalog', { fallback: [{ stale: {} }] })] });
    it.advance(200);
    it.send({ path: '/catalog/1' }, { body: 'copy' });
    const body = it.proxy.shared.keys(it.proxy.vmId).find((key) => /body/.test(key))!;
    const bytes = it.proxy.shared.get(it.proxy.vmId, body)!.bytes.slice();
    bytes[bytes.length - 1]! ^= 1;
    it.proxy.shared.set(it.proxy.vmId, body, bytes, 0);
    expect(it.bad('/catalog/1').client).toMatchObject({ status: 500, body: 'broken' });
  });
});
