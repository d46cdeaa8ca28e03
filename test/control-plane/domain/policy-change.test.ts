import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../control-plane/contract/policy.ts';
import type { FeatureRecovery, ServiceState } from '../../../control-plane/domain/model.ts';
import { setOverride } from '../../../control-plane/domain/overrides.ts';
import { applyPolicy } from '../../../control-plane/domain/policy-change.ts';
import { newRecovery } from '../../../control-plane/domain/recovery/progress.ts';
import { step } from '../../../control-plane/domain/recovery/step.ts';
import {
  done,
  evidenceOf,
  type FeatureSketch,
  noRandom,
  override,
  type PolicySketch,
  policyOf,
  proxy,
  refused,
  runningRecovery,
  serviceOf,
  shown,
  T0,
} from './fixtures.ts';

const NOW = T0 + 60_000;

function policy(catalog: Partial<FeatureSketch> = {}, rest: PolicySketch = {}, more: FeatureSketch[] = []): Policy {
  const { recovery, ...others } = catalog;
  return policyOf(
    [{ name: 'catalog', ...others, recovery: { rampPercent: [5, 25, 50, 100], ...recovery } }, { name: 'checkout' }, ...more],
    rest,
  );
}

/** Catalog is TESTING at 25 % in a running recovery. */
function ramping(begins: Partial<FeatureRecovery> = {}): ServiceState {
  const state = serviceOf(policy());
  const record = state.features['catalog']!;
  const recovery = newRecovery(
    record,
    T0,
    { because: 'test' },
    { phase: 'ramping', rampIndex: 1, passedIndex: 0, stableMs: 6000, ...begins },
  );
  const catalog = { ...record, state: 'TESTING' as const, admit: 2500, recovery };
  return { ...state, features: { ...state.features, catalog }, recovery: runningRecovery('catalog') };
}

const edit = (state: ServiceState, to: Policy, force = false) => done(applyPolicy(state, to, NOW, { force }));

test('a new service: all features ENABLED, nothing known of their health (R4)', () => {
  const { state, transitions } = done(applyPolicy(null, policy(), NOW, { afterRevision: 7 }));
  expect(state).toMatchObject({ revision: 8, policyRevision: 8, version: 1, recovery: null, released: false });
  expect(state.features['catalog']).toMatchObject({ state: 'ENABLED', admit: 10_000, step: 8, health: 'UNKNOWN' });
  expect(transitions).toEqual([]);
});

describe('an edit by itself neither raises nor lowers traffic (R15)', () => {
  test('other routes or priorities: the flag and its step stay', () => {
    const { state, transitions } = edit(ramping(), policy({ priority: 7, description: 'new' }));
    expect(transitions).toEqual([]);
    expect(state).toMatchObject({ revision: 2, policyRevision: 2, features: { catalog: { state: 'TESTING', admit: 2500, step: 1 } } });
  });

  test('changed thresholds in mid-recovery: a new step with a fresh window, at the same share', () => {
    const { state } = edit(ramping(), policy({ recovery: { minimumSamples: 99 } }));
    expect(state.features['catalog']).toMatchObject({
      admit: 2500,
      step: 2,
      recovery: { rampIndex: 1, sampleFromMs: NOW, stepStartedAtMs: NOW, stableMs: 6000 },
    });
  });

  test('of a feature that is in no recovery: no new step, its breakers keep their say', () => {
    const { state } = edit(serviceOf(policy()), policy({ recovery: { minimumSamples: 99 } }));
    expect(state.features['catalog']?.step).toBe(1);
  });

  test.for([
    { name: 'whose recovery is behind it', state: ramping({ phase: 'done' }) },
    { name: 'that a person has', state: done(setOverride(ramping(), 'catalog', override('FORCED_CLOSED'), T0)).state },
  ])('nor of one $name', ({ state }) => {
    expect(edit(state, policy({ recovery: { minimumSamples: 99 } })).transitions).toEqual([]);
  });

  test.for([
    { ramp: [10, 20, 30, 100], rampIndex: 1 },
    { ramp: [25, 100], rampIndex: 0 },
    { ramp: [50, 100], rampIndex: -1 },
  ])('a changed ramp $ramp goes on at its largest step up to the share: $rampIndex', ({ ramp, rampIndex }) => {
    const { state } = edit(ramping(), policy({ recovery: { rampPercent: ramp } }));
    expect(state.features['catalog']).toMatchObject({ state: 'TESTING', admit: 2500, recovery: { rampIndex } });
  });

  test('a shorter stability window holds at once', () => {
    expect(edit(ramping(), policy({ recovery: { stableForMs: 2000 } })).state.features['catalog']?.recovery?.stableMs).toBe(2000);
  });

  test('a new feature is ENABLED, of unknown health', () => {
    const { state } = edit(ramping(), policy({}, {}, [{ name: 'search' }]));
    expect(state.features['search']).toMatchObject({ state: 'ENABLED', health: 'UNKNOWN', step: 2 });
  });
});

