import { describe, expect, test } from 'vitest';
import type { FeatureRecord, FeatureRecovery, Refusal, ServiceState, StepResult } from '../../../control-plane/domain/model.ts';
import { startRecovery } from '../../../control-plane/domain/recovery/commands.ts';
import { pauseRecovery, resumeRecovery } from '../../../control-plane/domain/recovery/pause.ts';
import { newRecovery } from '../../../control-plane/domain/recovery/progress.ts';
import { promote } from '../../../control-plane/domain/recovery/promote.ts';
import { rollBack } from '../../../control-plane/domain/recovery/rollback.ts';
import { pausedMs } from '../../../control-plane/domain/recovery/running.ts';
import { step } from '../../../control-plane/domain/recovery/step.ts';
import { done, evidenceOf, noRandom, override, proxy, refused, runningRecovery, serviceOf, shop, shown, T0 } from './fixtures.ts';

const ANN = { who: 'ann', why: 'we know better' };
const MINUTE = 60_000;
const RAMP = [5, 50, 100];
const policy = shop({ rampPercent: RAMP, minimumSamples: 5, stableForMs: 2000, backoff: { jitter: 'none' } });

/** The shop with these features as given, in a running recovery. */
function stateOf(changes: Readonly<Record<string, Partial<FeatureRecord>>>): ServiceState {
  const state = serviceOf(policy);
  const features = Object.fromEntries(Object.entries(state.features).map(([name, record]) => [name, { ...record, ...changes[name] }]));
  return { ...state, features, recovery: runningRecovery(...Object.keys(changes)) };
}

function recovery(rest: Partial<FeatureRecovery>): FeatureRecovery {
  return newRecovery(serviceOf(policy).features['catalog']!, T0, { because: 'test' }, { stableMs: 2000, ...rest });
}

const disabled = (rest: Partial<FeatureRecovery> = {}): Partial<FeatureRecord> => ({
  state: 'DISABLED',
  admit: 0,
  recovery: recovery(rest),
});
const testing = (percent: number, rest: Partial<FeatureRecovery> = {}): Partial<FeatureRecord> => {
  const rampIndex = RAMP.indexOf(percent);
  return {
    state: 'TESTING',
    admit: percent * 100,
    recovery: recovery({ phase: 'ramping', rampIndex, passedIndex: rampIndex - 1, ...rest }),
  };
};
const GOOD = shown(1, { succeeded: 100 }, { firstSampleAgeMs: MINUTE });
const tick = (state: ServiceState, shows: Parameters<typeof proxy>[1], afterMs: number, random = noRandom) =>
  step(state, evidenceOf(proxy('n1', shows)), T0 + afterMs, random);
const live = ({ live: reasons }: StepResult, feature = 'catalog') => reasons?.[feature]?.recovery;

