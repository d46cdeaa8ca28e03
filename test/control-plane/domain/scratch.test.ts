import fc from 'fast-check';
import { test } from 'vitest';
import { HEALED_MS, policies, troubles } from './arbitraries.ts';
import { SimulatedFleet } from './simulated-fleet.ts';

test('stats', () => {
  const runs = fc.record({
    policy: policies,
    proxies: fc.integer({ min: 1, max: 5 }),
    troubles,
    rate: fc.constantFrom(2, 5, 10),
    lossPercent: fc.constantFrom(0, 0, 10, 30),
    cutOff: fc.option(fc.nat(4), { nil: null }),
    seed: fc.integer(),
  });
  const tally: Record<string, number> = {};
  const add = (k: string) => {
    tally[k] = (tally[k] ?? 0) + 1;
  };
  const tails: number[] = [];
  let worst: [number, unknown] = [0, null];
  for (const run of fc.sample(runs, { numRuns: 300, seed: 7 })) {
    const { policy, proxies, troubles: all, rate, lossPercent, cutOff, seed } = run;
    const at = (feature: string, atMs: number) =>
      all.find((e) => `f${e.feature % policy.features.length}` === feature && atMs >= e.fromMs && atMs < e.fromMs + e.forMs);
    const fleet = new SimulatedFleet(
      policy,
      proxies,
      {
        failing: (f, ms, _n, admit) => {
          const t = at(f, ms);
          return t && admit > t.aboveAdmit ? t.failing : 0;
        },
        latencyMs: (f, ms) => (at(f, ms)?.hangs ? 2500 : 20),
        rate: () => rate,
        lost: (node, s) => (s * 37 + node * 11) % 100 < lossPercent,
        connected: (node, ms) => node !== cutOff || ms < 15000 || ms > 40000,
      },
      seed,
    );
    fleet.run(HEALED_MS);
    for (const e of fleet.timeline)
      if (e.event !== 'holds') add(e.event + ' ' + e.reason.because);
      else add('holds ' + e.reason.because);
    add(`probes ${fleet.mostProbes}/${policy.recovery.probesInFlight}`);
    if (fleet.state.recovery) {
      const t = fleet.atMs;
      const ok = fleet.run(600_000, () => fleet.allEnabled() && fleet.state.recovery?.endedAtMs !== null);
      tails.push(fleet.atMs - t);
      if (!ok) add('NOT ENDED');
      if (fleet.atMs - t > worst[0]) worst = [fleet.atMs - t, [run, fleet.timeline.slice(-40)]];
    }
  }
  console.log(tally);
  tails.sort((a, b) => a - b);
  console.log(
    tails.length,
    tails[Math.floor(tails.length / 2)],
    tails[Math.floor(tails.length * 0.9)],
    tails[Math.floor(tails.length * 0.99)],
    tails.at(-1),
  );
  console.log(JSON.stringify(worst, null, 0).slice(0, 9000));
});
