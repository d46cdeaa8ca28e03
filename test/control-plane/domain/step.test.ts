import { describe, expect, test } from 'vitest';
import type { Evidence, FeatureEvidence, FeatureRecord, FeatureRecovery, ServiceState } from '../../../control-plane/domain/model.ts';
import { newRecovery } from '../../../control-plane/domain/recovery/progress.ts';
import { rampingPriorities, step } from '../../../control-plane/domain/recovery/step.ts';
import type { FeatureSketch } from './fixtures.ts';
import { evidenceOf, noRandom, policyOf, proxy, runningRecovery, serviceOf, shop, shown, T0 } from './fixtures.ts';

const RECOVERY: NonNullable<FeatureSketch['recovery']> = {
  rampPercent: [5, 50, 100],
  minimumSamples: 5,
  stableForMs: 2000,
  backoff: { jitter: 'none' },
};
const WHY = { because: 'test' };

/** A state with these changes to its features; recoveries of those that are lowered run. */
function stateOf(changes: Readonly<Record<string, Partial<FeatureRecord>>>, policy = shop(RECOVERY)): ServiceState {
  const state = serviceOf(policy);
  const features = Object.fromEntries(Object.entries(state.features).map(([name, record]) => [name, { ...record, ...changes[name] }]));
  const lowered = policy.features.filter(({ name }) => features[name]!.recovery).map(({ name }) => name);
  return { ...state, features, recovery: lowered.length > 0 ? runningRecovery(...lowered) : null };
}

function recovery(rest: Partial<FeatureRecovery> = {}): FeatureRecovery {
  return newRecovery(serviceOf(shop(RECOVERY)).features['catalog']!, T0, WHY, { stableMs: 1000, ...rest });
}

const disabled = (rest: Partial<FeatureRecovery> = {}): Partial<FeatureRecord> => ({
  state: 'DISABLED',
  admit: 0,
  health: 'UNHEALTHY',
  recovery: recovery(rest),
});
const testing = (percent: number, rest: Partial<FeatureRecovery> = {}): Partial<FeatureRecord> => ({
  state: 'TESTING',
  admit: percent * 100,
  recovery: recovery({
    phase: 'ramping',
    rampIndex: RECOVERY.rampPercent!.indexOf(percent),
    passedIndex: RECOVERY.rampPercent!.indexOf(percent) - 1,
    ...rest,
  }),
});

const OPEN = shown(1, { failed: 20 }, { phase: 'OPEN' });
/** From the beginning of whatever is tested. */
const GOOD = shown(1, { succeeded: 100 }, { firstSampleAgeMs: 3_600_000 });
const seen = (features: Readonly<Record<string, FeatureEvidence>>): Evidence => evidenceOf(proxy('n1', features));
const NOTHING = evidenceOf(proxy('n1', {}));

function tick(state: ServiceState, evidence: Evidence, afterMs = 0) {
  const result = step(state, evidence, T0 + afterMs, noRandom);
  const flags = Object.fromEntries(
    Object.entries(result.state.features).map(([name, { state: flag, admit }]) => [name, flag === 'TESTING' ? admit / 100 : flag]),
  );
  return { ...result, flags, told: result.events.map(({ event, feature }) => (feature ? `${feature} ${event}` : event)) };
}

