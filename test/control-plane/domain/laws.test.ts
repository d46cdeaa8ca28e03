import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { Policy } from '../../../control-plane/contract/policy.ts';
import { sum } from '../../../control-plane/domain/counts.ts';
import { graphOf } from '../../../control-plane/domain/dependency-graph.ts';
import { featuresOf, isSick, stateForDependants } from '../../../control-plane/domain/feature.ts';
import type { Evidence, FeatureRecord } from '../../../control-plane/domain/model.ts';
import { setOverride } from '../../../control-plane/domain/overrides.ts';
import { type Act, acts, HEALED_MS, policies, type Trouble, troubles } from './arbitraries.ts';
import { done, override } from './fixtures.ts';
import { type Decision, SimulatedFleet, type World } from './simulated-fleet.ts';

/** A fleet in a random world: outages, hangs, lost reports, partitions, thin and thick traffic. */
const runs = fc.record({
  policy: policies,
  proxies: fc.integer({ min: 1, max: 5 }),
  troubles,
  acts,
  rate: fc.constantFrom(2, 5, 10),
  lossPercent: fc.constantFrom(0, 0, 10, 30),
  cutOff: fc.option(fc.nat(4), { nil: null }),
  seed: fc.integer(),
});
type Run = typeof runs extends fc.Arbitrary<infer R> ? R : never;

function fleetOf({ policy, proxies, troubles: all, rate, lossPercent, cutOff, seed }: Run): SimulatedFleet {
  const at = (feature: string, atMs: number) => all.find((each) => nameOf(each, policy) === feature && isOn(each, atMs));
  const world: Partial<World> = {
    failing: (feature, atMs, _node, admit) => failingShare(at(feature, atMs), admit),
    latencyMs: (feature, atMs) => (at(feature, atMs)?.hangs ? 2500 : 20),
    rate: () => rate,
    lost: (node, sequence) => (sequence * 37 + node * 11) % 100 < lossPercent,
    connected: (node, atMs) => node !== cutOff || atMs < 15_000 || atMs > 40_000,
  };
  return new SimulatedFleet(policy, proxies, world, seed);
}

/** Runs until all troubles are over, with all that people and machines do meanwhile. */
function lived(run: Run): SimulatedFleet {
  const fleet = fleetOf(run);
  for (const act of run.acts) {
    fleet.run(act.atMs - fleet.atMs);
    if (act.kind === 'restart') fleet.restartControlPlane();
    else forced(fleet, act);
  }
  fleet.run(HEALED_MS - fleet.atMs);
  return fleet;
}

function forced(fleet: SimulatedFleet, { feature, override: kind, admit, forMs }: Extract<Act, { kind: 'override' }>): void {
  const { name } = fleet.state.policy.features[feature % fleet.state.policy.features.length]!;
  const word = override(kind, { admit, createdAtMs: fleet.nowMs, expiresAtMs: fleet.nowMs + forMs });
  fleet.apply(done(setOverride(fleet.state, name, word, fleet.nowMs)));
}

function failingShare(trouble: Trouble | undefined, admit: number): number {
  return trouble && admit > trouble.aboveAdmit ? trouble.failing : 0;
}

function nameOf(trouble: Trouble, { features }: Policy): string {
  return `f${trouble.feature % features.length}`;
}

function isOn(trouble: Trouble, atMs: number): boolean {
  return atMs >= trouble.fromMs && atMs < trouble.fromMs + trouble.forMs;
}

/** Time that a healthy upstream needs to be back for all, by the policy: computed feature after feature, as if none overlapped. */
function boundMs(policy: Policy): number {
  const perFeature = policy.features.map(({ recovery }) => {
    const waitsMs = 2 * recovery.backoff.capMs + 8 * recovery.stableForMs; // the wait before the next attempt, and of a failed step
    const stepMs = 3 * recovery.stableForMs + 15_000; // with little traffic the samples take as long as they take
    return waitsMs + 40_000 + (recovery.rampPercent.length + 1) * stepMs;
  });
  return perFeature.reduce((total, ms) => total + ms, 0);
}

const RUNS = { numRuns: Number(process.env['LAW_RUNS'] ?? 50) };
// More runs, by LAW_RUNS, take their time.
vi.setConfig({ testTimeout: 30_000 + 200 * RUNS.numRuns });

test('law: a flag rises only while each dependency is ENABLED and neither DEGRADED nor UNHEALTHY (R4)', () => {
  fc.assert(
    fc.property(runs, (run) => {
      const fleet = lived(run);
      for (const decision of fleet.decisions) for (const name of risen(decision)) expectFitDependencies(decision, name);
    }),
    RUNS,
  );
});

