/** Latency buckets of a report, the last one without bound. */
export const LATENCY_BUCKETS: i32 = 12;
/** 64-bit words of a worker's counters of one feature: the fields below in order. */
export const COUNTER_WORDS: i32 = 9 + LATENCY_BUCKETS;

export enum Count {
  Admitted = 0,
  Succeeded = 1,
  Failed = 2,
  Ignored = 3,
  Slow = 4,
  Refused = 5,
  DegradedStale = 6,
  DegradedCluster = 7,
  DegradedStatic = 8,
  Latency = 9,
}

/** Counters of one feature on one worker, cumulative within a step (R9). Kept as words, since they are published as they are. */
export class Counters {
  readonly words: StaticArray<i64> = new StaticArray<i64>(COUNTER_WORDS);
  step: i64 = -1;
  /** Changed since the last publication. */
  dirty: bool = false;

  // @ts-ignore: decorator
  @inline add(count: Count): void {
    unchecked(this.words[count]++);
    this.dirty = true;
  }

  get(count: Count): i64 {
    return this.words[count];
  }

  /** Another step begins: everything counts from zero. */
  restart(step: i64): void {
    if (this.step == step) return;
    this.step = step;
    for (let i = 0; i < COUNTER_WORDS; i++) this.words[i] = 0;
    this.dirty = true;
  }

  clear(): void {
    for (let i = 0; i < COUNTER_WORDS; i++) this.words[i] = 0;
  }

  addAll(words: StaticArray<i64>, from: i32): void {
    for (let i = 0; i < COUNTER_WORDS; i++) this.words[i] += words[from + i];
  }
}
