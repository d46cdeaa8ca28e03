import { closesQuotes, isText, memberEnd, skipBlank, trimBlank } from "./header-list";

/** Largest delta-seconds; what is larger counts as this (RFC 9111 section 1.2.2). */
export const MAX_SECONDS: i64 = 1 << 31;
/** A directive that was not given. */
export const NOT_GIVEN: i64 = -1;

const EQUALS: i32 = 0x3d;
const QUOTE: i32 = 0x22;

/**
 * The response directives of `cache-control` that a shared cache obeys. Where they contradict each other, the stricter word
 * holds: any prohibition, the shortest duration; one that is no number is 0. `private` and `no-cache` that name fields count
 * as if they named none.
 */
export class CacheDirectives {
  isPublic: bool = false;
  isPrivate: bool = false;
  noStore: bool = false;
  noCache: bool = false;
  /** must-revalidate or proxy-revalidate. */
  revalidate: bool = false;
  mustRevalidate: bool = false;
  /** Seconds, or NOT_GIVEN. */
  maxAge: i64 = NOT_GIVEN;
  sharedMaxAge: i64 = NOT_GIVEN;
  staleIfError: i64 = NOT_GIVEN;

  /** Adds the directives of one header line. */
  read(value: string): void {
    if (!closesQuotes(value)) {
      // Where such a string ends is anybody's guess, and what it hides too.
      this.noStore = true;
      return;
    }
    for (let from = 0; from < value.length; ) {
      const end = memberEnd(value, from);
      this.readOne(value, from, end);
      from = end + 1;
    }
  }

  private readOne(value: string, from: i32, to: i32): void {
    let nameEnd = from;
    while (nameEnd < to && value.charCodeAt(nameEnd) != EQUALS) nameEnd++;
    const given = seconds(value, nameEnd + 1, to);
    if (isText(value, from, nameEnd, "public")) this.isPublic = true;
    else if (isText(value, from, nameEnd, "private")) this.isPrivate = true;
    else if (isText(value, from, nameEnd, "no-store")) this.noStore = true;
    else if (isText(value, from, nameEnd, "no-cache")) this.noCache = true;
    else if (isText(value, from, nameEnd, "must-revalidate")) this.revalidate = this.mustRevalidate = true;
    else if (isText(value, from, nameEnd, "proxy-revalidate")) this.revalidate = true;
    else if (isText(value, from, nameEnd, "max-age")) this.maxAge = stricter(this.maxAge, given);
    else if (isText(value, from, nameEnd, "s-maxage")) this.sharedMaxAge = stricter(this.sharedMaxAge, given);
    else if (isText(value, from, nameEnd, "stale-if-error")) this.staleIfError = stricter(this.staleIfError, given);
  }
}

/** Delta-seconds in [from, to), bare or in quotes, at most MAX_SECONDS; NOT_GIVEN when it is no number. */
export function deltaSeconds(value: string, from: i32, to: i32): i64 {
  from = skipBlank(value, from, to);
  to = trimBlank(value, from, to);
  if (to - from >= 2 && value.charCodeAt(from) == QUOTE && value.charCodeAt(to - 1) == QUOTE) {
    from++;
    to--;
  }
  if (from >= to) return NOT_GIVEN;
  let result: i64 = 0;
  for (; from < to; from++) {
    const digit = value.charCodeAt(from) - 0x30;
    if (digit < 0 || digit > 9) return NOT_GIVEN;
    result = min(MAX_SECONDS, result * 10 + digit);
  }
  return result;
}

function seconds(value: string, from: i32, to: i32): i64 {
  return max<i64>(0, deltaSeconds(value, from, to));
}

function stricter(known: i64, other: i64): i64 {
  return known == NOT_GIVEN ? other : min(known, other);
}
