import { suitableType } from "../../../filter/domain/media-type";

/** `types` joined by `|`. */
export function suitable(accept: string, types: string): i32 {
  return suitableType(accept, types.split("|"));
}
