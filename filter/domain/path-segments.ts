import { RequestView } from "./request-view";
import { hashNext, hashStart } from "./route-trie";

const SLASH: u8 = 0x2f;
const QUESTION: u8 = 0x3f;
const HASH: u8 = 0x23;

/** The first segments of a request's path, without query and fragment, each with its hash. Refilled for every request. */
export class PathSegments {
  /**
   * Segments noted, at most `limit`. A path that starts with no slash (`*`, or none with CONNECT) has none, and more than
   * that.
   */
  count: i32 = 0;
  /** The path goes on after the noted segments. */
  hasMore: bool = false;
  starts: StaticArray<i32>; // i32[limit]
  ends: StaticArray<i32>; // i32[limit]
  hashes: StaticArray<u32>; // u32[limit]

  constructor(limit: i32) {
    this.starts = new StaticArray<i32>(limit);
    this.ends = new StaticArray<i32>(limit);
    this.hashes = new StaticArray<u32>(limit);
  }

  read(view: RequestView): void {
    const bytes = view.bytes;
    const end = view.pathEnd;
    const limit = this.starts.length;
    this.count = 0;
    this.hasMore = true;
    let start = view.pathStart;
    // Also what makes the `unchecked` below safe.
    if (start < 0 || start >= end || end > bytes.length || bytes[start] != SLASH) return;
    start++;
    let count = 0;
    while (count < limit) {
      let hash = hashStart();
      let at = start;
      let byte: u8 = 0;
      for (; at < end; at++) {
        byte = unchecked(bytes[at]);
        if (byte == SLASH || byte == QUESTION || byte == HASH) break;
        hash = hashNext(hash, byte);
      }
      unchecked((this.starts[count] = start));
      unchecked((this.ends[count] = at));
      unchecked((this.hashes[count] = hash));
      this.count = ++count;
      if (at >= end || byte != SLASH) {
        this.hasMore = false;
        return;
      }
      start = at + 1;
    }
  }
}
