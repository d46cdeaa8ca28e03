import { memberEnd, skipBlank, trimBlank } from "./header-list";

const SEMICOLON: i32 = 0x3b;
const SLASH: i32 = 0x2f;
const STAR: i32 = 0x2a;
const DOT: i32 = 0x2e;
const EQUALS: i32 = 0x3d;

/** How closely a range of `accept` names a type: the closest one decides. */
const NO_MATCH: i32 = -1;
const ANY: i32 = 0;
const ANY_SUBTYPE: i32 = 1;
const EXACT: i32 = 2;

/**
 * Place of the media type that suits an `accept` header best (RFC 9110 section 12.5.1): the one of the highest quality; of equal ones
 * that which it names most closely, then the first. Nothing acceptable, or no header (empty): the first, which serves a client better
 * than an error in its place. Of media ranges with parameters the type alone counts.
 */
export function suitableType(accept: string, types: string[]): i32 {
  let best = 0;
  let bestRank = 0;
  for (let i = 0; i < types.length; i++) {
    const rank = rankOf(accept, types[i]);
    if (rank <= bestRank) continue;
    best = i;
    bestRank = rank;
  }
  return best;
}

/** Quality of a type in thousandths, then how closely it is named; 0: not acceptable. */
function rankOf(accept: string, type: string): i32 {
  let quality = 0;
  let closest = NO_MATCH;
  for (let from = 0; from < accept.length; ) {
    const end = memberEnd(accept, from);
    const semicolon = find(accept, SEMICOLON, from, end);
    const closeness = closenessOf(accept, skipBlank(accept, from, semicolon), trimBlank(accept, from, semicolon), type);
    if (closeness != NO_MATCH && closeness >= closest) {
      const given = weightOf(accept, semicolon, end);
      quality = closeness > closest ? given : max(quality, given);
      closest = closeness;
    }
    from = end + 1;
  }
  return quality == 0 ? 0 : quality * 4 + closest;
}

function closenessOf(accept: string, from: i32, to: i32, type: string): i32 {
  const slash = find(accept, SLASH, from, to);
  const typeSlash = find(type, SLASH, 0, type.length);
  const parameters = find(type, SEMICOLON, 0, type.length);
  const isAnySubtype = slash + 2 == to && accept.charCodeAt(slash + 1) == STAR;
  if (isAnySubtype && slash == from + 1 && accept.charCodeAt(from) == STAR) return ANY;
  if (!isSame(accept, from, slash, type, 0, typeSlash)) return NO_MATCH;
  if (isAnySubtype) return ANY_SUBTYPE;
  return isSame(accept, slash, to, type, typeSlash, trimBlank(type, typeSlash, parameters)) ? EXACT : NO_MATCH;
}

/** Value of the parameter `q` in [from, to), in thousandths; 1000 when it is not there, or is no number. */
function weightOf(accept: string, from: i32, to: i32): i32 {
  while (from < to) {
    const end = find(accept, SEMICOLON, from + 1, to);
    const name = skipBlank(accept, from + 1, end);
    if (name + 1 < end && (accept.charCodeAt(name) | 0x20) == 0x71 && accept.charCodeAt(name + 1) == EQUALS) {
      return thousandths(accept, name + 2, trimBlank(accept, name + 2, end));
    }
    from = end;
  }
  return 1000;
}

/** A `qvalue` (RFC 9110 section 12.4.2). */
function thousandths(text: string, from: i32, to: i32): i32 {
  let value = 0;
  let unit = 1000;
  for (let at = from; at < to && unit > 0; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (at == from + 1) {
      if (digit + 0x30 != DOT) return 1000;
      continue;
    }
    if (digit < 0 || digit > 9) return 1000;
    value += digit * unit;
    unit /= 10;
  }
  return from < to ? min(value, 1000) : 1000;
}

function find(text: string, code: i32, from: i32, to: i32): i32 {
  while (from < to && text.charCodeAt(from) != code) from++;
  return from;
}

/** Whether two ranges are the same ASCII text, in any case. */
function isSame(a: string, aFrom: i32, aTo: i32, b: string, bFrom: i32, bTo: i32): bool {
  if (aTo - aFrom != bTo - bFrom) return false;
  for (let i = 0; i < aTo - aFrom; i++) {
    const one = a.charCodeAt(aFrom + i);
    const other = b.charCodeAt(bFrom + i);
    if (one != other && ((one | 0x20) != (other | 0x20) || (one | 0x20) < 0x61 || (one | 0x20) > 0x7a)) return false;
  }
  return true;
}
