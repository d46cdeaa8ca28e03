import { describe, expect, test } from 'vitest';
import { clearOverride, setOverride } from '../../../control-plane/domain/overrides.ts';
import { applyPolicy } from '../../../control-plane/domain/policy-change.ts';
import { ProbePermits } from '../../../control-plane/domain/probe-permits.ts';
import { abortRecovery } from '../../../control-plane/domain/recovery/commands.ts';
import type { Move, Progress, RecoveryPattern } from '../../../control-plane/domain/recovery/pattern.ts';
import { PatternRegistry } from '../../../control-plane/domain/recovery/registry.ts';
import { rampingPriorities } from '../../../control-plane/domain/recovery/step.ts';
import { done, type FeatureSketch, override, policyOf, shop, T0 } from './fixtures.ts';
import { SimulatedFleet } from './simulated-fleet.ts';

const MINUTE = 60_000;
const HOUR = 3_600_000;

const QUICK: NonNullable<FeatureSketch['recovery']> = {
  rampPercent: [5, 25, 50, 100],
  minimumSamples: 5,
  stableForMs: 3000,
  backoff: { baseMs: 500, capMs: 2000 },
};

function one(recovery: NonNullable<FeatureSketch['recovery']> = QUICK): ReturnType<typeof policyOf> {
  return policyOf([{ name: 'catalog', recovery }]);
}

/** Fails for this span. */
function down(fromMs: number, toMs: number, feature = 'catalog') {
  return (name: string, atMs: number) => (name === feature && atMs >= fromMs && atMs < toMs ? 1 : 0);
}

function events(fleet: SimulatedFleet, feature?: string): string[] {
  return fleet.timeline
    .filter((entry) => entry.event !== 'holds' && entry.event !== 'health' && (feature === undefined || entry.feature === feature))
    .map((entry) => entry.event);
}

function recovered(fleet: SimulatedFleet): boolean {
  return fleet.allEnabled() && fleet.state.recovery !== null && fleet.state.recovery.endedAtMs !== null;
}

describe('the demo: ten seconds of outage', () => {
  test('catalog is back within 15 s, checkout within another 10 s, in order of the dependency', () => {
    const fleet = new SimulatedFleet(shop(QUICK), 1, { failing: down(15_000, 25_000) });
    fleet.run(25_000);
    expect(fleet.feature('catalog').state).toBe('DISABLED');
    expect(fleet.feature('checkout').state).toBe('DISABLED'); // hard
    expect(fleet.feature('recommendations').state).toBe('ENABLED'); // soft and healthy

    expect(fleet.run(15_000, () => fleet.feature('catalog').state === 'ENABLED')).toBe(true);
    expect(fleet.feature('checkout').state).toBe('DISABLED');
    expect(fleet.run(10_000, () => fleet.allEnabled())).toBe(true);
    expect(fleet.run(5000, () => recovered(fleet))).toBe(true);
    expect(fleet.state.recovery?.result).toBe('recovered');
    expect(events(fleet, 'checkout')).toEqual(['pulled-back', 'probe-attempt', 'probes-succeeded', 'step-passed', 'enabled']);
  });

  test('while DISABLED nothing but probes reaches the upstream', () => {
    const fleet = new SimulatedFleet(one(), 2, { failing: down(15_000, 75_000) });
    fleet.run(25_000);
    const before = fleet.served.get('catalog')!.all;
    fleet.run(50_000);
    const attempts = events(fleet).filter((event) => event === 'probe-attempt').length;
    expect(fleet.served.get('catalog')!.all - before).toBeLessThanOrEqual(4 * attempts); // three needed: at most two from each of the two proxies;
  });
});

describe('(a) all proxies trip, the upstream is down for ten minutes', () => {
  test('with the control plane: governed probes within the budget all along, ENABLED within a minute of the end', () => {
    const fleet = new SimulatedFleet(one(), 5, { failing: down(15_000, 10 * MINUTE) });
    fleet.run(10 * MINUTE);
    expect(fleet.feature('catalog').state).toBe('DISABLED');
    expect(fleet.mostProbes).toBeLessThanOrEqual(fleet.state.policy.recovery.probesInFlight);
    expect(events(fleet)).toContain('recovery_stuck'); // told, and it went on all the same (R6)
    expect(fleet.run(MINUTE, () => recovered(fleet))).toBe(true);
  });

  test('without it from the first minute on: proxies recover by themselves, and the fleet follows when contact returns', () => {
    const fleet = new SimulatedFleet(one(), 5, {
      failing: down(15_000, 5 * MINUTE),
      connected: (_node, atMs) => atMs < MINUTE || atMs > 8 * MINUTE,
    });
    fleet.run(8 * MINUTE);
    expect(fleet.feature('catalog').state).toBe('DISABLED');
    expect(fleet.phases('catalog')).toEqual(['CLOSED', 'CLOSED', 'CLOSED', 'CLOSED', 'CLOSED']);
    expect(fleet.run(15_000, () => fleet.allEnabled())).toBe(true);
    expect(fleet.state.recovery?.result).toBe('recovered-locally');
  });
});

