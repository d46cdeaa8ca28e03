import { clock_time_get, random_get } from "./imports";
import { returnedTime, timePointer } from "./memory";

const MONOTONIC: i32 = 1;
const REALTIME: i32 = 0;

/** Monotonic clock of the process in ms: the same for all workers. Read once per callback. */
export function monotonicMs(): i64 {
  clock_time_get(MONOTONIC, 0, timePointer());
  return <i64>(returnedTime() / 1_000_000);
}

/** Wall clock in ms since 1970, for dates of cached responses only: it can step. */
export function wallMs(): i64 {
  clock_time_get(REALTIME, 0, timePointer());
  return <i64>(returnedTime() / 1_000_000);
}

const randomBytes = new StaticArray<u64>(2);

/** 64 random bits of the host. */
export function random64(): u64 {
  random_get(changetype<usize>(randomBytes), 8);
  return randomBytes[0];
}

let state: u64 = 0;

/** Next number of a fast generator seeded by the host (xorshift64*, Vigna 2016), for shares and jitter; nothing secret. */
export function random32(): u32 {
  if (state == 0) state = random64() | 1;
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return <u32>((state * 0x2545f4914f6cdd1d) >> 32);
}

/** In [0, 1). */
export function randomUnit(): f64 {
  return <f64>random32() / 4294967296.0;
}