describe('a pause (R14)', () => {
  const paused = (state: ServiceState, forMs: number | null = MINUTE) => done(pauseRecovery(state, ANN, T0, forMs)).state;

  test('keeps a ramp where it is, with its reason, and tells so once', () => {
    const first = tick(paused(stateOf({ catalog: testing(5) })), { catalog: GOOD }, 3000);
    expect(first.state.features['catalog']).toMatchObject({ state: 'TESTING', admit: 500 });
    expect(live(first)).toEqual({ because: 'paused', numbers: { author: 'ann', leftMs: MINUTE - 3000 } });
    expect(tick(first.state, { catalog: GOOD }, 3200).events).toEqual([]);
  });

  test('withdraws an attempt and begins none: no probes go out', () => {
    const state = paused(stateOf({ catalog: disabled({ phase: 'probing' }) }));
    expect(state.features['catalog']?.recovery).toMatchObject({ phase: 'blocked', attempt: 0, nextAttemptAtMs: T0 });
    expect(tick(state, { catalog: GOOD }, MINUTE - 1).state.features['catalog']?.recovery?.phase).toBe('blocked');
  });

  test('still lets a failing step fall', () => {
    const { state } = tick(paused(stateOf({ catalog: testing(50) })), { catalog: shown(1, { failed: 20 }) }, 100);
    expect(state.features['catalog']).toMatchObject({ state: 'TESTING', admit: 500 });
  });

  test('still lets the fleet open what fails', () => {
    const open = shown(1, { failed: 20 }, { phase: 'OPEN' });
    const { state } = tick(paused(stateOf({ catalog: testing(50) })), { recommendations: open }, 100);
    expect(state.features['recommendations']?.state).toBe('DISABLED');
  });

  test('nor do proxies that recovered by themselves raise the flag', () => {
    const alone = evidenceOf(proxy('n1', { catalog: GOOD }, { governed: false, ungovernedAgeMs: 0 }));
    const state = paused(stateOf({ catalog: disabled({ phase: 'blocked' }) }));
    expect(step(state, alone, T0 + 1000, noRandom).state.features['catalog']?.state).toBe('DISABLED');
    const resumed = done(resumeRecovery(state, ANN, T0 + 500)).state;
    expect(step(resumed, alone, T0 + 1000, noRandom).state.features['catalog']?.state).toBe('ENABLED');
  });

  test('ends by itself; what is overdue begins with jitter', () => {
    const state = paused(stateOf({ catalog: disabled({ phase: 'waiting' }) }));
    const ended = tick(state, {}, MINUTE, () => 0.5);
    expect(ended.events.map(({ event }) => event)).toContain('resumed');
    expect(ended.events.find(({ event }) => event === 'resumed')?.reason).toEqual({
      because: 'pause-expired',
      numbers: { pausedMs: MINUTE },
    });
    expect(ended.state.features['catalog']?.recovery).toMatchObject({ phase: 'waiting', nextAttemptAtMs: T0 + MINUTE + 500 });
    expect(tick(ended.state, {}, MINUTE + 500).state.features['catalog']?.recovery?.phase).toBe('probing');
  });

  test('without an end is reminded of daily', () => {
    let state = paused(stateOf({ catalog: testing(5) }), null);
    const reminders: number[] = [];
    for (let hour = 1; hour <= 49; hour++) {
      const result = tick(state, {}, hour * 60 * MINUTE);
      if (result.events.some(({ event }) => event === 'pause-reminder')) reminders.push(hour);
      state = result.state;
    }
    expect(reminders).toEqual([24, 48]);
  });

  test('is told apart in the recovery’s duration', () => {
    const first = done(resumeRecovery(paused(stateOf({ catalog: testing(100) })), ANN, T0 + 10_000)).state;
    const second = done(pauseRecovery(first, ANN, T0 + 20_000, MINUTE)).state;
    expect(pausedMs(second.recovery!, T0 + 25_000)).toBe(15_000);
    expect(second.recovery).toMatchObject({ interventions: 3, pauses: [{ endedAtMs: T0 + 10_000 }, { endedAtMs: null }] });
    const enabled = { ...second.features['catalog']!, state: 'ENABLED' as const, admit: 10_000 };
    const proven = { ...enabled, recovery: { ...enabled.recovery!, phase: 'done' as const } };
    const over = tick({ ...second, features: { ...second.features, catalog: proven } }, {}, 30_000);
    expect(over.state.recovery).toMatchObject({ result: 'recovered', pauses: [{}, { endedAtMs: T0 + 30_000 }] });
    expect(over.events.at(-1)?.reason.numbers).toMatchObject({ tookMs: 30_000, pausedMs: 20_000 });
  });

  test.for<{ name: string; run: () => StepResult | Refusal; code: string }>([
    { name: 'without a recovery', run: () => pauseRecovery(serviceOf(policy), ANN, T0, MINUTE), code: 'no-recovery' },
    { name: 'twice', run: () => pauseRecovery(paused(stateOf({ catalog: testing(5) })), ANN, T0, MINUTE), code: 'already-paused' },
    { name: 'resuming what runs', run: () => resumeRecovery(stateOf({ catalog: testing(5) }), ANN, T0), code: 'not-paused' },
  ])('$name is refused: $code', ({ run, code }) => {
    expect(refused(run())).toBe(code);
  });
});

