/** Not a date. */
export const NO_DATE: i64 = -1;

// The three forms of RFC 9110 section 5.6.7. `_` stands for any letter; RFC 850 begins after the rest of the day's name.
const FIXDATE = "___, __ ___ ____ __:__:__ GMT";
const RFC_850 = "day, __-___-__ __:__:__ GMT";
const ASCTIME = "___ ___ __ __:__:__ ____";
const ANY: i32 = 0x5f; // _
const SPACE: i32 = 0x20;
const DAYS = "MonTueWedThuFriSatSun";
const MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec";
/** What stands between the first three letters of a day's name and `day`. */
const DAY_MIDDLES = ["", "s", "nes", "rs", "", "ur", ""];
const FIFTY_YEARS_MS: i64 = 50 * 31_556_952_000;

/**
 * Milliseconds since 1970 of an HTTP date (RFC 9110 section 5.6.7), or NO_DATE: the form of today, such as
 * `Sun, 06 Nov 1994 08:49:37 GMT`, and the two obsolete ones, `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`.
 * A year of two digits is the latest one that is not more than 50 years after `nowMs`. Years before 1970 are NO_DATE.
 */
export function httpDateMs(text: string, nowMs: i64): i64 {
  const weekday = nameAt(text, 0, DAYS);
  if (weekday < 0) return NO_DATE;
  if (hasShape(text, 0, FIXDATE)) return dateMs(text, numberAt(text, 12, 4), 8, numberAt(text, 5, 2), 17);
  if (hasShape(text, 0, ASCTIME)) {
    const day = text.charCodeAt(8) == SPACE ? numberAt(text, 9, 1) : numberAt(text, 8, 2);
    return dateMs(text, numberAt(text, 20, 4), 4, day, 11);
  }
  const at = 3 + DAY_MIDDLES[weekday].length;
  if (!text.startsWith(DAY_MIDDLES[weekday], 3) || !hasShape(text, at, RFC_850)) return NO_DATE;
  const shortYear = numberAt(text, at + 12, 2);
  if (shortYear < 0) return NO_DATE;
  const latest = 1970 + <i32>((max<i64>(nowMs, 0) + FIFTY_YEARS_MS) / 31_556_952_000);
  const year = latest - (latest - shortYear) % 100;
  const day = numberAt(text, at + 5, 2);
  const ms = dateMs(text, year, at + 8, day, at + 15);
  return ms > nowMs + FIFTY_YEARS_MS ? dateMs(text, year - 100, at + 8, day, at + 15) : ms;
}

/** The month's name and hh:mm:ss stand at these places of the text. */
function dateMs(text: string, year: i32, monthAt: i32, day: i32, timeAt: i32): i64 {
  const month = nameAt(text, monthAt, MONTHS);
  const hour = numberAt(text, timeAt, 2);
  const minute = numberAt(text, timeAt + 3, 2);
  const second = numberAt(text, timeAt + 6, 2);
  if (month < 0 || year < 1970 || day < 1 || day > daysIn(month, year)) return NO_DATE;
  // 60 is a leap second; it counts as the first of the next minute.
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return NO_DATE;
  return (daysBefore(year, month) + day - 1) * 86_400_000 + <i64>hour * 3_600_000 + <i64>minute * 60_000 + <i64>second * 1000;
}

/** What follows from `at` on is as long as the shape, and has what is fixed in it in its places. */
function hasShape(text: string, at: i32, shape: string): bool {
  if (text.length - at != shape.length) return false;
  for (let i = 0; i < shape.length; i++) {
    const code = shape.charCodeAt(i);
    if (code != ANY && text.charCodeAt(at + i) != code) return false;
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
