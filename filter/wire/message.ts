import { LIMITS } from "./contract.gen";
import { parseJson } from "./json";
import { Problems } from "./problem";
import { Reader } from "./reader";
import { Validator } from "./validator";

/**
 * A document that its schema accepts, or null and the problems. Only a strict one is refused for members that the schema does not know.
 */
export function readMessage(bytes: Uint8Array, schema: i32, isStrict: bool, problems: Problems): Reader | null {
  const document = parseJson(bytes, LIMITS.documentBytes, LIMITS.jsonDepth, problems);
  if (!document) return null;
  new Validator(document, isStrict, problems).check(0, schema);
  return problems.list.length == 0 ? new Reader(document, 0, schema) : null;
}
