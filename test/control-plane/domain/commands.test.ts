import { describe, expect, test } from 'vitest';
import { contentOf, flagsOf, isGoverning } from '../../../control-plane/domain/flags.ts';
import type { ServiceState } from '../../../control-plane/domain/model.ts';
import { setOverride } from '../../../control-plane/domain/overrides.ts';
import { coldStartHold, resume } from '../../../control-plane/domain/recovery/cold-start.ts';
import { abortRecovery, startRecovery } from '../../../control-plane/domain/recovery/commands.ts';
import { newRecovery } from '../../../control-plane/domain/recovery/progress.ts';
import { step } from '../../../control-plane/domain/recovery/step.ts';
import { done, evidenceOf, noRandom, override, proxy, refused, serviceOf, shop, shown, T0 } from './fixtures.ts';

const ANN = { who: 'ann', why: 'we know better' };
const healthy = serviceOf(shop());

/** Catalog opened by the fleet, and checkout with it. */
function opened(): ServiceState {
  return step(healthy, evidenceOf(proxy('n1', { catalog: shown(1, { failed: 20 }, { phase: 'OPEN' }) })), T0, noRandom).state;
}

function held(): ServiceState {
  const state = opened();
  const catalog = state.features['catalog']!;
  return {
    ...state,
    features: { ...state.features, catalog: { ...catalog, recovery: { ...catalog.recovery!, phase: 'held', attempt: 10 } } },
  };
}

describe('starting a recovery by hand', () => {
  test('takes in what was left alone, such as after an abort', () => {
    const aborted = done(abortRecovery(opened(), ANN, T0 + 1000)).state;
    const { state } = done(startRecovery(aborted, ANN, T0 + 2000));
    expect(state.recovery).toMatchObject({ startedBy: 'ann', endedAtMs: null, plan: [['catalog'], ['checkout']] });
    expect(state.released).toBe(false);
    expect(isGoverning(state)).toBe(true);
  });

  test('lets go on what waited for a person', () => {
    const { state } = done(startRecovery(held(), ANN, T0 + 5000));
    expect(state.features['catalog']?.recovery).toMatchObject({ phase: 'blocked', attempt: 0, nextAttemptAtMs: T0 + 5000 });
    expect(step(state, evidenceOf(), T0 + 5001, noRandom).state.features['catalog']?.recovery?.phase).toBe('probing');
  });

  test.for([
    { name: 'nothing is lowered', state: healthy, code: 'nothing-to-recover' },
    { name: 'one runs, and nobody waits', state: opened(), code: 'already-running' },
    { name: 'the fleet only watches', state: { ...opened(), policy: shop({}, { autopilot: 'off' }) }, code: 'not-acting' },
  ])('is refused when $name', ({ state, code }) => {
    expect(refused(startRecovery(state, ANN, T0))).toBe(code);
  });
});

describe('aborting (R14)', () => {
  test('leaves the flags as they are and gives up governing', () => {
    const { state, transitions } = done(abortRecovery(opened(), ANN, T0 + 1000));
    expect(transitions).toEqual([]);
    expect(state).toMatchObject({
      revision: 2,
      released: true,
      recovery: { result: 'aborted' },
      features: { catalog: { state: 'DISABLED', recovery: null } },
    });
    expect(isGoverning(state)).toBe(false);
    const later = step(state, evidenceOf(), T0 + 60_000, noRandom); // and nothing starts it again
    expect(later.state).toMatchObject({ revision: 2, released: true, recovery: { result: 'aborted' } });
  });

  test('a new opening takes over all that is lowered', () => {
    const aborted = done(abortRecovery(opened(), ANN, T0 + 1000)).state;
    const trouble = evidenceOf(proxy('n1', { recommendations: shown(1, { failed: 20 }, { phase: 'OPEN' }) }));
    const { state } = step(aborted, trouble, T0 + 2000, noRandom);
    expect(state.released).toBe(false);
    expect(state.recovery).toMatchObject({ endedAtMs: null, plan: [['catalog'], ['checkout'], ['recommendations']] });
  });

  test('is refused when none runs', () => {
    expect(refused(abortRecovery(healthy, ANN, T0))).toBe('no-recovery');
  });
});

