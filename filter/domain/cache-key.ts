import { bytesOf, rangeIs } from "./ascii";
import { copy, copyLower, copySqueezed } from "./byte-copy";
import { RequestView } from "./request-view";

/** No key: the request is not cacheable, or its key does not fit. */
export const NO_KEY: i32 = -1;
/** First byte of each key, so that a later layout cannot be taken for this one. */
const LAYOUT: i32 = 1;
/** A request with more query parameters is not cached: the work per request stays bounded. */
const MOST_PARAMETERS: i32 = 64;
/** Lengths take two bytes. */
const LONGEST_FIELD: i32 = 0xffff;

const SLASH: u8 = 0x2f;
const QUESTION: u8 = 0x3f;
const HASH: u8 = 0x23;
const AMPERSAND: u8 = 0x26;
const EQUALS: u8 = 0x3d;

/**
 * Writes the cache key of a request: service, feature, host (lower case, with port), path as the client sent it, the allowed
 * query parameters and the named vary headers. Each field is preceded by its length, so two different requests never give
 * the same bytes. GET and HEAD share a key.
 *
 * What could mislead a cache is refused rather than normalised: a query parameter that is not allowed (also one whose name
 * is percent-encoded, and an empty one), a fragment, a request without host, any other method. The path is never normalised:
 * what the upstream may tell apart has keys apart. Values are taken as sent, so one with a `;` in it (which some upstreams
 * take for a separator) has a key of its own.
 */
export class CacheKeyWriter {
  /** Layout, service and feature: what every key begins with. */
  private head: StaticArray<u8>;
  /** In order of their names, so that proxies with differently sorted policies share keys. */
  private parameters: string[];
  private varyHeaders: StaticArray<u8>[] = [];
  /** Bytes written so far, NO_KEY once something did not fit. */
  private length: i32 = 0;
  private pieces: i32 = 0;
  private pieceStarts: StaticArray<i32> = new StaticArray<i32>(MOST_PARAMETERS);
  private pieceEnds: StaticArray<i32> = new StaticArray<i32>(MOST_PARAMETERS);
  /** Index in `parameters`. */
  private pieceNames: StaticArray<i32> = new StaticArray<i32>(MOST_PARAMETERS);

  constructor(
    service: string,
    feature: string,
    parameters: string[],
    /** Lower case. */
    varyHeaders: string[],
    /** Where keys are written; the caller's. */
    private out: StaticArray<u8>,
  ) {
    this.head = bytesOf(String.fromCharCode(LAYOUT) + service + "/" + feature + "/"); // names hold no slash
    this.parameters = sorted(parameters);
    for (let i = 0; i < varyHeaders.length; i++) this.varyHeaders.push(bytesOf(varyHeaders[i]));
  }

  /**
   * Length of the key now in `out`, or NO_KEY. The view needs path, host and method. `varyRanges` holds start and end in the
   * view's bytes for each vary header in the policy's order, (-1, -1) for an absent one. Of a repeated header it needs all
   * values, joined by commas: an upstream may obey another one than the first.
   */
  write(view: RequestView, varyRanges: StaticArray<i32>): i32 {
    const bytes = view.bytes;
    if (view.hostStart >= view.hostEnd || !isCacheableMethod(view)) return NO_KEY;
    if (varyRanges.length < this.varyHeaders.length * 2) return NO_KEY;
    const queryStart = this.queryStart(view);
    if (queryStart < 0 || !this.readQuery(bytes, queryStart + 1, view.pathEnd)) return NO_KEY;
    this.length = 0;
    this.putField(this.head, 0, this.head.length);
    this.putHost(view);
    this.putField(bytes, view.pathStart, queryStart);
    this.putCount(this.pieces);
    for (let name = 0; name < this.parameters.length; name++) this.putPieces(bytes, name);
    for (let i = 0; i < this.varyHeaders.length; i++) {
      this.putField(this.varyHeaders[i], 0, this.varyHeaders[i].length);
      this.putValue(bytes, varyRanges[2 * i], varyRanges[2 * i + 1]);
    }
    return this.length;
  }

