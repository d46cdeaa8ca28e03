/** 16 digits, lower case. */
export function hex(value: i64): string {
  let digits = "";
  for (let shift = 60; shift >= 0; shift -= 4) {
    const digit = <i32>(value >> shift) & 15;
    digits += String.fromCharCode(digit < 10 ? 48 + digit : 87 + digit);
  }
  return digits;
}
