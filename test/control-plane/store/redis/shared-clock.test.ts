import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SharedClock } from '../../../../control-plane/store/redis/shared-clock.ts';
import { databases, openStore } from './server.ts';

const newDatabase = databases();
const MINUTES = 60_000;

/** A clock on a process whose own shows 1000; the other one shows `theirMs`. */
function clockAt(theirMs: number) {
  const local = { ms: 1000 };
  const clock = new SharedClock(() => local.ms, { sentMs: 1000, receivedMs: 1000, theirMs });
  const read = (offsetMs: number, tookMs = 0) =>
    clock.observe({ sentMs: local.ms - tookMs, receivedMs: local.ms, theirMs: local.ms + offsetMs });
  return { local, clock, read };
}

test('it shows the other clock from the start', () => {
  expect(clockAt(500_000).clock.nowMs()).toBe(500_000);
});

test('behind by more than a second it jumps; by less it runs 10 % faster until it is there', () => {
  const { local, clock, read } = clockAt(1000);
  read(5000);
  expect(clock.nowMs()).toBe(6000);
  read(5500);
  local.ms += 1000;
  expect(clock.nowMs()).toBe(7100);
  local.ms += 100_000;
  expect(clock.nowMs()).toBe(local.ms + 5500);
});

test('ahead it runs 10 % slower', () => {
  const { local, clock, read } = clockAt(1000);
  read(-300);
  local.ms += 1000;
  expect(clock.nowMs()).toBe(1900);
  local.ms += 10_000;
  expect(clock.nowMs()).toBe(local.ms - 300);
});

test('a reading that took long changes nothing that it does not exclude', () => {
  const { local, clock, read } = clockAt(1000);
  read(-40, 100);
  local.ms += 1000;
  expect(clock.nowMs()).toBe(local.ms);
});

test('law: it never goes back, whatever is read', () => {
  const event = fc.record({
    pass: fc.integer({ min: 0, max: 5000 }),
    offset: fc.integer({ min: -1e6, max: 1e6 }),
    took: fc.integer({ min: 0, max: 900 }),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), (events) => {
      const { local, clock, read } = clockAt(1000);
      let last = clock.nowMs();
      for (const { pass, offset, took } of events) {
        local.ms += pass;
        read(offset, took);
        const now = clock.nowMs();
        expect(now).toBeGreaterThanOrEqual(last);
        last = now;
      }
    }),
  );
});

test('processes whose clocks are ten minutes apart agree through the store, now and later', async () => {
  const url = newDatabase();
  const own = () => performance.timeOrigin + performance.now();
  const stores = [
    await openStore(url, { localMs: () => own() - 10 * MINUTES }),
    await openStore(url, { localMs: () => own() + 10 * MINUTES }),
  ];
  const apart = () => Math.abs(stores[0]!.clock!() - stores[1]!.clock!());
  expect(apart()).toBeLessThan(250);
  for (const store of stores) await store.versions();
  expect(apart()).toBeLessThan(250);
  expect(Math.abs(stores[0]!.clock!() - Date.now())).toBeLessThan(1000);
});
