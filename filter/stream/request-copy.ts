import { copyFromArena, textOf } from "../abi/headers";

const SIZE: i32 = 4096;

/**
 * What a request must be told again when it goes to another cluster by call-out. Its buffer is kept with the pooled stream, so that
 * noting a request costs no allocation; strings are made only when the call is.
 */
export class RequestCopy {
  isGet: bool = true;
  private readonly bytes: StaticArray<u8> = new StaticArray<u8>(SIZE);
  private pathEnd: i32 = 0;
  private authorityEnd: i32 = 0;
  private acceptEnd: i32 = 0;

  /** Notes ranges of the arena; false when they do not fit, and the copy is then not to be used. */
  note(pathStart: i32, pathEnd: i32, hostStart: i32, hostEnd: i32, acceptStart: i32, acceptEnd: i32): bool {
    this.pathEnd = this.put(0, pathStart, pathEnd);
    this.authorityEnd = this.put(this.pathEnd, hostStart, hostEnd);
    this.acceptEnd = this.put(this.authorityEnd, acceptStart, acceptEnd);
    return this.acceptEnd >= 0;
  }

  private put(at: i32, start: i32, end: i32): i32 {
    if (at < 0 || end < start || end - start > SIZE - at) return -1;
    copyFromArena(this.bytes, at, start, end);
    return at + end - start;
  }

  path(): string {
    return textOf(this.bytes, 0, this.pathEnd);
  }

  authority(): string {
    return textOf(this.bytes, this.pathEnd, this.authorityEnd);
  }

  accept(): string {
    return textOf(this.bytes, this.authorityEnd, this.acceptEnd);
  }
}
