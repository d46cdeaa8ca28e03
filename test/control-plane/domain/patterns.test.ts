import { describe, expect, test } from 'vitest';
import type { Jitter } from '../../../control-plane/contract/names.ts';
import { backoffMs } from '../../../control-plane/domain/recovery/backoff.ts';
import { ExponentialBackoffPattern } from '../../../control-plane/domain/recovery/exponential-backoff-pattern.ts';
import { PartialRecoveryPattern } from '../../../control-plane/domain/recovery/partial-recovery-pattern.ts';
import type { Move, Progress, RecoveryPattern, Situation } from '../../../control-plane/domain/recovery/pattern.ts';
import { BUILT_IN_PATTERNS, PatternRegistry } from '../../../control-plane/domain/recovery/registry.ts';
import { type FeatureSketch, noRandom, policyOf } from './fixtures.ts';

const AT_THE_PROBES: Progress = { attempt: 0, waitMs: 0, rampIndex: -1, passedIndex: -1, stepFailures: [], fellBack: false };

function situation(recovery: NonNullable<FeatureSketch['recovery']> = {}, rest: Partial<Situation> = {}): Situation {
  const sketch = { rampPercent: [5, 25, 50, 100], backoff: { jitter: 'none' as const }, ...recovery };
  const settings = policyOf([{ name: 'catalog', recovery: sketch }]).features[0]!.recovery;
  return { settings, stableMs: 2000, demandPerMs: 1, random: noRandom, ...rest };
}

function told({ to, waitMs, alert, isHeld, progress, reason }: Move) {
  return { to, rampIndex: progress.rampIndex, passedIndex: progress.passedIndex, waitMs, alert, isHeld, because: reason.because };
}

describe('backoff', () => {
  const settings = (jitter: Jitter) => ({ baseMs: 1000, factor: 2, capMs: 30_000, jitter });

  test.for([
    [0, 1000],
    [1, 2000],
    [4, 16_000],
    [5, 30_000],
    [10_000, 30_000],
  ] as const)('after %i failures it waits %i ms, never beyond the cap', ([failures, waitMs]) => {
    expect(backoffMs(settings('none'), failures, 0, noRandom)).toBe(waitMs);
  });

  test.for<{ jitter: Jitter; lastMs: number; least: number; most: number }>([
    { jitter: 'full', lastMs: 0, least: 0, most: 4000 },
    { jitter: 'equal', lastMs: 0, least: 2000, most: 4000 },
    { jitter: 'decorrelated', lastMs: 0, least: 1000, most: 3000 },
    { jitter: 'decorrelated', lastMs: 5000, least: 1000, most: 15_000 },
    { jitter: 'decorrelated', lastMs: 29_000, least: 1000, most: 30_000 },
  ])('$jitter jitter after $lastMs ms lies between $least and $most ms', ({ jitter, lastMs, least, most }) => {
    expect(backoffMs(settings(jitter), 2, lastMs, () => 0)).toBe(least);
    expect(backoffMs(settings(jitter), 2, lastMs, () => 1)).toBe(most);
  });
});

describe('exponential backoff', () => {
  const pattern = new ExponentialBackoffPattern();

  test('from successful probes straight to ENABLED', () => {
    expect(pattern.onSuccess(AT_THE_PROBES, situation()).to).toBe('enabled');
  });

  test('each failure doubles the wait', () => {
    const first = pattern.onFailure(AT_THE_PROBES, situation(), 100);
    const second = pattern.onFailure(first.progress, situation(), 100);
    expect([first.waitMs, second.waitMs, second.progress.attempt]).toEqual([2000, 4000, 2]);
  });

  test('after as many attempts as allowed people are told, each time anew, and it goes on (R6)', () => {
    const alerts = [1, 2, 3, 4, 5, 6].map(
      (failed) => pattern.onFailure({ ...AT_THE_PROBES, attempt: failed - 1 }, situation({ maxAttempts: 3 }), 100).alert,
    );
    expect(alerts).toEqual([null, null, 'stuck', null, null, 'stuck']);
  });

  test('or waits for a person, if the policy says so', () => {
    const held = pattern.onFailure({ ...AT_THE_PROBES, attempt: 2 }, situation({ maxAttempts: 3, onExhausted: 'hold' }), 100);
    expect(held).toMatchObject({ isHeld: true, alert: 'stuck' });
  });
});