  /** Place of the query's `?`, the path's end without one, -1 for a path that has a fragment or does not start with a slash. */
  private queryStart(view: RequestView): i32 {
    if (view.pathStart >= view.pathEnd || view.bytes[view.pathStart] != SLASH) return -1;
    let query = view.pathEnd;
    for (let at = view.pathEnd - 1; at >= view.pathStart; at--) {
      const byte = view.bytes[at];
      if (byte == HASH) return -1;
      if (byte == QUESTION) query = at;
    }
    return query;
  }

  /** Notes the parameters in [start, end); false when one is not allowed. */
  private readQuery(bytes: StaticArray<u8>, start: i32, end: i32): bool {
    this.pieces = 0;
    // `start` is one past the end when there is no query, and the end when the query is empty: that is refused like any
    // empty parameter.
    while (start <= end) {
      let stop = start;
      while (stop < end && bytes[stop] != AMPERSAND) stop++;
      const name = this.nameOf(bytes, start, stop);
      if (name < 0 || this.pieces == MOST_PARAMETERS) return false;
      this.pieceStarts[this.pieces] = start;
      this.pieceEnds[this.pieces] = stop;
      this.pieceNames[this.pieces++] = name;
      start = stop + 1;
    }
    return true;
  }

  private nameOf(bytes: StaticArray<u8>, start: i32, end: i32): i32 {
    let stop = start;
    while (stop < end && bytes[stop] != EQUALS) stop++;
    for (let i = 0; i < this.parameters.length; i++) {
      if (rangeIs(bytes, start, stop, this.parameters[i])) return i;
    }
    return -1;
  }

  /** The parameters of one name in the order in which they came, each as sent: `a` and `a=` stay apart. */
  private putPieces(bytes: StaticArray<u8>, name: i32): void {
    for (let i = 0; i < this.pieces; i++) {
      if (this.pieceNames[i] == name) this.putField(bytes, this.pieceStarts[i], this.pieceEnds[i]);
    }
  }

  private putHost(view: RequestView): void {
    const at = this.openField(view.bytes, view.hostStart, view.hostEnd);
    if (at >= 0) copyLower(view.bytes, view.hostStart, view.hostEnd, this.out, at);
  }

  /** A vary header's value; absent differs from empty (RFC 9111 section 4.1). */
  private putValue(bytes: StaticArray<u8>, start: i32, end: i32): void {
    this.putCount(start < 0 ? 0 : 1);
    if (start < 0) return;
    const at = this.openField(bytes, start, end);
    if (at >= 0) this.closeField(at, copySqueezed(bytes, start, end, this.out, at));
  }

  private putField(bytes: StaticArray<u8>, start: i32, end: i32): void {
    const at = this.openField(bytes, start, end);
    if (at >= 0) copy(bytes, start, end, this.out, at);
  }

  /** Where a copy of bytes [start, end) goes; -1 when it does not fit, then there is no key. */
  private openField(bytes: StaticArray<u8>, start: i32, end: i32): i32 {
    const length = end - start;
    const at = this.length + 2;
    const isRange = start >= 0 && length >= 0 && end <= bytes.length;
    if (this.length < 0 || !isRange || length > LONGEST_FIELD || length > this.out.length - at) {
      this.length = NO_KEY;
      return -1;
    }
    this.closeField(at, length);
    return at;
  }

  /** Sets the length of the field at `at`, the last one. */
  private closeField(at: i32, length: i32): void {
    this.out[at - 2] = <u8>(length >> 8);
    this.out[at - 1] = <u8>length;
    this.length = at + length;
  }

  private putCount(count: i32): void {
    if (this.length < 0 || this.length >= this.out.length) this.length = NO_KEY;
    else this.out[this.length++] = <u8>count;
  }
}

function isCacheableMethod(view: RequestView): bool {
  return (
    rangeIs(view.bytes, view.methodStart, view.methodEnd, "GET") || rangeIs(view.bytes, view.methodStart, view.methodEnd, "HEAD")
  );
}

/** A sorted copy. */
function sorted(names: string[]): string[] {
  const result: string[] = [];
  for (let i = 0; i < names.length; i++) {
    result.push(names[i]);
    for (let j = i; j > 0 && result[j - 1] > names[i]; j--) {
      result[j] = result[j - 1];
      result[j - 1] = names[i];
    }
  }
  return result;
}
