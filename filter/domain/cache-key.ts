import { lower, rangeIs } from "./ascii";
import { RequestView } from "./request-view";

/** No key: the request is not cacheable, or its key does not fit. */
export const NO_KEY: i32 = -1;
/** First byte of each key, so that a later layout cannot be taken for this one. */
const LAYOUT: u8 = 1;
/** A request with more query parameters is not cached: the work per request stays bounded. */
const MOST_PARAMETERS: i32 = 64;
/** Lengths take two bytes. */
const LONGEST_FIELD: i32 = 0xffff;

const QUESTION: u8 = 0x3f;
const HASH: u8 = 0x23;
const AMPERSAND: u8 = 0x26;
const EQUALS: u8 = 0x3d;
const SPACE: u8 = 0x20;
const TAB: u8 = 0x09;
const COMMA: u8 = 0x2c;
const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;

/**
 * Writes the cache key of a request: service, feature, host (lower case, with port), path as the client sent it, the allowed query parameters and the
 * named vary headers. Each field is preceded by its length, so two different requests never give the same bytes. GET and HEAD share a key.
 *
 * What could mislead a cache is refused rather than normalised: a query parameter that is not allowed (also one whose name is percent-encoded, and an
 * empty one), a fragment, a request without host, any other method. The path is never normalised: what the upstream may tell apart has keys apart.
 * Values are taken as sent, so one with a `;` in it (which some upstreams take for a separator) has a key of its own.
 */
export class CacheKeyWriter {
  /** In order of their names, so that proxies with differently sorted policies share keys. */
  private parameters: string[];
  /** Bytes written so far, NO_KEY once something did not fit. */
  private length: i32 = 0;
  private pieces: i32 = 0;
  private pieceStarts: StaticArray<i32> = new StaticArray<i32>(MOST_PARAMETERS);
  private pieceEnds: StaticArray<i32> = new StaticArray<i32>(MOST_PARAMETERS);
  /** Index in `parameters`. */
  private pieceNames: StaticArray<i32> = new StaticArray<i32>(MOST_PARAMETERS);

  constructor(
    private service: string,
    private feature: string,
    parameters: string[],
    /** Lower case. */
    private varyHeaders: string[],
    /** Where keys are written; the caller's. */
    private out: StaticArray<u8>,
  ) {
    this.parameters = sorted(parameters);
  }

  /**
   * Length of the key now in `out`, or NO_KEY. The view needs path, host and method. `varyRanges` holds start and end in the view's bytes for each vary
   * header in the policy's order, (-1, -1) for an absent one. Of a repeated header it needs all values, joined by commas: an upstream may obey another
   * one than the first.
   */
  write(view: RequestView, varyRanges: StaticArray<i32>): i32 {
    if (view.hostStart >= view.hostEnd || !isCacheableMethod(view) || varyRanges.length < this.varyHeaders.length * 2) return NO_KEY;
    const queryStart = this.queryStart(view);
    if (queryStart < 0 || !this.readQuery(view.bytes, queryStart + 1, view.pathEnd)) return NO_KEY;
    this.length = 0;
    this.putByte(LAYOUT);
    this.putText(this.service);
    this.putText(this.feature);
    this.putHost(view);
    this.putRange(view.bytes, view.pathStart, queryStart);
    this.putNumber(this.pieces);
    for (let name = 0; name < this.parameters.length; name++) this.putPieces(view.bytes, name);
    this.putNumber(this.varyHeaders.length);
    for (let i = 0; i < this.varyHeaders.length; i++) {
      this.putText(this.varyHeaders[i]);
      this.putValue(view.bytes, varyRanges[2 * i], varyRanges[2 * i + 1]);
    }
    return this.length;
  }

  /** Place of the query's `?`, the path's end without one, -1 for a path that has a fragment or does not start with a slash. */
  private queryStart(view: RequestView): i32 {
    if (view.pathStart >= view.pathEnd || view.bytes[view.pathStart] != 0x2f) return -1;
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
    // `start` is one past the end when there is no query, and the end when the query is empty: that is refused like any empty parameter.
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
      if (this.pieceNames[i] == name) this.putRange(bytes, this.pieceStarts[i], this.pieceEnds[i]);
    }
  }

  private putHost(view: RequestView): void {
    this.putNumber(view.hostEnd - view.hostStart);
    for (let at = view.hostStart; at < view.hostEnd; at++) this.putByte(lower(view.bytes[at]));
  }

  /**
   * A vary header's value; absent differs from empty (RFC 9111 section 4.1). White space at the ends and around commas goes, other runs of it become
   * one space, quoted strings stay as they are.
   */
  private putValue(bytes: StaticArray<u8>, start: i32, end: i32): void {
    if (start < 0) {
      this.putByte(0);
      return;
    }
    this.putByte(1);
    const lengthAt = this.length;
    this.putNumber(0);
    const from = this.length;
    let quoted = false;
    let gap = false;
    let last = COMMA; // as after a comma, white space at the start goes
    for (let at = start; at < end; at++) {
      const byte = bytes[at];
      if (!quoted && (byte == SPACE || byte == TAB)) {
        gap = true;
        continue;
      }
      if (gap && last != COMMA && byte != COMMA) this.putByte(SPACE);
      gap = false;
      if (byte == QUOTE && !(quoted && last == BACKSLASH)) quoted = !quoted;
      // An escaped backslash does not escape what follows it.
      last = quoted && last == BACKSLASH && byte == BACKSLASH ? 0 : byte;
      this.putByte(byte);
    }
    if (this.length < 0) return;
    const length = this.length - from;
    if (length > LONGEST_FIELD) {
      this.length = NO_KEY;
      return;
    }
    this.length = lengthAt;
    this.putNumber(length);
    this.length = from + length;
  }

  private putRange(bytes: StaticArray<u8>, start: i32, end: i32): void {
    this.putNumber(end - start);
    for (let at = start; at < end; at++) this.putByte(bytes[at]);
  }

  private putText(text: string): void {
    this.putNumber(text.length);
    for (let i = 0; i < text.length; i++) this.putByte(<u8>text.charCodeAt(i));
  }

  private putNumber(value: i32): void {
    if (value > LONGEST_FIELD) this.length = NO_KEY;
    this.putByte(<u8>(value >> 8));
    this.putByte(<u8>value);
  }

  private putByte(byte: u8): void {
    if (this.length < 0) return;
    if (this.length == this.out.length) {
      this.length = NO_KEY;
      return;
    }
    this.out[this.length++] = byte;
  }
}

function isCacheableMethod(view: RequestView): bool {
  return rangeIs(view.bytes, view.methodStart, view.methodEnd, "GET") || rangeIs(view.bytes, view.methodStart, view.methodEnd, "HEAD");
}

/** A sorted copy without duplicates. */
function sorted(names: string[]): string[] {
  const result: string[] = [];
  for (let i = 0; i < names.length; i++) {
    let place = 0;
    while (place < result.length && result[place] < names[i]) place++;
    if (place < result.length && result[place] == names[i]) continue;
    result.push("");
    for (let j = result.length - 1; j > place; j--) result[j] = result[j - 1];
    result[place] = names[i];
  }
  return result;
}
