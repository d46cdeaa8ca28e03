import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { Feature, Policy } from '../../../control-plane/contract/policy.ts';
import { auditedStateOf, replay } from '../../../control-plane/domain/audit.ts';
import { sum } from '../../../control-plane/domain/counts.ts';
import { graphOf } from '../../../control-plane/domain/dependency-graph.ts';
import { featuresOf, isSick, stateForDependants } from '../../../control-plane/domain/feature.ts';
import {
  type Evidence,
  type FeatureRecord,
  isRefusal,
  type Override,
  type Refusal,
  type StepResult,
} from '../../../control-plane/domain/model.ts';
import { setOverride } from '../../../control-plane/domain/overrides.ts';
import { applyPolicy } from '../../../control-plane/domain/policy-change.ts';
import { abortRecovery, startRecovery } from '../../../control-plane/domain/recovery/commands.ts';
import { pauseRecovery, resumeRecovery } from '../../../control-plane/domain/recovery/pause.ts';
import { promote } from '../../../control-plane/domain/recovery/promote.ts';
import { rollBack } from '../../../control-plane/domain/recovery/rollback.ts';
import { activePause } from '../../../control-plane/domain/recovery/running.ts';
import { type Act, acts, HEALED_MS, policies, type Trouble, troubles } from './arbitraries.ts';
import { override } from './fixtures.ts';
import { type Decision, SimulatedFleet, type World } from './simulated-fleet.ts';

/** A fleet in a random world: outages, hangs, lost reports, partitions, thin and thick traffic. */
const runs = fc.record({
  policy: policies,
  proxies: fc.integer({ min: 1, max: 5 }),
  troubles,
  acts,
  rate: fc.constantFrom(2, 10, 20),
  lossPercent: fc.constantFrom(0, 0, 10, 30),
  cutOff: fc.option(fc.nat(4), { nil: null }),
  seed: fc.integer(),
});
type Run = typeof runs extends fc.Arbitrary<infer R> ? R : never;

