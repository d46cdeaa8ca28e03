import { contentHash } from "../../../filter/abi/content-hash";

export function hashOf(bytes: Uint8Array): i64 {
  return contentHash(bytes);
}
export const Uint8Array_ID = idof<Uint8Array>();
