import { Pattern } from "./contract.gen";

/** Whether bytes [start, end) match a pattern of contract/names.ts as a whole. */
export function matches(pattern: Pattern, bytes: Uint8Array, start: i32, end: i32): bool {
  const length = end - start;
  switch (pattern) {
    case Pattern.Any:
      return true;
    case Pattern.Name:
      return length <= 63 && startsWithLetter(bytes, start, end) && allIn(pattern, bytes, start, end);
    case Pattern.Id:
      return length >= 1 && length <= 64 && allIn(pattern, bytes, start, end);
    case Pattern.Host:
      return isHost(bytes, start, end);
    case Pattern.HeaderName:
      return length >= 1 && length <= 128 && allIn(pattern, bytes, start, end);
    case Pattern.HeaderValue:
      return length <= 1024 && allIn(pattern, bytes, start, end);
    case Pattern.Cluster:
      return length >= 1 && length <= 253 && isAlphanumeric(bytes[start]) && allIn(pattern, bytes, start, end);
    case Pattern.Path:
      return length >= 1 && length <= 1024 && bytes[start] == 0x2f && allIn(pattern, bytes, start + 1, end);
    case Pattern.Method:
      return length >= 1 && length <= 16 && allIn(pattern, bytes, start, end);
    default: // Parameter
      return length >= 1 && length <= 64 && allIn(pattern, bytes, start, end);
  }
}

/** What a pattern asks for, in words. */
export function describe(pattern: Pattern): string {
  switch (pattern) {
    case Pattern.Name:
      return "lower-case letters, digits and hyphens, no hyphen first";
    case Pattern.Id:
      return "lower-case letters, digits and hyphens";
    case Pattern.Host:
      return "a host name in lower case, or *. and one";
    case Pattern.HeaderName:
      return "a header name in lower case";
    case Pattern.HeaderValue:
      return "printable ASCII";
    case Pattern.Cluster:
      return "letters, digits and . _ | : -, a letter or digit first";
    case Pattern.Path:
      return "a path of printable ASCII from / on, without ? and #";
    case Pattern.Method:
      return "a method in capitals";
    default: // Parameter
      return "letters, digits and . _ ~ -";
  }
}

function isHost(bytes: Uint8Array, start: i32, end: i32): bool {
  const from = end - start >= 2 && bytes[start] == 0x2a && bytes[start + 1] == 0x2e ? start + 2 : start;
  if (end - from > 253 || !startsWithLetter(bytes, from, end) || bytes[end - 1] == 0x2e || bytes[end - 1] == 0x2d) return false;
  return allIn(Pattern.Host, bytes, from, end);
}

/** The first byte is there, and is a lower-case letter or digit. */
function startsWithLetter(bytes: Uint8Array, start: i32, end: i32): bool {
  return start < end && (isDigit(bytes[start]) || isLower(bytes[start]));
}

function allIn(pattern: Pattern, bytes: Uint8Array, start: i32, end: i32): bool {
  for (let i = start; i < end; i++) if (!isIn(pattern, bytes[i])) return false;
  return true;
}

/** Whether a byte may stand inside a text of the pattern. */
function isIn(pattern: Pattern, byte: u8): bool {
  switch (pattern) {
    case Pattern.HeaderValue:
      return byte >= 0x20 && byte <= 0x7e;
    case Pattern.Path:
      return byte > 0x20 && byte <= 0x7e && byte != 0x23 && byte != 0x3f; // # ?
    case Pattern.Method:
      return isUpper(byte);
    case Pattern.Cluster:
      return isAlphanumeric(byte) || byte == 0x2e || byte == 0x5f || byte == 0x7c || byte == 0x3a || byte == 0x2d; // . _ | : -
    case Pattern.Parameter:
      return isAlphanumeric(byte) || byte == 0x2e || byte == 0x5f || byte == 0x7e || byte == 0x2d; // . _ ~ -
    case Pattern.HeaderName:
      return isToken(byte) && !isUpper(byte);
    case Pattern.Host:
      return isDigit(byte) || isLower(byte) || byte == 0x2d || byte == 0x2e; // - .
    default: // Name, Id
      return isDigit(byte) || isLower(byte) || byte == 0x2d; // -
  }
}

/** `tchar` of RFC 9110 section 5.6.2. */
function isToken(byte: u8): bool {
  if (isAlphanumeric(byte)) return true;
  switch (byte) {
    case 0x21: // !
    case 0x2a: // *
    case 0x2b: // +
    case 0x2d: // -
    case 0x2e: // .
    case 0x7c: // |
    case 0x7e: // ~
      return true;
    default: // # $ % & ', ^ _ `
      return (byte >= 0x23 && byte <= 0x27) || (byte >= 0x5e && byte <= 0x60);
  }
}

function isAlphanumeric(byte: u8): bool {
  return isDigit(byte) || isLower(byte) || isUpper(byte);
}

function isDigit(byte: u8): bool {
  return byte >= 0x30 && byte <= 0x39;
}

function isLower(byte: u8): bool {
  return byte >= 0x61 && byte <= 0x7a;
}

function isUpper(byte: u8): bool {
  return byte >= 0x41 && byte <= 0x5a;
}