function fleetOf({ policy, proxies, troubles: all, rate, lossPercent, cutOff, seed }: Run): SimulatedFleet {
  const at = (feature: string, atMs: number) => all.find((each) => nameOf(each, policy) === feature.replace(/x+$/, '') && isOn(each, atMs));
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
function lived(run: Run, onAct: (fleet: SimulatedFleet) => void = () => undefined): SimulatedFleet {
  const fleet = fleetOf(run);
  for (const act of run.acts) {
    fleet.run(act.atMs - fleet.atMs);
    perform(fleet, act);
    onAct(fleet);
  }
  fleet.run(HEALED_MS - fleet.atMs);
  return fleet;
}

const ANN = { who: 'ann', why: 'test' };

/** What a person does counts only where the domain lets it. */
function perform(fleet: SimulatedFleet, act: Act): void {
  if (act.kind === 'restart') {
    fleet.restartControlPlane();
    return;
  }
  if (act.kind === 'hold-a-parent') fleet.run(30_000, () => parentOfOneThatRamps(fleet) !== NOBODY); // or too few runs come to it
  const result = commanded(fleet, act);
  if (!isRefusal(result)) fleet.apply(result);
}

function commanded(fleet: SimulatedFleet, act: Exclude<Act, { kind: 'restart' }>): StepResult | Refusal {
  const { state, nowMs } = fleet;
  switch (act.kind) {
    case 'override':
      return setOverride(state, featureAt(fleet, act), overrideBy(act, nowMs), nowMs);
    case 'hold-a-parent':
      return setOverride(state, parentOfOneThatRamps(fleet), override('HOLD', { admit: 5000, ...timesOf(act, nowMs) }), nowMs);
    case 'pause':
      return pauseRecovery(state, ANN, nowMs, act.forMs);
    case 'resume':
      return resumeRecovery(state, ANN, nowMs);
    case 'promote':
      return promote(state, ANN, nowMs);
    case 'rollback':
      return rollBack(state, ANN, nowMs);
    case 'abort':
      return abortRecovery(state, ANN, nowMs);
    case 'start':
      return startRecovery(state, ANN, nowMs);
    case 'edit':
      return applyPolicy(state, editedPolicy(state.policy, featureAt(fleet, act), act.edit), nowMs);
  }
}

function featureAt({ state }: SimulatedFleet, { feature }: { readonly feature: number }): string {
  return state.policy.features[feature % state.policy.features.length]!.name;
}

const NOBODY = 'nobody';

/** The worst moment for a dependency to become unfit; without one, a name that nobody has. */
function parentOfOneThatRamps({ state }: SimulatedFleet): string {
  const child = state.policy.features.find(({ name, dependsOn }) => dependsOn.length > 0 && state.features[name]?.state === 'TESTING');
  return child?.dependsOn[0]?.feature ?? NOBODY;
}

function overrideBy(act: Extract<Act, { kind: 'override' }>, nowMs: number): Override {
  return override(act.override, { admit: act.admit, ...timesOf(act, nowMs) });
}

function timesOf({ forMs }: { readonly forMs: number }, nowMs: number): Pick<Override, 'createdAtMs' | 'expiresAtMs'> {
  return { createdAtMs: nowMs, expiresAtMs: nowMs + forMs };
}

function editedPolicy(policy: Policy, name: string, edit: Extract<Act, { kind: 'edit' }>['edit']): Policy {
  const change = (feature: Feature): Feature => {
    if (edit === 'thresholds')
      return { ...feature, recovery: { ...feature.recovery, minimumSamples: feature.recovery.minimumSamples + 1 } };
    if (edit === 'ramp') return { ...feature, recovery: { ...feature.recovery, rampPercent: [10, 60, 100] } };
    return edit === 'priority' ? { ...feature, priority: 1 } : { ...feature, name: `${name}x`, renamedFrom: name };
  };
  const follow = (feature: Feature): Feature => {
    const dependsOn = feature.dependsOn.map((edge) => (edge.feature === name ? { ...edge, feature: `${name}x` } : edge));
    return edit === 'rename' ? { ...feature, dependsOn } : feature;
  };
  return { ...policy, features: policy.features.map((feature) => (feature.name === name ? change(feature) : follow(feature))) };
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

const RUNS = Number(process.env['LAW_RUNS'] ?? 50);
// More runs, by LAW_RUNS, take their time.
vi.setConfig({ testTimeout: 30_000 + 300 * RUNS });

/** A law over random runs; how many cases it held in is told. */
function law(name: string, numRuns: number, holds: (run: Run, count: (checks: number) => void) => void): void {
  test(`law: ${name}`, () => {
    let cases = 0;
    let checks = 0;
    const property = fc.property(runs, (run) => {
      cases++;
      holds(run, (more) => {
        checks += more;
      });
    });
    fc.assert(property, { numRuns });
    console.log(`law: ${name}: ${cases} cases, ${checks} checks`);
  });
}

law('a flag rises only while each dependency is ENABLED and neither DEGRADED nor UNHEALTHY (R4)', RUNS, (run, count) => {
  for (const decision of lived(run).decisions) {
    const names = risen(decision);
    for (const name of names) expectFitDependencies(decision, name);
    count(names.length);
  }
});

law('a flag rises only with the evidence of its step, or by the rules of little traffic (R7)', RUNS, (run, count) => {
  for (const decision of lived(run).decisions) {
    const names = risen(decision);
    for (const name of names) expectEvidence(decision, name);
    count(names.length);
  }
});

law('a step lasts its stability window before the next one (R12)', RUNS, (run, count) => {
  for (const decision of lived(run).decisions) {
    const names = risen(decision);
    for (const name of names) expectStability(decision, name);
    count(names.length);
  }
});

law('nothing rises while a person pauses (R14)', RUNS, (run, count) => {
  for (const decision of lived(run).decisions) {
    if (!activePause(decision.result.state)) continue;
    expect(risen(decision)).toEqual([]);
    count(1);
  }
});

law('nothing falls for want of evidence (R4)', 30, (run, count) => {
  const isMachine = ({ kind }: Act) => kind === 'restart' || kind === 'pause' || kind === 'edit';
  const fleet = lived({ ...run, troubles: [], acts: run.acts.filter(isMachine) });
  const changed = fleet.decisions.flatMap(({ result }) => result.transitions);
  expect(changed).toEqual([]);
  count(fleet.decisions.length);
});

law('a recovery ends within a bound of the policy once the upstream stays healthy (R6, R13)', RUNS, (run, count) => {
  const fleet = lived({ ...run, acts: run.acts.filter(({ kind }) => kind !== 'abort') }); // an aborted one is the proxies' own
  const ended = fleet.run(boundMs(fleet.state.policy), () => fleet.allEnabled() && fleet.state.recovery?.endedAtMs !== null);
  expect(ended, JSON.stringify(fleet.state.features)).toBe(true);
  count(1);
});

law('no feature turns from falling to rising sooner than its policy allows (R6, R11)', RUNS, (run, count) => {
  const notBefore = new Map<string, number>();
  let seen = 0;
  const check = (fleet: SimulatedFleet) => {
    for (const decision of fleet.decisions.slice(seen)) {
      for (const name of risen(decision)) count(expectNotBefore(decision, name, notBefore.get(name)));
      for (const name of fallen(decision)) notBefore.set(name, leastNextRiseMs(decision, name));
    }
    seen = fleet.decisions.length;
  };
  const fleet = lived(run, (sofar) => {
    check(sofar);
    notBefore.clear(); // people may let go on what waits
  });
  check(fleet);
});

law('governed probes at the upstream never exceed the budget (R8)', RUNS, (run, count) => {
  const fleet = lived({ ...run, troubles: run.troubles.map((each) => ({ ...each, hangs: true })) });
  expect(fleet.mostProbes).toBeLessThanOrEqual(run.policy.recovery.probesInFlight);
  count(fleet.mostProbes);
});

law('two executions over the same evidence agree', 20, (run, count) => {
  expect(lived(run).state).toEqual(lived(run).state);
  count(1);
});

law('the audit, replayed from a snapshot at any cut, gives the present flags (R17)', RUNS, (run, count) => {
  const { audit, state } = lived(run);
  const cut = Math.abs(run.seed) % (audit.length + 1);
  const snapshot = replay({}, audit.slice(0, cut));
  expect(replay(snapshot, audit.slice(cut))).toEqual(auditedStateOf(state));
  count(audit.length);
});

/** Features that the fleet let more through of after the decision than before. Leaving an override is the person's word. */
function risen({ before, result }: Decision): string[] {
  const rises = result.transitions.filter(({ from, to, reason }) => to.admit > from.admit && !reason.because.startsWith('override'));
  return rises.map(({ feature }) => feature).filter((feature) => before.features[feature]!.override === null);
}

/** Features that the fleet lowered for their own sake. */
function fallen({ result }: Decision): string[] {
  const own = result.transitions.filter(({ from, to, reason }) => to.admit < from.admit && reason.because !== 'dependency-opened');
  return own.filter(({ to, reason }) => to.by === 'recovery' && !reason.because.startsWith('override')).map(({ feature }) => feature);
}

/** When it may rise again at the earliest, by its policy and the failures so far. */
function leastNextRiseMs({ before, result, atMs }: Decision, name: string): number {
  const { recovery: settings } = featuresOf(before.policy).get(name)!;
  const { state, recovery } = result.state.features[name]!;
  const { baseMs, capMs, factor, jitter } = settings.backoff;
  const grownMs = Math.min(capMs, baseMs * factor ** recovery!.attempt);
  const attemptMs = { none: grownMs, equal: grownMs / 2 - 1, full: 0, decorrelated: Math.min(baseMs, capMs) }[jitter];
  const failed = before.features[name]!.recovery;
  if (before.features[name]!.state !== 'TESTING' || !failed) return atMs + attemptMs;
  const failures = recovery!.stepFailures[failed.rampIndex] ?? 1;
  const stepMs = Math.min(1_800_000, Math.max(1000, baseMs) * 2 ** (failures - 1));
  return atMs + (state === 'TESTING' ? stepMs : Math.max(stepMs, attemptMs));
}

function expectNotBefore({ before, result, atMs }: Decision, name: string, leastMs: number | undefined): number {
  if (leastMs === undefined || before.features[name]!.recovery?.promotion) return 0;
  if (result.state.features[name]!.reason.because === 'recovered-locally') return 0;
  expect(atMs, `${name} rises too soon`).toBeGreaterThanOrEqual(leastMs);
  return 1;
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
  if (record.recovery?.promotion) return; // a person skips the wait, not the evidence
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