describe('a cold start (R16)', () => {
  const stored = { ...opened(), nodes: ['a', 'b', 'c'] };
  const reported = (...counts: number[]) =>
    evidenceOf(...counts.map((reportsSinceStart, index) => proxy('abcx'[index]!, {}, { reportsSinceStart })));

  test.for([
    { name: 'nobody reported', evidence: reported(), afterMs: 0, holds: true },
    { name: 'one of three reported twice', evidence: reported(2, 1, 1), afterMs: 0, holds: true },
    { name: 'a quorum reported twice', evidence: reported(2, 2), afterMs: 0, holds: false },
    { name: 'strangers reported', evidence: reported(0, 0, 2, 2), afterMs: 0, holds: true },
    { name: 'three times staleAfter has passed', evidence: reported(), afterMs: 45_000, holds: false },
  ])('when $name the ticker holds: $holds', ({ evidence, afterMs, holds }) => {
    expect(coldStartHold(stored, evidence, T0, T0 + afterMs) !== null).toBe(holds);
  });

  test('a service that never had a proxy waits for none', () => {
    expect(coldStartHold(healthy, evidenceOf(), T0, T0)).toBeNull();
  });

  test('then windows start anew, overdue attempts get jitter, waits go on', () => {
    const recoveryAt = (nextAttemptAtMs: number): ServiceState => {
      const catalog = stored.features['catalog']!;
      return { ...stored, features: { ...stored.features, catalog: { ...catalog, recovery: { ...catalog.recovery!, nextAttemptAtMs } } } };
    };
    const later = T0 + 100_000;
    const nextOf = (state: ServiceState) => resume(state, later, () => 0.5).state.features['catalog']?.recovery?.nextAttemptAtMs;
    expect(nextOf(recoveryAt(T0))).toBe(later + 500);
    expect(nextOf(recoveryAt(later + 7000))).toBe(later + 7000);
    expect(nextOf(recoveryAt(later + 9e9))).toBe(later + 1_800_000); // the clock was set back
    expect(resume(recoveryAt(T0), later, noRandom).state).toMatchObject({
      revision: stored.revision,
      features: { catalog: { recovery: { sampleFromMs: later } } },
    });
    expect(resume(healthy, later, noRandom).state).toBe(healthy);
  });
});

describe('flags on the wire', () => {
  const overridden = done(setOverride(opened(), 'recommendations', override('HOLD', { admit: 1234, expiresAtMs: T0 + 60_000 }), T0)).state;

  test('are the fleet’s word, or a person’s with what is left of its time', () => {
    expect(flagsOf(overridden, T0 + 20_000)).toEqual([
      { feature: 'catalog', step: 2, state: 'DISABLED', admit: 0, by: 'recovery' },
      { feature: 'checkout', step: 2, state: 'DISABLED', admit: 0, by: 'recovery' },
      { feature: 'recommendations', step: 3, state: 'TESTING', admit: 1234, by: 'person', expiresInMs: 40_000 },
    ]);
    expect(flagsOf(overridden, T0 + 90_000)[2]?.expiresInMs).toBe(0);
  });

  test('an override without an end carries none', () => {
    const state = done(setOverride(healthy, 'catalog', override('FORCED_OPEN', { expiresAtMs: null }), T0)).state;
    expect(flagsOf(state, T0)[0]).toEqual({ feature: 'catalog', step: 2, state: 'DISABLED', admit: 0, by: 'person' });
  });

  test('the content that names a directive does not change as time passes, but with the end of an override', () => {
    const longer = done(setOverride(overridden, 'recommendations', override('HOLD', { admit: 1234, expiresAtMs: T0 + 61_000 }), T0)).state;
    expect(contentOf(overridden)).toMatchObject({ service: 'shop', policyRevision: 1, flags: [{}, {}, { expiresAtMs: T0 + 60_000 }] });
    expect(contentOf(longer)).not.toEqual(contentOf(overridden));
  });

  test.for([
    { name: 'on autopilot', rest: {}, governs: true },
    { name: 'autopilot off', rest: { autopilot: 'off' as const }, governs: false },
    { name: 'advising', rest: { autopilot: 'advise' as const }, governs: false },
    { name: 'scope proxy', rest: { recovery: { scope: 'proxy' as const } }, governs: false },
    { name: 'shadow', rest: { mode: 'shadow' as const }, governs: false },
  ])('$name the fleet governs: $governs', ({ rest, governs }) => {
    expect(isGoverning(serviceOf(shop({}, rest)))).toBe(governs);
  });
});

test('a recovery that a person’s override suspends wholly is superseded', () => {
  let state = opened();
  for (const feature of ['catalog', 'checkout']) state = done(setOverride(state, feature, override('FORCED_OPEN'), T0)).state;
  expect(step(state, evidenceOf(), T0 + 1000, noRandom).state.recovery?.result).toBe('superseded');
  expect(newRecovery(state.features['catalog']!, T0, { because: 'x' }).outageStartedAtMs).toBe(T0);
});