test('(b) one bad proxy of 50: the fleet stays as it is and names it', () => {
  const fleet = new SimulatedFleet(one(), 50, { failing: (_feature, atMs, node) => (node === 7 && atMs > 15_000 ? 1 : 0) });
  fleet.run(40_000);
  expect(fleet.feature('catalog').state).toBe('ENABLED');
  expect(fleet.state.recovery).toBeNull();
  expect(fleet.phases('catalog').filter((phase) => phase !== 'CLOSED')).toHaveLength(1);
  expect(fleet.suspectsOf('catalog')).toEqual(['node-7']);
});

test('(c) one request a minute: recovers by its probes alone, without a ramp', () => {
  const perMinute = (_feature: string, atMs: number) => (atMs < 40_000 ? 20 : 1 / 60);
  const fleet = new SimulatedFleet(one({ ...QUICK, minimumSamples: 20 }), 1, { failing: down(15_000, 45_000), rate: perMinute });
  fleet.run(45_000);
  expect(fleet.feature('catalog').state).toBe('DISABLED');
  expect(fleet.run(15 * MINUTE, () => recovered(fleet))).toBe(true);
  expect(fleet.feature('catalog').recovery?.reason.because ?? 'low-traffic').toBe('low-traffic');
});

describe('(c) without any request from the outage on', () => {
  const probe = { request: { cluster: 'shop', path: '/health' } };
  const nobody = (_feature: string, atMs: number) => (atMs < 40_000 ? 20 : 0);
  const fleetWith = (feature: Partial<FeatureSketch>, proxies: number, seed = 1) =>
    new SimulatedFleet(
      policyOf([{ name: 'catalog', recovery: QUICK, ...feature }]),
      proxies,
      { failing: down(15_000, 2 * MINUTE), rate: nobody },
      seed,
    );

  test.for([1, 2, 5])('%i proxies: with probe.request it recovers by these alone, within the budget', (proxies) => {
    const fleet = fleetWith({ probe }, proxies);
    fleet.run(2 * MINUTE);
    expect(fleet.feature('catalog').state).toBe('DISABLED');
    expect(fleet.run(MINUTE, () => recovered(fleet))).toBe(true);
    expect(events(fleet, 'catalog').slice(-2)).toEqual(['probe-attempt', 'enabled']); // nobody is there for a ramp
    expect(fleet.mostProbes).toBeLessThanOrEqual(fleet.state.policy.recovery.probesInFlight);
  });

  test('it holds without', () => {
    const fleet = fleetWith({}, 2);
    fleet.run(10 * MINUTE);
    expect(fleet.feature('catalog').state).toBe('DISABLED');
    expect(fleet.state.recovery?.endedAtMs).toBeNull();
  });
});

test('(d) a parent flaps while its children are in TESTING: they fall with it and resume one step below, none is lost', () => {
  const policy = policyOf([
    { name: 'parent', recovery: { ...QUICK, rampPercent: [100] } },
    { name: 'child', dependsOn: [['parent', 'hard']], recovery: { ...QUICK, minimumSamples: 40 } },
  ]);
  let broken = false;
  const fleet = new SimulatedFleet(policy, 3, {
    failing: (name, atMs) => (name === 'parent' && (broken || (atMs > 15_000 && atMs < 25_000)) ? 1 : 0),
  });
  expect(
    fleet.run(90_000, () => fleet.atMs > 25_000 && fleet.feature('child').admit >= 5000 && fleet.feature('child').state === 'TESTING'),
  ).toBe(true);
  const before = fleet.feature('child').recovery!;
  broken = true;
  expect(fleet.run(20_000, () => fleet.feature('parent').state === 'DISABLED')).toBe(true);
  const [parent, child] = [fleet.feature('parent'), fleet.feature('child')];
  expect(child.state).toBe('DISABLED');
  expect(child.step).toBe(parent.step); // one transition, one revision
  expect(child.recovery?.passedIndex).toBe(before.passedIndex);
  expect(child.recovery?.attempt).toBe(before.attempt);

  broken = false;
  expect(fleet.run(60_000, () => fleet.feature('child').state === 'TESTING')).toBe(true);
  expect(fleet.feature('child').recovery?.rampIndex).toBe(Math.max(0, before.passedIndex - 1));
  expect(fleet.run(60_000, () => recovered(fleet))).toBe(true);
  // The second opening lay within `resetAfterMs`: the parent had to prove itself for twice as long.
  expect(fleet.feature('parent').recovery?.refailures).toBe(1);
});