describe('removing a feature', () => {
  const without = policyOf([{ name: 'checkout' }]);

  test('is refused while it recovers', () => {
    expect(refused(applyPolicy(ramping(), without, NOW))).toBe('feature-recovers');
  });

  test('or while a person has it', () => {
    const state = done(setOverride(serviceOf(policy()), 'catalog', override('FORCED_CLOSED'), T0)).state;
    expect(refused(applyPolicy(state, without, NOW))).toBe('feature-recovers');
  });

  test('goes otherwise, or by force; a recovery without anybody left ends', () => {
    expect(Object.keys(edit(serviceOf(policy()), without).state.features)).toEqual(['checkout']);
    const { state } = edit(ramping(), without, true);
    expect(Object.keys(state.features)).toEqual(['checkout']);
    expect(state.recovery?.result).toBe('superseded');
  });
});

describe('renaming a feature (R15): what is known of it moves along', () => {
  const products = (renamedFrom?: string, rest: Partial<FeatureSketch> = {}) => {
    const { recovery, ...others } = rest;
    const named = { name: 'products', ...(renamedFrom === undefined ? {} : { renamedFrom }), ...others };
    return policyOf([
      { ...named, recovery: { rampPercent: [5, 25, 50, 100], ...recovery } },
      { name: 'checkout', dependsOn: ['products'] },
    ]);
  };

  test('without renamedFrom it is a removal, refused in mid-recovery with a hint', () => {
    expect(applyPolicy(ramping(), products(), NOW)).toMatchObject({
      refused: 'feature-recovers',
      detail: expect.stringContaining('renamedFrom'),
      features: ['catalog'],
    });
  });

  test('with it share, attempts, passed steps and plan stay; a new step, since proxies count anew under the new name', () => {
    const { state, transitions, events } = edit(ramping({ attempt: 3, stepFailures: [0, 2] }), products('catalog'));
    expect(Object.keys(state.features).sort()).toEqual(['checkout', 'products']);
    expect(state.features['products']).toMatchObject({
      name: 'products',
      state: 'TESTING',
      admit: 2500,
      step: 2,
      recovery: { phase: 'ramping', rampIndex: 1, passedIndex: 0, attempt: 3, stepFailures: [0, 2], sampleFromMs: NOW },
    });
    expect(state.recovery).toMatchObject({ endedAtMs: null, plan: [['products']] });
    expect(transitions).toMatchObject([
      { feature: 'products', from: { admit: 2500 }, to: { admit: 2500 }, reason: { because: 'renamed' } },
    ]);
    expect(events.at(-1)?.reason.numbers).toMatchObject({ renamed: 'catalog>products', added: '', dropped: '' });
  });

  test('an override moves along with what is left of its time', () => {
    const overridden = done(setOverride(serviceOf(policy()), 'catalog', override('HOLD', { admit: 700 }), T0)).state;
    const { state } = edit(overridden, products('catalog'));
    expect(state.features['products']).toMatchObject({ override: { kind: 'HOLD', admit: 700, expiresAtMs: T0 + 3_600_000 } });
  });

  test('once carried out it is over: the same document again changes nothing but the revision', () => {
    const renamed = edit(ramping(), products('catalog')).state;
    const { state, transitions } = edit(renamed, products('catalog'));
    expect(transitions).toEqual([]);
    expect(state.features).toEqual(renamed.features);
  });

  test('of a name that nobody had it is a new feature', () => {
    expect(edit(serviceOf(policyOf([{ name: 'checkout' }])), products('nobody')).state.features['products']).toMatchObject({
      state: 'ENABLED',
      reason: { because: 'feature-added' },
    });
  });

  test('together with new thresholds, under one step', () => {
    const { state } = edit(ramping(), products('catalog', { recovery: { minimumSamples: 99 } }));
    expect(state.features['products']).toMatchObject({ admit: 2500, step: 2, reason: { because: 'policy-changed' } });
  });
});

