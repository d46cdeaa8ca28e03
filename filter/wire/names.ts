import { NAME_STARTS, NAMES } from "./contract.gen";

/** A name of the contract: of a member, or a word of a choice; `name` is its place in NAMES. */
export function nameText(name: i32): string {
  return NAMES.substring(NAME_STARTS[name], NAME_STARTS[name + 1] - 1);
}

/** Whether bytes [start, end) are the name. */
export function isName(name: i32, bytes: Uint8Array, start: i32, end: i32): bool {
  const from = <i32>NAME_STARTS[name];
  const length = <i32>NAME_STARTS[name + 1] - 1 - from;
  if (end - start != length) return false;
  for (let i = 0; i < length; i++) if (bytes[start + i] != NAMES.charCodeAt(from + i)) return false;
  return true;
}
