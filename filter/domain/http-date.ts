/** Not a date. */
export const NO_DATE: i64 = -1;

const SHAPE = "___, __ ___ ____ __:__:__ GMT";
const ANY: i32 = 0x5f; // _
const DAYS = "MonTueWedThuFriSatSun";
const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";

/**
 * Milliseconds since 1970 of an IMF-fixdate (RFC 9110 section 5.6.7), such as `Sun, 06 Nov 1994 08:49:37 GMT`, or NO_DATE.
 * The two obsolete forms are not read: senders must not generate them, and a date that is not understood counts as expired.
 * Years before 1970 are NO_DATE too.
 */
export function httpDateMs(text: string): i64 {
  if (text.length != SHAPE.length || nameAt(text, 0, DAYS) < 0 || !hasShape(text)) return NO_DATE;
  const day = numberAt(text, 5, 2);
  const month = nameAt(text, 8, MONTHS);
  const year = numberAt(text, 12, 4);
  const hour = numberAt(text, 17, 2);
  const minute = numberAt(text, 20, 2);
  const second = numberAt(text, 23, 2);
  if (month < 0 || year < 1970 || day < 1 || day > daysIn(month, year)) return NO_DATE;
  // 60 is a leap second; it counts as the first of the next minute.
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return NO_DATE;
  return (daysBefore(year, month) + day - 1) * 86_400_000 + <i64>hour * 3_600_000 + <i64>minute * 60_000 + <i64>second * 1000;
}

/** The separators stand where they belong. */
function hasShape(text: string): bool {
  for (let i = 0; i < SHAPE.length; i++) {
    const code = SHAPE.charCodeAt(i);
    if (code != ANY && text.charCodeAt(i) != code) return false;
  }
  return true;
}

/** Index of the three letters at `at` in a list of such names, or -1. */
function nameAt(text: string, at: i32, names: string): i32 {
  for (let i = 0; i < names.length; i += 3) {
    let same = 0;
    while (same < 3 && text.charCodeAt(at + same) == names.charCodeAt(i + same)) same++;
    if (same == 3) return i / 3;
  }
  return -1;
}

function numberAt(text: string, at: i32, digits: i32): i32 {
  let result = 0;
  for (let i = at; i < at + digits; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    result = result * 10 + digit;
  }
  return result;
}

function isLeap(year: i32): bool {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/** `month`: 0 is January. */
function daysIn(month: i32, year: i32): i32 {
  if (month == 1) return isLeap(year) ? 29 : 28;
  return month == 3 || month == 5 || month == 8 || month == 10 ? 30 : 31;
}

/** Days from 1970-01-01 to the first of the month. */
function daysBefore(year: i32, month: i32): i64 {
  const past = year - 1;
  let days = <i64>(year - 1970) * 365 + (past / 4 - past / 100 + past / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400);
  for (let i = 0; i < month; i++) days += daysIn(i, year);
  return days;
}
