import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Timed, TimerWheel } from '../../../control-plane/fleet/timer-wheel.ts';

interface Entry extends Timed<Entry> {
  readonly dueMs: number;
  firedMs: number | null;
}

const SLOT_MS = 100;
const SPAN_MS = 60_000;

test('law: an entry is due once, never early, and at most one slot after the turn that follows its time', () => {
  const waits = fc.array(fc.record({ atMs: fc.nat(20_000), afterMs: fc.nat(SPAN_MS), isCancelled: fc.boolean() }), {
    minLength: 1,
    maxLength: 40,
  });
  const turns = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 30, maxLength: 60 });
  fc.assert(
    fc.property(fc.nat(1_000_000), waits, turns, (startMs, planned, pauses) => {
      let nowMs = startMs;
      const wheel = new TimerWheel<Entry>(SPAN_MS, SLOT_MS, (entry) => {
        expect(entry.firedMs).toBeNull();
        entry.firedMs = nowMs;
      });
      const pending = [...planned].sort((a, b) => a.atMs - b.atMs);
      const entries: { entry: Entry; isCancelled: boolean }[] = [];
      const turnTimes: number[] = [];
      for (const pause of [...pauses, SPAN_MS, 30_000]) {
        for (; pending.length > 0 && startMs + pending[0]!.atMs <= nowMs; pending.shift()) {
          const { afterMs, isCancelled } = pending[0]!;
          const entry: Entry = { dueMs: nowMs + afterMs, firedMs: null, slot: null };
          wheel.set(entry, nowMs, afterMs);
          entries.push({ entry, isCancelled });
          if (isCancelled) wheel.cancel(entry);
        }
        nowMs += pause;
        wheel.advance(nowMs);
        turnTimes.push(nowMs);
      }
      for (const { entry, isCancelled } of entries) {
        if (isCancelled) expect(entry.firedMs).toBeNull();
        else {
          expect(entry.firedMs).toBeGreaterThanOrEqual(entry.dueMs);
          const turn = turnTimes.find((time) => time >= entry.dueMs + SLOT_MS);
          if (turn !== undefined) expect(entry.firedMs).toBeLessThanOrEqual(turn);
        }
      }
      expect(wheel.size).toBe(entries.filter(({ entry, isCancelled }) => !isCancelled && entry.firedMs === null).length);
    }),
    { numRuns: 200 },
  );
});

test('an entry that one before it cancelled in the same slot is not due', () => {
  const fired: string[] = [];
  const wheel = new TimerWheel<{ name: string; slot: Set<never> | null } & Timed<never>>(1000, 100, (entry) => {
    fired.push(entry.name);
    wheel.cancel(second);
  });
  const first = { name: 'first', slot: null };
  const second = { name: 'second', slot: null };
  wheel.set(first, 0, 500);
  wheel.set(second, 0, 500);
  wheel.advance(1000);
  expect(fired).toEqual(['first']);
  expect(wheel.size).toBe(0);
});
