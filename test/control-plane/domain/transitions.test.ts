import { describe, expect, test } from 'vitest';
import { Draft } from '../../../control-plane/domain/recovery/draft.ts';
import { type Cause, type FlagValue, isLegal } from '../../../control-plane/domain/recovery/transitions.ts';
import { runningRecovery, serviceOf, shop, T0 } from './fixtures.ts';

const DISABLED: FlagValue = { state: 'DISABLED', admit: 0 };
const ENABLED: FlagValue = { state: 'ENABLED', admit: 10_000 };
const at = (percent: number): FlagValue => ({ state: 'TESTING', admit: percent * 100 });

describe('legal transitions', () => {
  test.for<[Cause, FlagValue, FlagValue, boolean]>([
    ['opened', ENABLED, DISABLED, true],
    ['opened', at(50), DISABLED, false],
    ['pulled-back', at(50), DISABLED, true],
    ['pulled-back', DISABLED, DISABLED, false],
    ['probes-passed', DISABLED, at(5), true],
    ['probes-passed', DISABLED, ENABLED, true],
    ['probes-passed', at(5), at(25), false],
    ['step-passed', at(5), at(25), true],
    ['step-passed', at(25), at(5), false],
    ['step-passed', at(25), at(25), false],
    ['step-passed', at(100), ENABLED, true],
    ['step-passed', DISABLED, ENABLED, false],
    ['step-failed', at(50), at(25), true],
    ['step-failed', at(50), DISABLED, true],
    ['step-failed', at(25), at(50), false],
    ['step-failed', ENABLED, DISABLED, false],
    ['recovered-locally', at(5), ENABLED, true],
    ['rolled-back', at(50), at(5), true],
    ['rolled-back', ENABLED, at(50), true],
    ['rolled-back', at(5), DISABLED, true],
    ['rolled-back', at(5), at(50), false],
    ['rolled-back', DISABLED, at(5), false],
    ['policy-changed', at(5), at(5), true],
    ['policy-changed', at(5), at(25), false],
    ['overridden', ENABLED, DISABLED, true],
    ['mode-left', DISABLED, ENABLED, true],
    ['mode-left', ENABLED, DISABLED, false],
    ['opened', ENABLED, { state: 'DISABLED', admit: 1 }, false],
    ['step-passed', at(5), { state: 'ENABLED', admit: 9999 }, false],
  ])('%s from %j to %j: %s', ([cause, from, to, legal]) => {
    expect(isLegal(cause, from, to)).toBe(legal);
  });
});

describe('a draft', () => {
  const state = serviceOf(shop());
  const why = { because: 'test' };

  test('refuses an illegal transition: that is a bug', () => {
    expect(() => new Draft(state, T0).flag('catalog', 'step-passed', { state: 'DISABLED', admit: 0 }, why)).toThrow(
      'illegal transition of catalog',
    );
  });

  test('without a change it gives back the very state', () => {
    const draft = new Draft(state, T0);
    draft.patch('catalog', { health: 'UNKNOWN' });
    expect(draft.finish().state).toBe(state);
  });

  test('a change that filters need not see raises the version, not the revision', () => {
    const draft = new Draft(state, T0);
    draft.patch('catalog', { health: 'HEALTHY' });
    expect(draft.finish().state).toMatchObject({ version: 2, revision: 1 });
  });

  test('several flags are one revision, which is the step of each (R1)', () => {
    const draft = new Draft(state, T0 + 1);
    for (const name of ['catalog', 'checkout']) draft.flag(name, 'opened', { state: 'DISABLED', admit: 0 }, why);
    const { state: after, transitions } = draft.finish();
    expect(after).toMatchObject({
      version: 2,
      revision: 2,
      features: { catalog: { step: 2, sinceMs: T0 + 1 }, checkout: { step: 2 }, recommendations: { step: 1 } },
    });
    expect(transitions.map(({ feature, from, to }) => [feature, from, to])).toEqual([
      ['catalog', { ...ENABLED, by: 'recovery' }, { ...DISABLED, by: 'recovery' }],
      ['checkout', { ...ENABLED, by: 'recovery' }, { ...DISABLED, by: 'recovery' }],
    ]);
    expect(state.features['catalog']?.state).toBe('ENABLED'); // the old state is as it was
  });

  test('the timeline keeps the last five hundred entries', () => {
    const draft = new Draft(state, T0);
    draft.patchService({ recovery: runningRecovery() });
    for (let index = 0; index < 600; index++) draft.event(`e${index}`, why);
    const timeline = draft.finish().state.recovery?.timeline ?? [];
    expect([timeline.length, timeline[0]?.event, timeline[499]?.event]).toEqual([500, 'e100', 'e599']);
  });
});
