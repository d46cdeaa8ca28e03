import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type BreakerExports, Gate, loadBreaker, NEVER, Phase, Refusal, State } from './breaker-module.ts';

let breaker: BreakerExports;

beforeAll(async () => {
  breaker = await loadBreaker();
});
beforeEach(() => breaker.create(5, 80, 1000n, 8000n, 10_000n, 60_000n));

const recovery = (step: bigint, state: number, admit = 0) => breaker.setFlag(step, state, admit, false, NEVER);
const person = (step: bigint, state: number, admit = 0, until = NEVER) => breaker.setFlag(step, state, admit, true, until);
const meets = () => ({ gate: breaker.gate(), admit: breaker.admit(), refusal: breaker.refusal() });

describe('governed', () => {
  test.each([
    { name: 'DISABLED refuses', state: State.Disabled, share: 0, gate: Gate.Refuse, admit: 0, refusal: Refusal.Disabled },
    { name: 'TESTING lets its share through', state: State.Testing, share: 2500, gate: Gate.Share, admit: 2500, refusal: Refusal.Share },
    { name: 'ENABLED lets all through', state: State.Enabled, share: 0, gate: Gate.Pass, admit: 10_000, refusal: Refusal.None },
  ])('$name', ({ state, share, gate, admit, refusal }) => {
    recovery(3n, state, share);
    breaker.tick(true, 0n);
    expect(meets()).toEqual({ gate, admit, refusal });
  });

  test('a permit passes the DISABLED flag', () => {
    recovery(3n, State.Disabled);
    breaker.tick(true, 0n);
    breaker.permit(2, 3n, 1000n);
    breaker.tick(true, 0n);
    expect(breaker.gate()).toBe(Gate.Permit);
    breaker.tick(true, 1000n);
    expect(breaker.gate()).toBe(Gate.Refuse);
  });

  test('DISABLED does not half-open by itself (R1)', () => {
    recovery(3n, State.Disabled);
    breaker.tick(true, 0n);
    expect(breaker.mayHalfOpen()).toBe(0);
  });

  test('a local trip in TESTING protects at once and may half-open (R1)', () => {
    recovery(3n, State.Testing, 5000);
    breaker.tick(true, 0n);
    breaker.tripNow(10n, 0.5);
    breaker.tick(true, 10n);
    expect(meets()).toMatchObject({ gate: Gate.Refuse, refusal: Refusal.Open });
    expect(breaker.mayHalfOpen()).toBe(1);
  });

  test('a new step drops the local phase, with a new epoch (R1)', () => {
    recovery(3n, State.Enabled);
    breaker.tick(true, 0n);
    breaker.tripNow(10n, 0.5);
    const before = breaker.epoch();
    recovery(4n, State.Testing, 1000);
    expect(breaker.tick(true, 20n)).toBe(1);
    expect(breaker.phase()).toBe(Phase.Closed);
    expect(breaker.epoch() > before).toBe(true);
    expect(breaker.tick(true, 30n)).toBe(0);
  });
});

test('a new step under a lease that never lapsed holds at once', () => {
  recovery(3n, State.Enabled);
  breaker.tick(true, 0n);
  recovery(4n, State.Disabled);
  breaker.tick(true, 10n);
  expect(meets()).toMatchObject({ gate: Gate.Refuse, refusal: Refusal.Disabled });
});

describe('when the lease lapses (R3)', () => {
  test('DISABLED becomes OPEN with local backoff', () => {
    recovery(3n, State.Disabled);
    breaker.tick(true, 0n);
    breaker.tick(false, 100n);
    expect([breaker.phase(), breaker.mayHalfOpen()]).toEqual([Phase.Open, 1]);
    expect(breaker.waitMs()).toBe(750n);
  });

  test('TESTING becomes a local ramp from its share', () => {
    recovery(3n, State.Testing, 2000);
    breaker.tick(true, 0n);
    breaker.tick(false, 100n);
    expect(meets()).toEqual({ gate: Gate.Share, admit: 2000, refusal: Refusal.Share });
    breaker.tick(false, 5100n);
    expect(breaker.admit()).toBe(6000);
  });

  test('ENABLED stays CLOSED', () => {
    recovery(3n, State.Enabled);
    breaker.tick(true, 0n);
    breaker.tick(false, 100n);
    expect(meets()).toEqual({ gate: Gate.Pass, admit: 10_000, refusal: Refusal.None });
  });

  test("a person's flag holds until it expires, then turns into local state", () => {
    person(3n, State.Disabled, 0, 1000n);
    breaker.tick(false, 0n);
    expect(meets()).toMatchObject({ gate: Gate.Refuse, refusal: Refusal.Disabled });
    breaker.tick(false, 1000n);
    expect(breaker.phase()).toBe(Phase.Open);
  });
});

describe('when the lease returns (R3)', () => {
  test("the local share moves linearly to the fleet's, over 10 s", () => {
    recovery(3n, State.Enabled);
    breaker.tick(true, 0n);
    breaker.tick(false, 100n);
    recovery(4n, State.Disabled);
    breaker.tick(true, 1000n);
    const shares = [1000n, 3500n, 6000n, 11_000n].map((at) => {
      breaker.tick(true, at);
      return [breaker.gate(), breaker.admit()];
    });
    expect(shares).toEqual([
      [Gate.Pass, 10_000],
      [Gate.Share, 7500],
      [Gate.Share, 5000],
      [Gate.Refuse, 0],
    ]);
  });

  test('from an OPEN breaker to ENABLED it rises from nothing', () => {
    recovery(3n, State.Disabled);
    breaker.tick(true, 0n);
    breaker.tick(false, 100n);
    recovery(4n, State.Enabled);
    breaker.tick(true, 1000n);
    breaker.tick(true, 3000n);
    expect(meets()).toMatchObject({ gate: Gate.Share, admit: 2000 });
  });

  test('a share that rises from nothing is told as a share from its first moment on, not as DISABLED', () => {
    recovery(1n, State.Enabled);
    breaker.tick(false, 0n);
    breaker.tripNow(10n, 0.5);
    breaker.tick(true, 20n);
    expect(meets()).toEqual({ gate: Gate.Share, admit: 0, refusal: Refusal.Share });
  });

  test('at first contact there is nothing to keep: the flag holds at once', () => {
    breaker.tick(false, 0n);
    recovery(3n, State.Disabled);
    breaker.tick(true, 1000n);
    expect(meets()).toMatchObject({ gate: Gate.Refuse, refusal: Refusal.Disabled });
  });
});

describe('a person (R14)', () => {
  beforeEach(() => breaker.tripNow(0n, 0.5));

  test.each([
    { name: 'FORCED_OPEN', state: State.Disabled, share: 0, gate: Gate.Refuse, admit: 0 },
    { name: 'FORCED_CLOSED', state: State.Enabled, share: 0, gate: Gate.Pass, admit: 10_000 },
    { name: 'HOLD', state: State.Testing, share: 3000, gate: Gate.Share, admit: 3000 },
  ])('$name beats the breaker and the lease, and outcomes are not judged', ({ state, share, gate, admit }) => {
    person(5n, state, share);
    for (const governed of [false, true]) {
      breaker.tick(governed, 10n);
      expect(meets()).toMatchObject({ gate, admit });
      expect(breaker.judged()).toBe(0);
    }
  });
});
