import { afterEach, describe, expect, test } from 'vitest';
import { EnvoyProxy } from '../host/proxy.ts';
import type { HttpStream } from '../host/stream.ts';
import { answerCalls, Dice, EVERYTHING, happen, randomRequest, spoil, VALUES } from './fuzz-input.ts';
import { configurationOf, expectClean, policy, release, scene } from './scene.ts';

afterEach(expectClean);

/** More seeds than these few are for a longer hunt: FUZZ_SEEDS=50. */
const SEEDS = Array.from({ length: Number(process.env['FUZZ_SEEDS'] ?? 2) }, (_, i) => i + 1);
describe('nothing traps, whatever comes', () => {
  test.for(SEEDS)('requests, answers and call-outs (seed %i)', (seed) => {
    const dice = new Dice(seed);
    const it = scene({
      features: EVERYTHING,
      configuration: { fallbackClusters: ['spare'], cache: { entries: 8, maxBodyBytes: 2048 } },
      seed,
    });
    answerCalls(it, dice);
    const open: HttpStream[] = [];
    for (let i = 0; i < 1500; i++) {
      open.push(randomRequest(it, dice));
      while (open.length > 20) happen(open.splice(dice.below(open.length), 1)[0]!, dice);
      if (dice.chance(30)) it.advance(dice.below(120));
    }
    for (const stream of open) happen(stream, dice);
    it.advance(30_000);
    expect(it.proxy.liveVms).toHaveLength(3);
  });

  test.for(SEEDS)('garbage in shared data, in the middle of traffic (seed %i)', (seed) => {
    const dice = new Dice(seed);
    const it = scene({
      connected: true,
      features: EVERYTHING,
      configuration: { fallbackClusters: ['spare'], cache: { entries: 8 } },
      seed,
    });
    it.fleet.publish('shop', { policy: policy(EVERYTHING) });
    answerCalls(it, dice);
    for (let i = 0; i < 1200; i++) {
      happen(randomRequest(it, dice), dice);
      const key = dice.pick(it.proxy.shared.keys(it.proxy.vmId).concat('rk1:shop:foreign'));
      const old = it.proxy.shared.get(it.proxy.vmId, key)?.bytes ?? new Uint8Array();
      const bytes = dice.chance(50) ? dice.bytes(dice.below(300)) : spoil(Buffer.from(old).toString('latin1') || 'x', dice);
      if (dice.chance(30)) it.proxy.shared.set(it.proxy.vmId, key, bytes, 0);
      if (dice.chance(5))
        it.fleet.flag('shop', {
          feature: dice.pick(['catalog', 'cart']),
          state: dice.pick(['DISABLED', 'TESTING', 'ENABLED']),
          admit: dice.below(10_001),
        });
      it.advance(dice.below(60));
    }
    expect(it.proxy.liveVms).toHaveLength(3);
  });

  test.for(SEEDS)('what the control plane answers (seed %i)', (seed) => {
    const dice = new Dice(seed);
    const it = scene({ connected: true, policy: null, seed });
    it.fleet.publish('shop', { policy: policy(EVERYTHING) });
    it.proxy.clusters.set('control-plane', (call) => {
      if (dice.chance(40)) return it.fleet.take(call);
      const valid =
        call.method === 'GET' ? JSON.stringify(it.fleet.directive('shop', dice.chance(70))) : String(it.fleet.reply('shop').body);
      const status = dice.pick([200, 200, 200, 200, 304, 404, 503, 0]);
      call.respond({ status, headers: { 'retry-after': dice.pick(VALUES), etag: dice.text(10) }, body: spoil(valid, dice) });
    });
    for (let i = 0; i < 400; i++) {
      if (dice.chance(20))
        it.fleet.flag('shop', {
          feature: dice.pick(['catalog', 'cart', 'plain']),
          state: 'TESTING',
          admit: dice.below(10_001),
          expiresInMs: dice.below(1000),
        });
      if (dice.chance(20))
        it.fleet.permits.push({ feature: 'plain', step: dice.below(9), count: dice.below(5), ttlMs: 1 + dice.below(1000) });
      happen(randomRequest(it, dice), dice);
      it.advance(500);
    }
    expect(it.proxy.liveVms).toHaveLength(3);
  });

  test.for(SEEDS)('plugin configurations: taken or refused in one line (seed %i)', (seed) => {
    const dice = new Dice(seed);
    const valid = JSON.stringify(
      configurationOf({ features: EVERYTHING, connected: true, configuration: { fallbackClusters: ['spare'] } }),
    );
    for (let i = 0; i < 150; i++) {
      const configuration = spoil(valid, dice);
      const proxy = new EnvoyProxy({ module: release, plugin: { configuration }, workers: 0 });
      try {
        proxy.addPlugin({ configuration });
      } catch {
        const errors = proxy.logs.filter(({ level }) => level >= 4).map(({ message }) => message);
        expect(errors, configuration.toString()).toEqual([expect.stringContaining('configuration refused')]);
      }
    }
  });
});