describe('opening (R4, R10)', () => {
  test('the fleet opens a feature with its hard dependants, leaves first, as one revision; a soft healthy one stays', () => {
    const { state, transitions, flags, told } = tick(stateOf({}), seen({ catalog: OPEN, checkout: GOOD, recommendations: GOOD }));
    expect(flags).toEqual({ catalog: 'DISABLED', checkout: 'DISABLED', recommendations: 'ENABLED' });
    expect(transitions.map(({ feature }) => feature)).toEqual(['checkout', 'catalog']);
    expect(state).toMatchObject({ revision: 2, features: { catalog: { step: 2 }, checkout: { step: 2 }, recommendations: { step: 1 } } });
    expect(state.recovery).toMatchObject({ startedBy: 'fleet', plan: [['catalog'], ['checkout']], endedAtMs: null });
    expect(told).toContain('recovery-started');
  });

  test.for([
    { name: 'a soft dependant of unknown health stays', shows: {}, flag: 'ENABLED' },
    { name: 'a soft one that is DEGRADED stays', shows: { recommendations: shown(1, { succeeded: 80, failed: 20 }) }, flag: 'ENABLED' },
    { name: 'a soft one that is UNHEALTHY falls', shows: { recommendations: shown(1, { succeeded: 20, failed: 80 }) }, flag: 'DISABLED' },
  ])('$name', ({ shows, flag }) => {
    expect(tick(stateOf({}), seen({ catalog: OPEN, ...shows })).flags['recommendations']).toBe(flag);
  });

  test('a dependant in TESTING falls, keeps its last passed step and its attempts', () => {
    const before = stateOf({ recommendations: testing(100, { attempt: 4 }) });
    const { state, flags } = tick(before, seen({ catalog: OPEN, recommendations: GOOD }));
    expect(flags['recommendations']).toBe('DISABLED');
    expect(state.features['recommendations']?.recovery).toMatchObject({ phase: 'blocked', passedIndex: 1, rampIndex: -1, attempt: 4 });
  });

  test('a dependant under an override is exempt (R14)', () => {
    const override = { kind: 'FORCED_CLOSED' as const, reason: 'x', author: 'ann', createdAtMs: T0, expiresAtMs: T0 + 9999 };
    expect(tick(stateOf({ checkout: { override } }), seen({ catalog: OPEN })).transitions.map(({ feature }) => feature)).toEqual([
      'catalog',
    ]);
  });

  test('a later opening joins the running recovery (R13)', () => {
    const { state, told } = tick(stateOf({ catalog: disabled() }), seen({ recommendations: OPEN }));
    expect(state.recovery).toMatchObject({ id: 'r1', plan: [['catalog'], ['recommendations']] });
    expect(told).toContain('recovery-joined');
  });

  test('within resetAfterMs of the last recovery the outage goes on (R12)', () => {
    const before = stateOf({
      catalog: {
        recovery: recovery({ phase: 'done', outageStartedAtMs: T0 - 90_000, attempt: 2, refailures: 1 }),
        recoveredAtMs: T0 - 1000,
      },
    });
    const after = tick({ ...before, recovery: null }, seen({ catalog: OPEN })).state.features['catalog']?.recovery;
    expect(after).toMatchObject({ outageStartedAtMs: T0 - 90_000, attempt: 2, refailures: 2, waitMs: 4000 });
  });

  test('after resetAfterMs it is forgotten', () => {
    const before = stateOf({ catalog: { recovery: recovery({ phase: 'done' }), recoveredAtMs: T0 - 300_001 } });
    expect(tick({ ...before, recovery: null }, NOTHING).state.features['catalog']?.recovery).toBeNull();
  });
});

