import { NAME_STARTS, NAMES } from "./contract.gen";

/** A name of the contract: of a member, a pattern or a word of a choice; `name` is its place among NAMES. */
export function nameText(name: i32): string {
  return say(name, "", "", "");
}

/** A text of the contract, a `Reason` or a `Place`, with its values put in. */
export function say(text: i32, a: string, b: string, c: string): string {
  let said = "";
  let values = 0;
  for (let i = <i32>NAME_STARTS[text]; i < <i32>NAME_STARTS[text + 1]; i++) {
    if (NAMES[i] != 0) {
      said += String.fromCharCode(NAMES[i]);
      continue;
    }
    said += values == 0 ? a : values == 1 ? b : c;
    values++;
  }
  return said;
}

/** Whether bytes [start, end) are the name. */
export function isName(name: i32, bytes: Uint8Array, start: i32, end: i32): bool {
  const from = <i32>NAME_STARTS[name];
  if (end - start != <i32>NAME_STARTS[name + 1] - from) return false;
  for (let i = start; i < end; i++) if (bytes[i] != NAMES[from + i - start]) return false;
  return true;
}