describe('promoting (R14): one wait is skipped, nothing else', () => {
  const promoted = (changes: Parameters<typeof stateOf>[0], features?: string[]) =>
    done(promote(stateOf(changes), ANN, T0, features)).state;

  test('the backoff: the attempt begins with the next tick, the one after it waits again', () => {
    const waiting = disabled({ phase: 'waiting', nextAttemptAtMs: T0 + MINUTE, waitMs: MINUTE });
    const { state } = tick(promoted({ catalog: waiting }), {}, 200);
    expect(state.features['catalog']?.recovery).toMatchObject({ phase: 'probing', promotion: null });
    const failed = tick(state, { catalog: shown(1, { failed: 3 }) }, 1000).state;
    expect(failed.features['catalog']?.recovery?.phase).toBe('waiting');
    expect(tick(failed, {}, 1200).state.features['catalog']?.recovery?.phase).toBe('waiting');
  });

  test('an earlier wave', () => {
    const changes = { catalog: testing(50), recommendations: disabled({ phase: 'blocked' }) };
    const apart = (state: ServiceState): ServiceState => {
      const features = state.policy.features.map((feature) => ({ ...feature, dependsOn: [] }));
      return { ...state, policy: { ...state.policy, features } };
    };
    const held = tick(apart(stateOf(changes)), { catalog: shown(1, { succeeded: 1 }) }, 200);
    expect(live(held, 'recommendations')?.because).toBe('earlier-wave');
    const released = done(promote(held.state, ANN, T0 + 300, ['recommendations'])).state;
    expect(tick(released, { catalog: shown(1, { succeeded: 1 }) }, 400).state.features['recommendations']?.recovery?.phase).toBe('probing');
  });

  test.for([
    { name: 'the rest of a stability window', counts: { succeeded: 20 }, rises: true },
    { name: 'samples that are missing, if three are good and none is bad', counts: { succeeded: 3 }, rises: true },
    { name: 'not on two good samples', counts: { succeeded: 2 }, rises: false },
    { name: 'not without a sample', counts: {}, rises: false },
  ])('$name', ({ counts, rises }) => {
    const { state } = tick(promoted({ catalog: testing(5) }), { catalog: shown(1, counts) }, 200);
    expect(state.features['catalog']?.admit).toBe(rises ? 5000 : 500);
    expect(state.features['catalog']?.recovery?.promotion === null).toBe(rises);
  });

  test('the wait of a failed step at the ceiling; failing there it falls as ever', () => {
    const ceiling = testing(5, { phase: 'ceiling', nextAttemptAtMs: T0 + 60 * MINUTE, stepFailures: [0, 3], passedIndex: 0 });
    const up = tick(promoted({ catalog: ceiling }), { catalog: GOOD }, 200).state;
    expect(up.features['catalog']?.admit).toBe(5000);
    const down = tick(up, { catalog: shown(up.revision, { failed: 20 }) }, 400).state.features['catalog'];
    expect(down).toMatchObject({ admit: 500, recovery: { phase: 'ceiling', stepFailures: [0, 4] } });
    expect(down!.recovery!.nextAttemptAtMs).toBe(T0 + 400 + 8 * 2000);
  });

  test('a step that fails falls all the same', () => {
    const { state } = tick(promoted({ catalog: testing(50) }), { catalog: shown(1, { failed: 20 }) }, 200);
    expect(state.features['catalog']).toMatchObject({ admit: 500, recovery: { promotion: null } });
  });

  test('what waits for a person goes on', () => {
    const { state } = tick(promoted({ catalog: disabled({ phase: 'held', attempt: 10 }) }), {}, 200);
    expect(state.features['catalog']?.recovery).toMatchObject({ phase: 'probing', attempt: 0 });
  });

  test('without a list it is all that wait, but not what a dependency holds', () => {
    const state = promoted({ catalog: disabled({ phase: 'waiting' }), checkout: disabled({ phase: 'blocked' }) });
    expect(state.features['catalog']?.recovery?.promotion).toMatchObject({ because: 'promoted-by-person' });
    expect(state.features['checkout']?.recovery?.promotion).toBeNull();
  });

  const recovering = { catalog: testing(5), checkout: disabled({ phase: 'blocked' }) };
  test.for<{ name: string; run: () => StepResult | Refusal; code: string }>([
    { name: 'no recovery', run: () => promote(serviceOf(policy), ANN, T0), code: 'no-recovery' },
    { name: 'an unknown feature', run: () => promote(stateOf(recovering), ANN, T0, ['nonsense']), code: 'unknown-feature' },
    { name: 'a feature that is ENABLED', run: () => promote(stateOf(recovering), ANN, T0, ['recommendations']), code: 'nothing-to-skip' },
    {
      name: 'an attempt under way',
      run: () => promote(stateOf({ catalog: disabled({ phase: 'probing' }) }), ANN, T0),
      code: 'nothing-to-skip',
    },
    { name: 'a dependency that is not fit', run: () => promote(stateOf(recovering), ANN, T0, ['checkout']), code: 'dependency-unfit' },
    {
      name: 'while it is paused',
      run: () => promote(done(pauseRecovery(stateOf(recovering), ANN, T0, MINUTE)).state, ANN, T0),
      code: 'paused',
    },
    {
      name: 'what a person has',
      run: () => promote({ ...stateOf({ catalog: { ...testing(5), override: override('HOLD', { admit: 1 }) } }) }, ANN, T0, ['catalog']),
      code: 'nothing-to-skip',
    },
  ])('$name is refused: $code', ({ run, code }) => {
    expect(refused(run())).toBe(code);
  });
});

