import { NAME_STARTS, NAMES } from "./contract.gen";

/** A name of the contract: of a member, a pattern or a word of a choice; `name` is its place among NAMES. */
export function nameText(name: i32): string {
  let text = "";
  for (let i = <i32>NAME_STARTS[name]; i < <i32>NAME_STARTS[name + 1]; i++) text += String.fromCharCode(NAMES[i]);
  return text;
}

/** Whether bytes [start, end) are the name. */
export function isName(name: i32, bytes: Uint8Array, start: i32, end: i32): bool {
  const from = <i32>NAME_STARTS[name];
  if (end - start != <i32>NAME_STARTS[name + 1] - from) return false;
  for (let i = start; i < end; i++) if (bytes[i] != NAMES[from + i - start]) return false;
  return true;
}