describe('a feature on its way', () => {
  test('waits, then probes: no flag changes, so no revision', () => {
    const before = stateOf({ catalog: disabled({ phase: 'waiting', nextAttemptAtMs: T0 + 500 }) });
    expect(tick(before, NOTHING, 499).state.features['catalog']?.recovery?.phase).toBe('waiting');
    const { state } = tick(before, NOTHING, 500);
    expect(state).toMatchObject({
      revision: 1,
      version: 2,
      features: { catalog: { recovery: { phase: 'probing', sampleFromMs: T0 + 500 } } },
    });
  });

  test('rises from the probes with a new step and a window of a tenth of the outage', () => {
    const before = stateOf({ catalog: disabled({ phase: 'probing', outageStartedAtMs: T0 - 15_000 }) });
    const { state, flags } = tick(before, seen({ catalog: GOOD }));
    expect(flags['catalog']).toBe(5);
    expect(state.features['catalog']).toMatchObject({ step: 2, recovery: { phase: 'ramping', stableMs: 1500, rampIndex: 0 } });
  });

  test('a failed attempt doubles the wait and says why, with numbers', () => {
    const before = stateOf({ catalog: disabled({ phase: 'probing' }) });
    const { state, flags } = tick(before, seen({ catalog: shown(1, { failed: 1 }) }), 100);
    expect(flags['catalog']).toBe('DISABLED');
    expect(state.features['catalog']?.recovery).toMatchObject({
      phase: 'waiting',
      attempt: 1,
      nextAttemptAtMs: T0 + 2100,
      reason: { because: 'attempt-failed', numbers: { failed: 1, waitMs: 2000, verdict: 'probes-failed' } },
    });
  });

  test('the last step leads to ENABLED, HEALTHY by its ramp', () => {
    const before = stateOf({ catalog: { ...testing(100), health: 'UNHEALTHY' } });
    const { state } = tick(before, seen({ catalog: shown(1, { succeeded: 6 }) }), 1000);
    expect(state.features['catalog']).toMatchObject({
      state: 'ENABLED',
      health: 'HEALTHY',
      recoveredAtMs: T0 + 1000,
      recovery: { phase: 'done', settleMs: 1000 },
    });
  });

  test('each re-failure doubles the time until it satisfies its dependants (R4)', () => {
    const { state } = tick(stateOf({ catalog: testing(100, { refailures: 2 }) }), seen({ catalog: GOOD }), 1000);
    expect(state.features['catalog']?.recovery?.settleMs).toBe(4000);
  });

  test('a failed step falls back one rung, a failed first step to the probes with its dependants', () => {
    const bad = shown(1, { failed: 20 });
    expect(tick(stateOf({ catalog: testing(50) }), seen({ catalog: bad })).flags['catalog']).toBe(5);
    const { flags } = tick(stateOf({ catalog: testing(5), recommendations: testing(50) }), seen({ catalog: bad, recommendations: GOOD }));
    expect(flags).toMatchObject({ catalog: 'DISABLED', recommendations: 'DISABLED' });
  });

  test('a step that failed waits before it is tried again', () => {
    const before = stateOf({ catalog: testing(5, { nextAttemptAtMs: T0 + 4000 }) });
    expect(tick(before, seen({ catalog: GOOD }), 3999)).toMatchObject({
      flags: { catalog: 5 },
      live: { catalog: { recovery: { because: 'step-wait' } } },
    });
    expect(tick(before, seen({ catalog: GOOD }), 4000).flags['catalog']).toBe(50);
  });

  test('held after too many attempts it waits for a person', () => {
    const before = stateOf({ catalog: disabled({ phase: 'held' }) });
    expect(tick(before, seen({ catalog: GOOD }), 3_600_000).flags['catalog']).toBe('DISABLED');
  });

  test('a refusal to act has its present numbers at hand, but is stored and told only when its code changes (R17)', () => {
    const before = stateOf({ catalog: testing(5) });
    const first = tick(before, seen({ catalog: shown(1, { succeeded: 2 }) }), 100);
    expect(first.told).toEqual(['catalog holds']);
    const second = tick(first.state, seen({ catalog: shown(1, { succeeded: 4 }) }), 200);
    expect(second.told).toEqual([]);
    expect(second.state).toBe(first.state);
    expect(second.live?.['catalog']?.recovery).toMatchObject({ because: 'too-few-samples', numbers: { samples: 4, needed: 5 } });
  });
});