describe('rolling back (R14): the last step that was seen healthy', () => {
  const rolled = (changes: Parameters<typeof stateOf>[0], features?: string[]) => done(rollBack(stateOf(changes), ANN, T0 + 100, features));

  test.for([
    { name: 'from a step above the highest passed one', catalog: testing(100), to: { state: 'TESTING', admit: 5000 } },
    { name: 'from a passed one: the one below', catalog: testing(50, { passedIndex: 1 }), to: { state: 'TESTING', admit: 500 } },
    { name: 'from the first: the probes', catalog: testing(5), to: { state: 'DISABLED', admit: 0 } },
    {
      name: 'from ENABLED: the last step with less than all',
      catalog: { recovery: recovery({ phase: 'done', rampIndex: 3, passedIndex: 2 }) },
      to: { state: 'TESTING', admit: 5000 },
    },
    { name: 'after a recovery without a ramp: the probes', catalog: { recovery: recovery({ phase: 'done' }) }, to: { state: 'DISABLED' } },
  ])('$name', ({ catalog, to }) => {
    const { state, transitions } = rolled({ catalog }, ['catalog']);
    expect(state.features['catalog']).toMatchObject({ ...to, step: 2 });
    expect(transitions.at(-1)?.reason).toMatchObject({ because: 'rolled-back-by-person', numbers: { who: 'ann', why: 'we know better' } });
  });

  test('counts as a failure of the step that it leaves: it does not climb back at once', () => {
    const { state } = rolled({ catalog: testing(100, { stepFailures: [0, 0, 1] }) });
    expect(state.features['catalog']?.recovery).toMatchObject({
      stepFailures: [0, 0, 2],
      nextAttemptAtMs: T0 + 100 + 2 * 2000,
      passedIndex: 1,
    });
    const held = tick(state, { catalog: shown(2, { succeeded: 100 }, { firstSampleAgeMs: 3000 }) }, 4000);
    expect(held.state.features['catalog']?.admit).toBe(5000);
    expect(live(held)?.because).toBe('step-wait');
  });

  test('to the probes it takes dependants in TESTING along, in the same revision', () => {
    const { state } = rolled({ catalog: testing(5), recommendations: testing(50) }, ['catalog']);
    expect(state.features).toMatchObject({ catalog: { state: 'DISABLED', step: 2 }, recommendations: { state: 'DISABLED', step: 2 } });
  });

  test('several at once, a parent and its child to the probes', () => {
    const { state } = rolled({ catalog: testing(5), recommendations: testing(5) });
    expect(state.features).toMatchObject({
      catalog: { recovery: { phase: 'waiting' } },
      recommendations: { recovery: { phase: 'waiting' } },
    });
  });

  test.for<{ name: string; run: () => StepResult | Refusal; code: string }>([
    { name: 'no recovery', run: () => rollBack(serviceOf(policy), ANN, T0), code: 'no-recovery' },
    { name: 'nothing ramps', run: () => rollBack(stateOf({ catalog: disabled() }), ANN, T0), code: 'nothing-to-roll-back' },
    { name: 'it is DISABLED', run: () => rollBack(stateOf({ catalog: disabled() }), ANN, T0, ['catalog']), code: 'nothing-to-roll-back' },
    { name: 'unknown', run: () => rollBack(stateOf({ catalog: testing(5) }), ANN, T0, ['nonsense']), code: 'unknown-feature' },
  ])('$name is refused: $code', ({ run, code }) => {
    expect(refused(run())).toBe(code);
  });
});

