import { describe, expect, test } from 'vitest';
import type { Override, ServiceState } from '../../../control-plane/domain/model.ts';
import { clearOverride, setOverride } from '../../../control-plane/domain/overrides.ts';
import { newRecovery } from '../../../control-plane/domain/recovery/progress.ts';
import { step } from '../../../control-plane/domain/recovery/step.ts';
import { done, evidenceOf, noRandom, override, refused, serviceOf, shop, T0 } from './fixtures.ts';

const HOUR = 3_600_000;
const ANN = { who: 'ann', why: 'maintenance is over' };
const state = serviceOf(shop({ rampPercent: [5, 25, 50, 100] }));

function withOverride(kind: Override['kind'], rest: Partial<Override> = {}, before: ServiceState = state): ServiceState {
  return done(setOverride(before, 'catalog', override(kind, rest), T0)).state;
}

function afterwards(kind: Override['kind'], rest: Partial<Override> = {}) {
  return done(clearOverride(withOverride(kind, rest), 'catalog', ANN, T0 + HOUR / 2)).state.features['catalog']!;
}

describe('setting an override (R14)', () => {
  test.for([
    { kind: 'FORCED_OPEN' as const, to: { state: 'DISABLED', admit: 0 } },
    { kind: 'FORCED_CLOSED' as const, to: { state: 'ENABLED', admit: 10_000 } },
    { kind: 'HOLD' as const, to: { state: 'TESTING', admit: 3000 } },
  ])('$kind is a new step with the value that filters see', ({ kind, to }) => {
    const { state: after, transitions } = done(setOverride(state, 'catalog', override(kind, { admit: 3000 }), T0));
    expect(transitions.at(-1)).toMatchObject({ feature: 'catalog', from: { state: 'ENABLED', admit: 10_000 }, to });
    expect(after).toMatchObject({ revision: 2, features: { catalog: { step: 2, override: { kind } } } });
  });

  test('FORCED_OPEN pulls hard dependants back in the same revision; HOLD does not', () => {
    expect(withOverride('FORCED_OPEN').features).toMatchObject({
      checkout: { state: 'DISABLED', step: 2 },
      recommendations: { state: 'ENABLED' },
    });
    expect(withOverride('HOLD', { admit: 3000 }).features['checkout']?.state).toBe('ENABLED');
  });

  test('it suspends the feature’s recovery', () => {
    const catalog = { ...state.features['catalog']!, state: 'DISABLED' as const, admit: 0 };
    const recovering = { ...catalog, recovery: newRecovery(catalog, T0, { because: 'test' }, { phase: 'probing' }) };
    const before = { ...state, features: { ...state.features, catalog: recovering } };
    const held = withOverride('FORCED_CLOSED', {}, before);
    expect(held.features['catalog']?.recovery).toMatchObject({ phase: 'held', reason: { because: 'overridden' } });
    expect(step(held, evidenceOf(), T0 + 1000, noRandom).state).toBe(held);
  });

  test.for([
    { name: 'an unknown feature', run: () => setOverride(state, 'nonsense', override('FORCED_OPEN'), T0), code: 'unknown-feature' },
    { name: 'HOLD without a share', run: () => setOverride(state, 'catalog', override('HOLD'), T0), code: 'admit-missing' },
    {
      name: 'an end in the past',
      run: () => setOverride(state, 'catalog', override('FORCED_OPEN', { expiresAtMs: T0 }), T0),
      code: 'expired',
    },
    { name: 'taking back what is not there', run: () => clearOverride(state, 'catalog', ANN, T0), code: 'no-override' },
    { name: 'taking back from an unknown feature', run: () => clearOverride(state, 'nonsense', ANN, T0), code: 'unknown-feature' },
  ])('$name is refused: $code', ({ run, code }) => {
    expect(refused(run())).toBe(code);
  });
});

describe('leaving an override (R14)', () => {
  test('FORCED_OPEN goes on at the probes; its outage began with the override', () => {
    expect(afterwards('FORCED_OPEN')).toMatchObject({
      state: 'DISABLED',
      admit: 0,
      step: 3,
      override: null,
      recovery: { phase: 'blocked', outageStartedAtMs: T0 },
    });
  });

  test.for([
    [10_000, 10_000, 3],
    [4999, 2500, 1],
    [500, 500, 0],
  ] as const)('HOLD at %i resumes at the step of %i', ([held, admit, rampIndex]) => {
    expect(afterwards('HOLD', { admit: held })).toMatchObject({
      state: 'TESTING',
      admit,
      recovery: { phase: 'ramping', rampIndex, passedIndex: rampIndex - 1 },
    });
  });

  test('HOLD below the first step resumes at the probes', () => {
    expect(afterwards('HOLD', { admit: 499 })).toMatchObject({ state: 'DISABLED', admit: 0 });
  });

  test('FORCED_CLOSED judges anew', () => {
    expect(afterwards('FORCED_CLOSED')).toMatchObject({
      state: 'ENABLED',
      health: 'UNKNOWN',
      healthReason: { because: 'judged-anew' },
      recovery: null,
    });
  });
});

describe('the end of an override', () => {
  const tick = (of: ServiceState, atMs: number) => step(of, evidenceOf(), atMs, noRandom);

  test('comes by itself, with the tick after its expiry', () => {
    const held = withOverride('FORCED_OPEN');
    expect(tick(held, T0 + HOUR - 1).state.features['catalog']?.override).not.toBeNull();
    const { state: after, events } = tick(held, T0 + HOUR);
    expect(after.features['catalog']).toMatchObject({ override: null, state: 'DISABLED' });
    expect(after.recovery?.endedAtMs).toBeNull();
    expect(events.find(({ event }) => event === 'override-left')?.reason).toMatchObject({
      because: 'override-expired',
      numbers: { ageMs: HOUR },
    });
  });

  test('never comes if a person said so, who is reminded daily', () => {
    const reminders: number[] = [];
    let held = withOverride('FORCED_CLOSED', { expiresAtMs: null });
    for (let hour = 0; hour <= 72; hour++) {
      const result = tick(held, T0 + hour * HOUR);
      if (result.events.some(({ event }) => event === 'override-reminder')) reminders.push(hour);
      held = result.state;
    }
    expect(reminders).toEqual([24, 48, 72]);
    expect(held.features['catalog']?.override?.kind).toBe('FORCED_CLOSED');
  });
});