test('(e) the control plane restarts in mid-recovery with one proxy cut off: it goes on where it was', () => {
  const fleet = new SimulatedFleet(one(), 3, {
    failing: down(15_000, 25_000),
    connected: (node, atMs) => node !== 2 || atMs < 20_000 || atMs > 90_000,
  });
  expect(fleet.run(40_000, () => fleet.feature('catalog').state === 'TESTING')).toBe(true);
  const { step, admit } = fleet.feature('catalog');
  fleet.restartControlPlane();
  fleet.run(1000);
  expect(fleet.feature('catalog')).toMatchObject({ state: 'TESTING', step, admit });
  expect(fleet.run(60_000, () => recovered(fleet))).toBe(true);
  expect(events(fleet).filter((event) => event === 'recovery-started')).toHaveLength(1);
});

describe('(f) an operator forces a feature open', () => {
  test('and forgets: it expires, and the feature comes back through the probes', () => {
    const fleet = new SimulatedFleet(shop(QUICK), 2);
    fleet.run(15_000);
    fleet.apply(
      done(
        setOverride(
          fleet.state,
          'catalog',
          override('FORCED_OPEN', { createdAtMs: fleet.nowMs, expiresAtMs: fleet.nowMs + HOUR / 12 }),
          fleet.nowMs,
        ),
      ),
    );
    fleet.run(4 * MINUTE);
    expect(fleet.feature('catalog').override).not.toBeNull();
    expect(fleet.feature('checkout').state).toBe('DISABLED'); // a hard dependant
    expect(fleet.feature('recommendations').state).toBe('ENABLED');
    fleet.run(MINUTE, () => fleet.feature('catalog').override === null);
    expect(fleet.feature('catalog').state).toBe('DISABLED');
    expect(fleet.run(MINUTE, () => recovered(fleet))).toBe(true);
    expect(events(fleet, 'catalog').slice(0, 4)).toEqual(['overridden', 'override-left', 'probe-attempt', 'probes-succeeded']);
  });

  test('and takes it back', () => {
    const fleet = new SimulatedFleet(one(), 2);
    fleet.run(15_000);
    fleet.apply(
      done(setOverride(fleet.state, 'catalog', override('FORCED_OPEN', { createdAtMs: fleet.nowMs, expiresAtMs: null }), fleet.nowMs)),
    );
    fleet.run(20_000);
    fleet.apply(done(clearOverride(fleet.state, 'catalog', { who: 'ann', why: 'done' }, fleet.nowMs)));
    expect(fleet.feature('catalog').state).toBe('DISABLED');
    expect(fleet.run(MINUTE, () => recovered(fleet))).toBe(true);
  });
});

test('(g) priority and a new dependency in mid-recovery: no traffic changes, the new dependency only blocks further rises', () => {
  const fleet = new SimulatedFleet(
    policyOf([
      { name: 'sick', recovery: QUICK },
      { name: 'catalog', recovery: { ...QUICK, minimumSamples: 30 } },
    ]),
    2,
    { failing: (name, atMs) => (atMs > 15_000 && (name === 'sick' || atMs < 25_000) ? 1 : 0) },
  );
  expect(fleet.run(90_000, () => fleet.feature('catalog').state === 'TESTING')).toBe(true);
  const { admit, state, step } = fleet.feature('catalog');
  const changed = policyOf([
    { name: 'sick', priority: 900, recovery: QUICK },
    { name: 'catalog', priority: 1, dependsOn: ['sick'], recovery: { ...QUICK, minimumSamples: 30 } },
  ]);
  fleet.apply(done(applyPolicy(fleet.state, changed, fleet.nowMs)));
  expect(fleet.feature('catalog')).toMatchObject({ admit, state, step });
  fleet.run(MINUTE);
  expect(fleet.feature('catalog')).toMatchObject({ admit, state });
  expect(fleet.feature('catalog').recovery?.reason).toMatchObject({ because: 'dependency-not-enabled' });
});

