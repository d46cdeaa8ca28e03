import { LIMITS } from "./contract.gen";

/** What `exactInteger` gives for a number that has no place among the exact integers of JSON. */
export const NOT_AN_INTEGER: i64 = i64.MIN_VALUE;

/**
 * The value of a JSON number that is an integer between ±(2^53 - 1), however it is written (`12`, `1.2e1`, `120e-1`); else
 * NOT_AN_INTEGER. The decimal text decides, with no rounding to a double before.
 */
export function exactInteger(bytes: Uint8Array, start: i32, end: i32): i64 {
  let at = start;
  const isNegative = bytes[at] == 0x2d;
  if (isNegative) at++;
  let value: i64 = 0;
  let zeros = 0; // seen since the last other digit
  let scale = 0; // power of ten that the digits so far stand for
  let isFraction = false;
  for (; at < end; at++) {
    const byte = bytes[at];
    if ((byte | 0x20) == 0x65) break;
    if (byte == 0x2e) {
      isFraction = true;
      continue;
    }
    if (isFraction) scale--;
    if (byte == 0x30) {
      zeros++;
      continue;
    }
    value = scaled(value, zeros + 1);
    if (value == NOT_AN_INTEGER) return value;
    value += byte - 0x30;
    zeros = 0;
  }
  if (value == 0) return 0;
  value = scaled(value, scale + zeros + exponent(bytes, at + 1, end));
  return isNegative && value != NOT_AN_INTEGER ? -value : value;
}

/** value × 10^power. */
function scaled(value: i64, power: i32): i64 {
  if (value == 0) return 0;
  if (power < 0 || value > LIMITS.safeInteger) return NOT_AN_INTEGER;
  for (; power > 0; power--) {
    value *= 10;
    if (value > LIMITS.safeInteger) return NOT_AN_INTEGER;
  }
  return value;
}

function exponent(bytes: Uint8Array, at: i32, end: i32): i32 {
  let exponent = 0;
  let isNegative = false;
  for (; at < end; at++) {
    const byte = bytes[at];
    if (byte == 0x2d) isNegative = true;
    else if (byte != 0x2b && exponent < 100_000_000) exponent = exponent * 10 + (byte - 0x30);
  }
  return isNegative ? -exponent : exponent;
}