describe('dependencies and waves (R4, R13)', () => {
  const parent = (changes: Partial<FeatureRecord>) => stateOf({ catalog: changes, recommendations: testing(5) });
  const rises = (state: ServiceState, afterMs = 5000) => tick(state, seen({ recommendations: GOOD }), afterMs);

  test.for<{ name: string; changes: Partial<FeatureRecord>; holds: string | null }>([
    { name: 'ENABLED and HEALTHY', changes: { health: 'HEALTHY' }, holds: null },
    { name: 'ENABLED of unknown health', changes: {}, holds: null },
    { name: 'DEGRADED', changes: { health: 'DEGRADED' }, holds: 'dependency-not-healthy' },
    { name: 'DISABLED', changes: disabled({ phase: 'held' }), holds: 'dependency-not-enabled' },
    { name: 'TESTING', changes: testing(5, { phase: 'held' }), holds: 'dependency-not-enabled' },
    {
      name: 'ENABLED for less than its settling time',
      changes: { sinceMs: T0, recovery: recovery({ phase: 'done', settleMs: 5001 }) },
      holds: 'dependency-settling',
    },
    { name: 'ENABLED for its settling time', changes: { sinceMs: T0, recovery: recovery({ phase: 'done', settleMs: 5000 }) }, holds: null },
    { name: 'forced open', changes: { override: forced('FORCED_OPEN') }, holds: 'dependency-not-enabled' },
    {
      name: 'forced closed',
      changes: { ...disabled({ phase: 'held' }), health: 'UNKNOWN', override: forced('FORCED_CLOSED') },
      holds: null,
    },
    {
      name: 'forced closed just now',
      changes: { sinceMs: T0 + 4999, recovery: recovery({ phase: 'done', settleMs: 60_000 }), override: forced('FORCED_CLOSED') },
      holds: null,
    },
  ])('a dependency that is $name: $holds', ({ changes, holds }) => {
    const { live, flags } = rises(parent(changes));
    expect(flags['recommendations']).toBe(holds ? 5 : 50);
    if (holds) expect(live?.['recommendations']?.recovery?.because).toBe(holds);
  });

  test('a dependency in shadow mode gates nobody (R15)', () => {
    const policy = shop(RECOVERY);
    const shadowed = {
      ...policy,
      features: policy.features.map((each) => (each.name === 'catalog' ? { ...each, mode: 'shadow' as const } : each)),
    };
    expect(rises({ ...parent({ health: 'UNHEALTHY' }), policy: shadowed }).flags['recommendations']).toBe(50);
  });

  const two = policyOf([
    { name: 'first', priority: 1, recovery: RECOVERY },
    { name: 'second', priority: 2, recovery: RECOVERY },
  ]);
  const recommendsWait = (first: Partial<FeatureRecord>, evidence = seen({ first: shown(1, { refused: 9 }) })) =>
    tick(stateOf({ first, second: disabled() }, two), evidence, 20_000).state.features['second']?.recovery?.phase;

  test.for<{ name: string; first: Partial<FeatureRecord>; evidence?: Evidence; phase: string }>([
    { name: 'waits for the first wave', first: disabled({ phase: 'probing' }), phase: 'blocked' },
    { name: 'starts when it failed once', first: disabled({ phase: 'probing', failedOnce: true }), phase: 'probing' },
    { name: 'when it is idle', first: disabled({ phase: 'probing' }), evidence: NOTHING, phase: 'probing' },
    { name: 'when it is at its ceiling', first: testing(50, { phase: 'ceiling' }), phase: 'probing' },
    { name: 'when it waits for a person', first: disabled({ phase: 'held' }), phase: 'probing' },
    { name: 'when it is ENABLED', first: { recovery: recovery({ phase: 'done' }) }, phase: 'probing' },
    { name: 'when a person has it', first: { ...disabled({ phase: 'held' }), override: forced('FORCED_OPEN') }, phase: 'probing' },
  ])('the second wave $name', ({ first, evidence, phase }) => {
    expect(recommendsWait(first, evidence)).toBe(phase);
  });

  const four = policyOf(
    ['a', 'b', 'c', 'd'].map((name, index) => ({ name, priority: index + 1, recovery: RECOVERY })),
    { recovery: { maxRamping: 2 } },
  );
  const ready = (name: string, ramping: string[]) => {
    const others = Object.fromEntries(ramping.map((other) => [other, testing(5, { stableMs: 90_000 })]));
    const state = stateOf({ ...others, [name]: disabled({ phase: 'probing' }) }, four);
    return tick(state, seen(Object.fromEntries(['a', 'b', 'c', 'd'].map((each) => [each, GOOD]))), 1000);
  };

  test('the load cap holds further ramps back, never the first (R13)', () => {
    expect(ready('d', ['b', 'c']).live?.['d']?.recovery?.because).toBe('load-cap');
    expect(ready('d', ['b']).flags['d']).toBe(5);
    expect(ready('a', ['b', 'c']).flags['a']).toBe(5);
  });

  test('a feature that is held by a dependency does not hold that dependency up by the cap', () => {
    const policy = shop(RECOVERY, { recovery: { maxRamping: 1 } });
    const first = { ...policy, features: policy.features.map((each) => ({ ...each, priority: 1 })) };
    const state = stateOf({ catalog: disabled({ phase: 'probing' }), recommendations: testing(5) }, first);
    expect(tick(state, seen({ catalog: GOOD, recommendations: GOOD })).flags['catalog']).toBe(5);
  });

  test('(i) services of one upstream group take turns by priority', () => {
    const state = stateOf({ catalog: disabled({ phase: 'probing' }) });
    const risesBeside = (rampingElsewhere: number[]) =>
      step(state, seen({ catalog: GOOD }), T0, noRandom, { rampingElsewhere }).state.features['catalog']?.state;
    expect([[2], [1], []].map(risesBeside)).toEqual(['TESTING', 'DISABLED', 'TESTING']);
    expect(
      rampingPriorities(stateOf({ checkout: testing(5), recommendations: testing(5, { reason: { because: 'no-traffic' } }) })),
    ).toEqual([2]);
  });
});

