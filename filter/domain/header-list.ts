/**
 * Reading of header values off the happy path: lists with commas, tokens, quoted strings (RFC 9110 section 5.6). Malformed
 * text never fails, it gives odd members.
 */

const COMMA: i32 = 0x2c;
const QUOTE: i32 = 0x22;
const BACKSLASH: i32 = 0x5c;

/** Where the list member that starts at `from` ends: at a comma outside of quotes, else at the end. */
export function memberEnd(value: string, from: i32): i32 {
  let quoted = false;
  let at = from;
  for (; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code == QUOTE) quoted = !quoted;
    else if (quoted && code == BACKSLASH) at++;
    else if (!quoted && code == COMMA) return at;
  }
  return min(at, value.length);
}

/** Whether each quoted string in it ends. */
export function closesQuotes(value: string): bool {
  let quoted = false;
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code == QUOTE) quoted = !quoted;
    else if (quoted && code == BACKSLASH) at++;
  }
  return !quoted;
}

/** Whether one of the members of the list is `token`, in any case. */
export function hasToken(list: string, token: string): bool {
  for (let from = 0; from <= list.length; ) {
    const end = memberEnd(list, from);
    if (isText(list, from, end, token)) return true;
    from = end + 1;
  }
  return false;
}

/** Whether [from, to) without white space around it is `token` (lower case), in any case. */
export function isText(value: string, from: i32, to: i32, token: string): bool {
  from = skipBlank(value, from, to);
  to = trimBlank(value, from, to);
  if (to - from != token.length) return false;
  for (let i = 0; i < token.length; i++) {
    let code = value.charCodeAt(from + i);
    if (code >= 0x41 && code <= 0x5a) code |= 0x20;
    if (code != token.charCodeAt(i)) return false;
  }
  return true;
}

export function skipBlank(value: string, from: i32, to: i32): i32 {
  while (from < to && isBlank(value.charCodeAt(from))) from++;
  return from;
}

export function trimBlank(value: string, from: i32, to: i32): i32 {
  while (to > from && isBlank(value.charCodeAt(to - 1))) to--;
  return to;
}

function isBlank(code: i32): bool {
  return code == 0x20 || code == 0x09;
}

/** Whether it is a name of RFC 9110 section 5.1 in lower case; a pseudo-header such as `:status` is not. */
export function isFieldName(name: string): bool {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f || (code >= 0x41 && code <= 0x5a) || "(),/:;<=>?@[\\]{}\"".indexOf(name.charAt(i)) >= 0) return false;
  }
  return name.length > 0;
}

/** Whether it holds none of the characters that end a line or are dangerous beside (RFC 9110 section 5.5). */
export function isFieldValue(value: string): bool {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if ((code < 0x20 && code != 0x09) || code == 0x7f) return false;
  }
  return true;
}