describe('partial recovery', () => {
  const pattern = new PartialRecoveryPattern();
  const at = (rampIndex: number, rest: Partial<Progress> = {}): Progress => ({
    ...AT_THE_PROBES,
    rampIndex,
    passedIndex: rampIndex - 1,
    ...rest,
  });

  describe('success', () => {
    test.for([
      { name: 'the probes lead to the first step', progress: AT_THE_PROBES, to: 'step', rampIndex: 0, because: 'probes-succeeded' },
      { name: 'a step leads to the next', progress: at(0), to: 'step', rampIndex: 1, because: 'step-passed' },
      { name: 'the last step leads to ENABLED', progress: at(3), to: 'enabled', rampIndex: 4, because: 'ramp-passed' },
      {
        name: 'pulled back, it resumes one step below the last passed one (R4)',
        progress: at(-1, { passedIndex: 3 }),
        to: 'step',
        rampIndex: 2,
        because: 'probes-succeeded',
      },
      {
        name: 'pulled back at the first step, it resumes there',
        progress: at(-1, { passedIndex: 0 }),
        to: 'step',
        rampIndex: 0,
        because: 'probes-succeeded',
      },
    ])('$name', ({ progress, to, rampIndex, because }) => {
      expect(told(pattern.onSuccess(progress, situation()))).toMatchObject({ to, rampIndex, because });
    });

    test.for([
      // 20 samples in a window of 2 s need 10 a second
      { name: 'a step that cannot reach its samples in its window is skipped', perSecond: 30, rampIndex: 2, to: 'step' },
      { name: 'if none is left, from the probes to all at once', perSecond: 9, rampIndex: 4, to: 'enabled' },
    ])('$name (R7)', ({ perSecond, rampIndex, to }) => {
      const move = pattern.onSuccess(AT_THE_PROBES, situation({}, { demandPerMs: perSecond / 1000 }));
      expect(told(move)).toMatchObject({ to, rampIndex });
    });
  });

  describe('failure (R11)', () => {
    test.for([
      {
        name: 'above the highest passed step: back to that one, whatever the rate',
        progress: at(2),
        percent: 100,
        to: 'step',
        rampIndex: 1,
        passedIndex: 1,
      },
      { name: 'with none passed: back to the probes', progress: at(0), percent: 15, to: 'probes', rampIndex: -1, passedIndex: -1 },
      {
        name: 'of the step it fell back to: to the probes',
        progress: at(1, { passedIndex: 1, fellBack: true }),
        percent: 15,
        to: 'probes',
        rampIndex: -1,
        passedIndex: -1,
      },
      {
        name: 'of a passed step at 80 %: to the probes',
        progress: at(1, { passedIndex: 2 }),
        percent: 80,
        to: 'probes',
        rampIndex: -1,
        passedIndex: -1,
      },
      {
        name: 'of a passed step below 80 %: one step down',
        progress: at(1, { passedIndex: 2 }),
        percent: 79,
        to: 'step',
        rampIndex: 0,
        passedIndex: 0,
      },
    ])('$name', ({ progress, percent, to, rampIndex, passedIndex }) => {
      expect(told(pattern.onFailure(progress, situation(), percent))).toMatchObject({ to, rampIndex, passedIndex });
    });

    test('back on a passed step, it knows that it fell there', () => {
      expect(pattern.onFailure(at(2), situation(), 15).progress.fellBack).toBe(true);
    });

    test('each failure of the same step doubles the wait; the third makes it the ceiling', () => {
      const waits: unknown[] = [];
      let progress = at(2);
      for (let failure = 1; failure <= 4; failure++) {
        const move = pattern.onFailure(progress, situation(), 60);
        waits.push([move.waitMs, move.alert]);
        progress = pattern.onSuccess(move.progress, situation()).progress; // the step below passes again
      }
      expect(waits).toEqual([
        [2000, null],
        [4000, null],
        [8000, 'ceiling'],
        [16_000, 'ceiling'],
      ]);
    });

    test('at most half an hour', () => {
      const move = pattern.onFailure(at(2, { stepFailures: [0, 0, 40] }), situation(), 60);
      expect(move.waitMs).toBe(1_800_000);
    });

    test('back at the probes the wait of attempts and of the step both hold', () => {
      const move = pattern.onFailure(at(0, { attempt: 3 }), situation(), 60);
      expect(move.waitMs).toBe(16_000);
      expect(move.progress.attempt).toBe(4);
    });
  });
});

describe('the registry', () => {
  /** A third party's pattern: three attempts at a fixed pace, then all at once. */
  class FixedPace implements RecoveryPattern {
    readonly name = 'fixed-pace';
    nextAttempt() {
      return { waitMs: 1000, isHeld: false };
    }
    onSuccess(progress: Progress): Move {
      return { to: 'enabled', progress, waitMs: 0, alert: null, isHeld: false, reason: { because: 'good-enough' } };
    }
    onFailure(progress: Progress): Move {
      return { to: 'probes', progress, waitMs: 1000, alert: null, isHeld: false, reason: { because: 'again' } };
    }
  }

  test('knows the built-in patterns by the names that policies use', () => {
    expect(['partial', 'exponential-backoff'].map((name) => BUILT_IN_PATTERNS.get(name).name)).toEqual(['partial', 'exponential-backoff']);
  });

  test('takes a pattern of others, and refuses an unknown name', () => {
    const registry = new PatternRegistry([new FixedPace()]);
    expect(registry.get('fixed-pace').onSuccess(AT_THE_PROBES, situation()).reason.because).toBe('good-enough');
    expect(() => registry.get('partial')).toThrow('no recovery pattern partial, known: fixed-pace');
  });
});
