/**
 * Outcomes of the last `windowMs`, in time buckets. Storage is allocated once; record() allocates nothing. A whole window
 * without an outcome forgets everything, the failures in a row included. A clock that goes back by less than a window
 * changes nothing (outcomes land in the newest bucket); by more, it starts the window anew.
 */
export class Window {
  /** Outcomes in the window. A slow one is also a success or a failure. */
  succeeded: i32 = 0;
  failed: i32 = 0;
  slow: i32 = 0;
  consecutiveFailures: i32 = 0;

  private bucketMs: i64;
  private size: i32;
  /** A bucket counts no further than this, so that totals of all buckets stay below 2^31. */
  private bucketCap: i32;
  private succeededIn: StaticArray<i32>; // i32[size]
  private failedIn: StaticArray<i32>; // i32[size]
  private slowIn: StaticArray<i32>; // i32[size]
  /** Number of the newest bucket since time 0, and its place in the ring. */
  private newest: i64 = 0;
  private at: i32 = 0;

  constructor(windowMs: i64, buckets: i32) {
    const size = max(1, buckets);
    this.size = size;
    this.bucketMs = max<i64>(1, windowMs / size);
    this.bucketCap = i32.MAX_VALUE / size;
    this.succeededIn = new StaticArray<i32>(size);
    this.failedIn = new StaticArray<i32>(size);
    this.slowIn = new StaticArray<i32>(size);
  }

  record(nowMs: i64, failed: bool, slow: bool): void {
    this.advance(nowMs);
    if (failed) {
      if (this.consecutiveFailures < i32.MAX_VALUE) this.consecutiveFailures++;
      if (this.count(this.failedIn)) this.failed++;
    } else {
      this.consecutiveFailures = 0;
      if (this.count(this.succeededIn)) this.succeeded++;
    }
    if (slow && this.count(this.slowIn)) this.slow++;
  }

  /** Counts a request as slow that has not ended yet; its end is then recorded without being slow. */
  recordSlow(nowMs: i64): void {
    this.advance(nowMs);
    if (this.count(this.slowIn)) this.slow++;
  }

  /** Counts one in the newest bucket; false when it is full. */
  @inline
  private count(buckets: StaticArray<i32>): bool {
    if (buckets[this.at] >= this.bucketCap) return false;
    buckets[this.at]++;
    return true;
  }

  /** Drops what has left the window by now. Call it before reading totals. */
  advance(nowMs: i64): void {
    const bucket = nowMs / this.bucketMs;
    if (bucket == this.newest) return;
    const size = <u64>this.size;
    if (bucket < this.newest) {
      // Both differences are taken as unsigned: they are exact for any two i64.
      if (<u64>(this.newest - bucket) < size) return;
      this.clear();
    } else if (<u64>(bucket - this.newest) >= size) {
      this.clear();
    } else {
      for (let left = <i32>(bucket - this.newest); left > 0; left--) this.turn();
    }
    this.newest = bucket;
  }

  clear(): void {
    this.succeededIn.fill(0);
    this.failedIn.fill(0);
    this.slowIn.fill(0);
    this.succeeded = 0;
    this.failed = 0;
    this.slow = 0;
    this.consecutiveFailures = 0;
  }

  /** The oldest bucket becomes the newest, empty. */
  private turn(): void {
    const at = this.at + 1 < this.size ? this.at + 1 : 0;
    this.at = at;
    this.succeeded -= this.succeededIn[at];
    this.failed -= this.failedIn[at];
    this.slow -= this.slowIn[at];
    this.succeededIn[at] = 0;
    this.failedIn[at] = 0;
    this.slowIn[at] = 0;
  }
}
