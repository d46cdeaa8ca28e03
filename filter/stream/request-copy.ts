import { copyFromArena, textOf } from "../abi/headers";

const SIZE: i32 = 4096;
const FIELDS: i32 = 5;
const ABSENT: i32 = -1;

/** What is kept of a request. */
export enum Kept {
  Path = 0,
  Authority = 1,
  Accept = 2,
  IfNoneMatch = 3,
  IfModifiedSince = 4,
}

/**
 * What the fallback chain may need of a request whose headers Envoy has forgotten by then. Its buffer is kept with the pooled stream, so
 * that noting a request costs no allocation; strings are made only when the chain runs.
 */
export class RequestCopy {
  isGet: bool = true;
  /** All that was noted fitted. */
  isWhole: bool = true;
  private readonly bytes: StaticArray<u8> = new StaticArray<u8>(SIZE);
  private readonly starts: StaticArray<i32> = new StaticArray<i32>(FIELDS);
  private readonly ends: StaticArray<i32> = new StaticArray<i32>(FIELDS);
  private used: i32 = 0;

  /** For another request. */
  clear(): void {
    this.used = 0;
    this.isWhole = true;
    this.starts.fill(ABSENT);
  }

  /** Notes bytes [start, end) of the arena; one that does not fit counts as absent. */
  note(field: Kept, start: i32, end: i32): void {
    const length = end - start;
    if (length < 0 || length > SIZE - this.used) {
      this.isWhole = false;
      return;
    }
    copyFromArena(this.bytes, this.used, start, end);
    this.starts[field] = this.used;
    this.used += length;
    this.ends[field] = this.used;
  }

  /** Empty when it is absent. */
  text(field: Kept): string {
    return this.starts[field] == ABSENT ? "" : textOf(this.bytes, this.starts[field], this.ends[field]);
  }
}