test('(g) rename in mid-recovery: share, steps and plan go on under the new name, and it ends', () => {
  const fleet = new SimulatedFleet(one({ ...QUICK, minimumSamples: 30 }), 2, { failing: down(15_000, 25_000) });
  expect(fleet.run(90_000, () => fleet.feature('catalog').state === 'TESTING')).toBe(true);
  const before = fleet.feature('catalog');
  const renamed = policyOf([{ name: 'products', renamedFrom: 'catalog', recovery: { ...QUICK, minimumSamples: 30 } }]);
  fleet.apply(done(applyPolicy(fleet.state, renamed, fleet.nowMs)));
  const { state, admit, recovery } = fleet.feature('products');
  expect({ state, admit, rampIndex: recovery?.rampIndex }).toEqual({
    state: 'TESTING',
    admit: before.admit,
    rampIndex: before.recovery?.rampIndex,
  });
  expect(fleet.run(MINUTE, () => recovered(fleet))).toBe(true);
  expect(fleet.state.recovery).toMatchObject({ result: 'recovered', plan: [['products']] });
});

test('(h) traffic falls to zero in mid-ramp and comes back in the morning: it holds, counts neither way, and needs fresh samples', () => {
  let asleep = false;
  const fleet = new SimulatedFleet(one({ ...QUICK, minimumSamples: 9 }), 1, {
    failing: down(15_000, 25_000),
    rate: () => (asleep ? 0 : 20),
  });
  fleet.run(25_000);
  expect(fleet.run(30_000, () => fleet.feature('catalog').state === 'TESTING')).toBe(true);
  fleet.run(1500);
  const { state, admit, step } = fleet.feature('catalog');
  asleep = true;
  fleet.skip(fleet.atMs + 8 * HOUR);
  expect(fleet.feature('catalog')).toMatchObject({ state, admit, step });
  asleep = false;
  const morningMs = fleet.atMs;
  expect(fleet.run(30_000, () => fleet.feature('catalog').step !== step)).toBe(true);
  expect(fleet.atMs - morningMs).toBeGreaterThanOrEqual(fleet.feature('catalog').recovery!.stableMs);
  expect(fleet.run(60_000, () => recovered(fleet))).toBe(true);
});

test('(i) two services share an upstream: one budget for their probes, and they ramp one after the other, by priority', () => {
  const permits = new ProbePermits(T0 - MINUTE);
  const shared = (service: string, priority: number) =>
    policyOf([{ name: 'catalog', priority, recovery: { ...QUICK, minimumSamples: 20 } }], {
      ...{ service, recovery: { upstreamGroup: 'database', probesInFlight: 4 } },
    });
  const world = { failing: down(15_000, 40_000), latencyMs: () => 300 };
  const fleets: SimulatedFleet[] = [];
  const join = (service: string, priority: number, seed: number): SimulatedFleet => {
    const others = () => fleets.filter((fleet) => fleet.state.service !== service).flatMap(({ state }) => rampingPriorities(state));
    const fleet = new SimulatedFleet(shared(service, priority), 3, world, seed, { permits, rampingElsewhere: others });
    fleets.push(fleet);
    return fleet;
  };
  const [first, second] = [join('orders', 1, 4), join('reports', 2, 3)];
  let mostProbes = 0;
  const turns: string[] = [];
  for (let ms = 0; ms < 3 * MINUTE && !(recovered(first) && recovered(second)); ms += 100) {
    for (const fleet of fleets) fleet.run(100);
    mostProbes = Math.max(mostProbes, first.probesInFlight() + second.probesInFlight());
    const ramping = fleets.filter((fleet) => fleet.feature('catalog').state === 'TESTING').map(({ state }) => state.service);
    const turn = ramping.join('+');
    if (turn !== '' && turns.at(-1) !== turn) turns.push(turn);
  }
  expect([recovered(first), recovered(second)]).toEqual([true, true]);
  expect(mostProbes).toBeLessThanOrEqual(4);
  expect(second.timeline.some(({ reason }) => reason.because === 'upstream-group-turn')).toBe(true);
  expect(turns).toEqual(['orders', 'reports']);
});

test('(j) rolling restart of all proxies in mid-recovery: young proxies have no say, and it ends', () => {
  const fleet = new SimulatedFleet(one(), 4, {
    failing: down(15_000, 25_000),
    running: (node, atMs) => atMs < 24_000 + node * 3000 || atMs > 26_000 + node * 3000,
  });
  fleet.run(25_000);
  expect(fleet.run(60_000, () => recovered(fleet))).toBe(true);
  expect(events(fleet).filter((event) => event === 'opened')).toHaveLength(1);
});