describe('starting with chosen features', () => {
  const aborted = (changes: Parameters<typeof stateOf>[0]): ServiceState => {
    const state = stateOf(changes);
    const features = Object.fromEntries(Object.entries(state.features).map(([name, record]) => [name, { ...record, recovery: null }]));
    return { ...state, features, released: true, recovery: { ...state.recovery!, endedAtMs: T0, result: 'aborted' } };
  };
  const both = { catalog: disabled(), recommendations: disabled() };

  test('only these start; what else is lowered waits for a person, and can be chosen later', () => {
    const { state } = done(startRecovery(aborted(both), ANN, T0, ['catalog']));
    expect(state.features).toMatchObject({
      catalog: { recovery: { phase: 'blocked' } },
      recommendations: { recovery: { phase: 'held', reason: { because: 'not-chosen' } } },
    });
    const later = tick(state, {}, 1000).state;
    expect(later.features).toMatchObject({ catalog: { recovery: { phase: 'probing' } }, recommendations: { recovery: { phase: 'held' } } });
    const joined = done(startRecovery(later, ANN, T0 + 2000, ['recommendations'])).state;
    expect(joined.features['recommendations']?.recovery?.phase).toBe('blocked');
    expect(joined.recovery).toMatchObject({ id: state.recovery!.id, interventions: 1 });
  });

  test('a share that is left aside stays, and still falls when it fails', () => {
    const { state } = done(startRecovery(aborted({ catalog: disabled(), recommendations: testing(50) }), ANN, T0, ['catalog']));
    const good = tick(state, { recommendations: GOOD }, 5000);
    expect(good.state.features['recommendations']).toMatchObject({ admit: 5000, recovery: { phase: 'held' } });
    const bad = tick(state, { recommendations: shown(1, { failed: 20 }) }, 5000);
    expect(bad.state.features['recommendations']?.admit).toBeLessThan(5000);
  });

  test.for<{ name: string; features: string[]; code: string }>([
    { name: 'an unknown one', features: ['nonsense'], code: 'unknown-feature' },
    { name: 'one that is ENABLED', features: ['checkout'], code: 'nothing-to-recover' },
    { name: 'one whose dependency is left out', features: ['recommendations'], code: 'dependency-left-out' },
  ])('$name is refused: $code', ({ features, code }) => {
    expect(refused(startRecovery(aborted(both), ANN, T0, features))).toBe(code);
  });
});