describe('priorities and dependencies in mid-recovery (R15)', () => {
  /** Catalog ramps, search waits for its turn. */
  const waiting = (): ServiceState => {
    const state = edit(ramping(), policy({}, {}, [{ name: 'search' }])).state;
    const search = state.features['search']!;
    const blocked = { ...search, state: 'DISABLED' as const, admit: 0, recovery: newRecovery(search, T0, { because: 'test' }) };
    return { ...state, features: { ...state.features, search: blocked }, recovery: runningRecovery('catalog', 'search') };
  };
  const evidence = evidenceOf(proxy('n1', { catalog: shown(1, { succeeded: 1 }), search: shown(2, { refused: 9 }) }));

  test('a new priority orders what has not started, and moves nothing that has', () => {
    const before = step(waiting(), evidence, NOW, noRandom);
    expect(before.live?.['search']?.recovery?.because).toBe('earlier-wave');
    const { state, transitions } = edit(before.state, policy({}, {}, [{ name: 'search', priority: 1 }]));
    expect(transitions).toEqual([]);
    expect(state.recovery?.plan).toEqual([['search'], ['catalog']]);
    const after = step(state, evidence, NOW + 200, noRandom).state;
    expect(after.features).toMatchObject({
      search: { recovery: { phase: 'probing' } },
      catalog: { state: 'TESTING', admit: 2500, step: 1, recovery: { phase: 'ramping' } },
    });
  });

  test('a new dependency blocks further rises, and lowers nothing', () => {
    const good = evidenceOf(proxy('n1', { catalog: shown(1, { succeeded: 100 }, { firstSampleAgeMs: 60_000 }) }));
    const { state } = edit(waiting(), policy({ dependsOn: ['search'] }, {}, [{ name: 'search' }]));
    const after = step(state, good, NOW + 200, noRandom);
    expect(after.state.features['catalog']).toMatchObject({ state: 'TESTING', admit: 2500, step: 1 });
    expect(after.live?.['catalog']?.recovery).toMatchObject({ because: 'dependency-not-enabled', numbers: { dependency: 'search' } });
    expect(step(waiting(), good, NOW + 200, noRandom).state.features['catalog']?.admit).toBe(5000);
  });
});

describe('where the fleet no longer acts', () => {
  test.for(['shadow', 'off'] as const)('mode %s ends the feature’s recovery', (mode) => {
    const { state } = edit(ramping(), policy({ mode }));
    expect(state.features['catalog']).toMatchObject({ state: 'ENABLED', recovery: null, step: 2 });
    expect(state.recovery?.result).toBe('superseded');
  });

  test('under an override the flag stays the person’s', () => {
    const overridden = done(setOverride(ramping(), 'catalog', override('FORCED_OPEN'), T0)).state;
    const { state, transitions } = edit(overridden, policy({ mode: 'shadow' }));
    expect(transitions).toEqual([]);
    expect(state.features['catalog']).toMatchObject({ state: 'ENABLED', override: { kind: 'FORCED_OPEN' }, recovery: null });
  });

  test.for([{ autopilot: 'off' as const }, { autopilot: 'advise' as const }, { recovery: { scope: 'proxy' as const } }])(
    '%j ends the recovery, flags stay',
    (rest) => {
      const { state, transitions } = edit(ramping(), policy({}, rest));
      expect(transitions).toEqual([]);
      expect(state.features['catalog']).toMatchObject({ state: 'TESTING', admit: 2500, recovery: null });
      expect(state.recovery?.result).toBe('aborted');
    },
  );
});