test('(k) the permit holder dies: the attempt is inconclusive, never failed, and others probe', () => {
  const fleet = new SimulatedFleet(one(), 2, {
    failing: down(15_000, 20_500),
    latencyMs: (_feature, atMs) => (atMs > 20_500 && atMs < 26_000 ? 5000 : 20),
    running: (node, atMs) => node !== 0 || atMs < 23_000,
  });
  fleet.run(22_900);
  expect(fleet.feature('catalog').recovery?.phase).toBe('probing');
  expect(fleet.mostProbes).toBe(3); // on both proxies
  expect(fleet.run(60_000, () => recovered(fleet))).toBe(true);
  expect(events(fleet)).not.toContain('attempt-failed');
});

test('(l) healthy at 25 %, always fails at 50 %: it stays at 25 %, reports its ceiling, and tries again ever more rarely', () => {
  const fleet = new SimulatedFleet(one(), 2, {
    failing: (_feature, atMs, _node, admit) =>
      (atMs > 15_000 && atMs < 25_000) || (atMs >= 25_000 && admit >= 5000 && admit < 10_001) ? 1 : 0,
  });
  fleet.run(10 * MINUTE);
  const { state, admit, recovery } = fleet.feature('catalog');
  expect({ state, admit, phase: recovery?.phase }).toEqual({ state: 'TESTING', admit: 2500, phase: 'ceiling' });
  expect(events(fleet)).toContain('ceiling');
  const tries = fleet.timeline.filter((entry) => entry.event === 'step-failed').map((entry) => entry.atMs);
  const gaps = tries.slice(1).map((atMs, index) => atMs - tries[index]!);
  expect(gaps.length).toBeGreaterThanOrEqual(4);
  for (const [index, gap] of gaps.slice(1).entries()) expect(gap).toBeGreaterThan(gaps[index]!);
  expect(events(fleet).filter((event) => event === 'opened')).toHaveLength(1); // never back to the probes
});

test('a person aborts: flags stay, proxies recover by themselves, and the flags follow', () => {
  const fleet = new SimulatedFleet(one(), 3, { failing: down(15_000, 30_000) });
  fleet.run(24_000);
  expect(fleet.feature('catalog').state).toBe('DISABLED');
  fleet.apply(done(abortRecovery(fleet.state, { who: 'ann', why: 'we know better' }, fleet.nowMs)));
  fleet.run(1000);
  expect(fleet.feature('catalog').state).toBe('DISABLED');
  expect(fleet.run(2 * MINUTE, () => fleet.allEnabled())).toBe(true);
  expect(fleet.feature('catalog').reason.because).toBe('recovered-locally');
  expect(fleet.state.released).toBe(false);
});

test('a pattern of others, by nothing but its interface, carries a whole recovery: half, then all', () => {
  class HalfThenAll implements RecoveryPattern {
    readonly name = 'partial'; // stands in for the built-in one
    nextAttempt() {
      return { waitMs: 700, isHeld: false };
    }
    onSuccess(progress: Progress): Move {
      const isProbing = progress.rampIndex < 0;
      const next = { ...progress, rampIndex: isProbing ? 2 : 4, passedIndex: progress.rampIndex };
      return { to: isProbing ? 'step' : 'enabled', progress: next, waitMs: 0, alert: null, isHeld: false, reason: { because: 'onwards' } };
    }
    onFailure(progress: Progress): Move {
      const next = { ...progress, rampIndex: -1, passedIndex: -1, attempt: progress.attempt + 1 };
      return { to: 'probes', progress: next, waitMs: 700, alert: null, isHeld: false, reason: { because: 'once-more' } };
    }
  }
  const patterns = new PatternRegistry([new HalfThenAll()]);
  const fleet = new SimulatedFleet(one(), 3, { failing: down(15_000, 25_000) }, 1, { patterns });
  fleet.run(25_000);
  const shares = new Set<number>();
  expect(
    fleet.run(MINUTE, () => {
      shares.add(fleet.feature('catalog').admit);
      return recovered(fleet);
    }),
  ).toBe(true);
  expect([...shares]).toEqual([0, 5000, 10_000]);
  expect(fleet.timeline.filter(({ event }) => event === 'once-more').length).toBeGreaterThanOrEqual(2);
});
