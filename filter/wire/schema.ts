import { NOTHING, NUMBERS, Pattern, SCHEMA_STARTS, SCHEMAS, SchemaKind } from "./contract.gen";

/**
 * Access to the generated table of schemas. A schema is the place of its row: `kind, minimum, maximum, default`, then for a text its
 * pattern, for a list the schema of its items, for a record that of its values and the pattern of its names, for a choice how many
 * words and the words, for an object how many members and three cells for each: name, schema, whether it must be there.
 */
const MINIMUM: i32 = 1;
const MAXIMUM: i32 = 2;
const DEFAULT: i32 = 3;
const MORE: i32 = 4;
const FIRST: i32 = 5;
const MEMBER_CELLS: i32 = 3;

export function kindOf(schema: i32): SchemaKind {
  return <SchemaKind>cell(schema, 0);
}

/** Least value, length or count; `otherwise` when there is no bound. */
export function minimumOf(schema: i32, otherwise: i64): i64 {
  return number(schema, MINIMUM, otherwise);
}

export function maximumOf(schema: i32, otherwise: i64): i64 {
  return number(schema, MAXIMUM, otherwise);
}

/** Default of an integer, or `otherwise`. */
export function defaultInteger(schema: i32, otherwise: i64): i64 {
  return number(schema, DEFAULT, otherwise);
}

/** Default of a boolean (0 or 1) or a choice (its position), or the node in DEFAULTS of any other; or `otherwise`. */
export function defaultOf(schema: i32, otherwise: i32): i32 {
  const preset = cell(schema, DEFAULT);
  return preset == NOTHING ? otherwise : preset;
}

export function patternOf(schema: i32): Pattern {
  return <Pattern>cell(schema, kindOf(schema) == SchemaKind.Record ? FIRST : MORE);
}

/** Schema of the items of a list or the values of a record. */
export function itemOf(schema: i32): i32 {
  return cell(schema, MORE);
}

/** How many words a choice or members an object has. */
export function countOf(schema: i32): i32 {
  return cell(schema, MORE);
}

/** A word of a choice, as a place among NAMES. */
export function wordOf(schema: i32, position: i32): i32 {
  return cell(schema, FIRST + position);
}

/** Name of a member, as a place among NAMES. */
export function memberName(schema: i32, position: i32): i32 {
  return cell(schema, FIRST + position * MEMBER_CELLS);
}

export function memberSchema(schema: i32, position: i32): i32 {
  return cell(schema, FIRST + position * MEMBER_CELLS + 1);
}

export function isRequired(schema: i32, position: i32): bool {
  return cell(schema, FIRST + position * MEMBER_CELLS + 2) != 0;
}

/** Schema of the member with this name; the name must be one of the object's. */
export function schemaOf(schema: i32, name: i32): i32 {
  let position = countOf(schema) - 1;
  while (position > 0 && memberName(schema, position) != name) position--;
  return memberSchema(schema, position);
}

function cell(schema: i32, cell: i32): i32 {
  return SCHEMAS[<i32>SCHEMA_STARTS[schema] + cell];
}

function number(schema: i32, place: i32, otherwise: i64): i64 {
  const found = cell(schema, place);
  return found == NOTHING ? otherwise : NUMBERS[found];
}