describe('the end', () => {
  test('a recovery is over when all were ENABLED for their stability window', () => {
    const before = stateOf({ catalog: { recovery: recovery({ phase: 'done', stableMs: 1000 }) } });
    expect(tick(before, NOTHING, 999).state.recovery?.result).toBeNull();
    const { state, told } = tick(before, NOTHING, 1000);
    expect(state.recovery).toMatchObject({ result: 'recovered', endedAtMs: T0 + 1000 });
    expect(state.recovery?.timeline.at(-1)?.event).toBe('recovery-ended');
    expect(told).toEqual(['recovery-ended']);
  });

  test('proxies that recovered by themselves end it, dependencies first (R3)', () => {
    const alone = { governed: false, ungovernedAgeMs: 0 };
    const evidence = evidenceOf(
      ...['a', 'b', 'c'].map((node) => proxy(node, { catalog: GOOD, checkout: GOOD }, node === 'c' ? {} : alone)),
    );
    const { state, flags } = tick(stateOf({ catalog: disabled({ phase: 'held' }), checkout: disabled({ phase: 'held' }) }), evidence);
    expect(flags).toMatchObject({ catalog: 'ENABLED', checkout: 'ENABLED' });
    expect(state.recovery?.result).toBe('recovered-locally');
  });

  test.for<{ name: string; shows: FeatureEvidence; ungovernedAgeMs: number | null }>([
    { name: 'governed traffic', shows: GOOD, ungovernedAgeMs: null },
    { name: 'a lease that returned long ago', shows: GOOD, ungovernedAgeMs: 10_001 },
    { name: 'a breaker that tests', shows: { ...GOOD, phase: 'HALF_OPEN' }, ungovernedAgeMs: 0 },
    { name: 'too few requests', shows: shown(1, { succeeded: 19 }), ungovernedAgeMs: 0 },
    { name: 'failing requests', shows: shown(1, { succeeded: 90, failed: 10 }), ungovernedAgeMs: 0 },
    { name: 'less than half of the requests', shows: shown(1, { succeeded: 100, refused: 101 }), ungovernedAgeMs: 0 },
  ])('not by $name', ({ shows, ungovernedAgeMs }) => {
    const state = stateOf({ catalog: disabled({ phase: 'held' }) });
    expect(tick(state, evidenceOf(proxy('a', { catalog: shows }, { ungovernedAgeMs }))).flags['catalog']).toBe('DISABLED');
  });
});

describe('where the fleet only watches', () => {
  test.for([
    { name: 'autopilot advise', rest: { autopilot: 'advise' as const } },
    { name: 'autopilot off', rest: { autopilot: 'off' as const } },
    { name: 'scope proxy', rest: { recovery: { scope: 'proxy' as const } } },
    { name: 'shadow mode', rest: { mode: 'shadow' as const } },
  ])('$name: it judges and says what it would do, once', ({ rest }) => {
    const first = tick(stateOf({}, shop(RECOVERY, rest)), seen({ catalog: OPEN }));
    expect(first.flags['catalog']).toBe('ENABLED');
    expect(first.state.features['catalog']).toMatchObject({
      health: 'UNHEALTHY',
      reason: { because: 'would-open', numbers: { verdict: 'breakers-open' } },
    });
    expect(tick(first.state, seen({ catalog: OPEN })).told).toEqual([]);
    expect(tick(first.state, seen({ catalog: GOOD })).told).toContain('catalog would-stay');
  });
});

test('a bad judgement that is kept for want of samples keeps its cause, and is marked', () => {
  const opened = tick(stateOf({}), seen({ catalog: OPEN })).state;
  const { state, live } = tick(opened, NOTHING, 1000);
  expect(state.features['catalog']).toMatchObject({
    health: 'UNHEALTHY',
    healthReason: { because: 'breakers-open' },
    healthKeptSinceMs: T0 + 1000,
  });
  expect(live?.['catalog']?.health).toMatchObject({ because: 'too-few-samples', numbers: { health: 'UNHEALTHY', samples: 0 } });
});

test('nodes are remembered for a cold start, and not forgotten when all are silent', () => {
  const { state } = tick(stateOf({}), evidenceOf(proxy('b', {}), proxy('a', {})));
  expect(state).toMatchObject({ nodes: ['a', 'b'], revision: 1, version: 2 });
  expect(tick(state, evidenceOf()).state).toBe(state);
});

test('what nothing brings back is taken into a recovery', () => {
  const before = stateOf({ catalog: { state: 'TESTING', admit: 5000, recovery: null } });
  const { state, told } = tick(before, NOTHING);
  expect(told).toContain('recovery-started');
  expect(state.features['catalog']).toMatchObject({ state: 'TESTING', admit: 5000, recovery: { phase: 'ramping', rampIndex: 1 } });
});

function forced(kind: 'FORCED_OPEN' | 'FORCED_CLOSED') {
  return { kind, reason: 'x', author: 'ann', createdAtMs: T0, expiresAtMs: null };
}