test('law: a flag rises only with the evidence of its step, or by the rules of little traffic (R7)', () => {
  fc.assert(
    fc.property(runs, (run) => {
      const fleet = lived(run);
      for (const decision of fleet.decisions) for (const name of risen(decision)) expectEvidence(decision, name);
    }),
    RUNS,
  );
});

test('law: a step lasts its stability window before the next one (R12)', () => {
  fc.assert(
    fc.property(runs, (run) => {
      const fleet = lived(run);
      for (const decision of fleet.decisions) for (const name of risen(decision)) expectStability(decision, name);
    }),
    RUNS,
  );
});

test('law: nothing falls for want of evidence (R4)', () => {
  fc.assert(
    fc.property(runs, (run) => {
      const fleet = lived({ ...run, troubles: [], acts: run.acts.filter(({ kind }) => kind === 'restart') });
      expect(fleet.decisions.flatMap(({ result }) => result.transitions)).toEqual([]);
    }),
    { numRuns: 30 },
  );
});

test('law: a recovery ends within a bound of the policy once the upstream stays healthy (R6, R13)', () => {
  fc.assert(
    fc.property(runs, (run) => {
      const fleet = lived(run);
      const ended = fleet.run(boundMs(run.policy), () => fleet.allEnabled() && fleet.state.recovery?.endedAtMs !== null);
      expect(ended, JSON.stringify(fleet.state.features)).toBe(true);
    }),
    RUNS,
  );
});

test('law: governed probes at the upstream never exceed the budget (R8)', () => {
  fc.assert(
    fc.property(runs, (run) => {
      const fleet = lived({ ...run, troubles: run.troubles.map((each) => ({ ...each, hangs: true })) });
      expect(fleet.mostProbes).toBeLessThanOrEqual(run.policy.recovery.probesInFlight);
    }),
    RUNS,
  );
});

test('law: two executions over the same evidence agree', () => {
  fc.assert(
    fc.property(runs, (run) => {
      expect(lived(run).state).toEqual(lived(run).state);
    }),
    { numRuns: 20 },
  );
});

/** Features that the fleet let more through of after the decision than before. Leaving an override is the person's word. */
function risen({ before, result }: Decision): string[] {
  const rises = result.transitions.filter(({ from, to, reason }) => to.admit > from.admit && !reason.because.startsWith('override'));
  return rises.map(({ feature }) => feature).filter((feature) => before.features[feature]!.override === null);
}

function expectFitDependencies({ result }: Decision, name: string): void {
  for (const { feature } of graphOf(result.state.policy).dependencies(name)) {
    const dependency = result.state.features[feature]!;
    const state = stateForDependants(dependency); // a person's word counts before the flag (R14)
    expect({ name, feature, state, sick: isSick(dependency.health) }).toEqual({ name, feature, state: 'ENABLED', sick: false });
  }
}

function expectEvidence({ before, evidence, result }: Decision, name: string): void {
  const record = before.features[name]!;
  const { because } = result.state.features[name]!.reason;
  if (because === 'recovered-locally') return;
  const settings = featuresOf(before.policy).get(name)!.recovery;
  const seen = seenOf(evidence, record);
  const needed = record.state === 'DISABLED' ? settings.probes : Math.min(3, settings.minimumSamples);
  expect(seen.succeeded, `${name} rose ${because} with ${JSON.stringify(seen)}`).toBeGreaterThanOrEqual(needed);
  if (record.state !== 'TESTING' || seen.succeeded + seen.failed >= settings.minimumSamples) return;
  expect(seen.failed, `${name} rose with failures among too few samples`).toBe(0);
}

function expectStability({ before, result }: Decision, name: string): void {
  const record = before.features[name]!;
  const after = result.state.features[name]!;
  if (record.state !== 'TESTING' || after.reason.because === 'recovered-locally') return;
  const lastedMs = after.sinceMs - record.sinceMs;
  expect(lastedMs).toBeGreaterThanOrEqual(Math.max(1000, record.recovery!.stableMs));
  expect(after.sinceMs, 'before the wait of a failed step was over').toBeGreaterThanOrEqual(record.recovery!.nextAttemptAtMs);
}

function seenOf(evidence: Evidence, record: FeatureRecord) {
  return sum(
    evidence.proxies
      .map((proxy) => proxy.features[record.name])
      .filter((shown) => shown?.step === record.step)
      .map((shown) => shown!.sample),
  );
}
