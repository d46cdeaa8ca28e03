import { DEFAULTS, NOTHING, NUMBERS, Pattern, SCHEMAS, SchemaKind } from "./contract.gen";

/**
 * Access to the generated table of schemas. A schema is the place of its row:
 * `kind, minimum, maximum, default`, then for a text or record its pattern, for a list or record the schema of its items, for a
 * choice or object how many words or members follow. A member is three cells: name, schema, whether it must be there.
 */
const PATTERN: i32 = 4;
const ITEM: i32 = 4;
const VALUE: i32 = 5;
const COUNT: i32 = 4;
const FIRST: i32 = 5;
const MEMBER_CELLS: i32 = 3;

export function kindOf(schema: i32): SchemaKind {
  return <SchemaKind>SCHEMAS[schema];
}

/** Least value, length or count; `otherwise` when there is no bound. */
export function minimumOf(schema: i32, otherwise: i64): i64 {
  return number(SCHEMAS[schema + 1], otherwise);
}

export function maximumOf(schema: i32, otherwise: i64): i64 {
  return number(SCHEMAS[schema + 2], otherwise);
}

export function hasDefault(schema: i32): bool {
  return SCHEMAS[schema + 3] != NOTHING;
}

/** Default of an integer, or `otherwise`. */
export function defaultInteger(schema: i32, otherwise: i64): i64 {
  return number(SCHEMAS[schema + 3], otherwise);
}

/** Default of a boolean (0 or 1) or a choice (its position), or `otherwise`. */
export function defaultPosition(schema: i32, otherwise: i32): i32 {
  const cell = SCHEMAS[schema + 3];
  return cell == NOTHING ? otherwise : cell;
}

/** Place of the default of a text, list or object in DEFAULTS, or -1. */
export function defaultPlace(schema: i32): i32 {
  const cell = SCHEMAS[schema + 3];
  return cell < <u16>DEFAULTS.length ? cell : -1;
}

export function patternOf(schema: i32): Pattern {
  return <Pattern>SCHEMAS[schema + PATTERN];
}

/** Schema of the items of a list. */
export function itemOf(schema: i32): i32 {
  return SCHEMAS[schema + ITEM];
}

/** Schema of the values of a record. */
export function valueOf(schema: i32): i32 {
  return SCHEMAS[schema + VALUE];
}

/** How many words a choice or members an object has. */
export function countOf(schema: i32): i32 {
  return SCHEMAS[schema + COUNT];
}

/** A word of a choice, as a place in NAMES. */
export function wordOf(schema: i32, position: i32): i32 {
  return SCHEMAS[schema + FIRST + position];
}

/** Name of a member, as a place in NAMES. */
export function memberName(schema: i32, position: i32): i32 {
  return SCHEMAS[schema + FIRST + position * MEMBER_CELLS];
}

export function memberSchema(schema: i32, position: i32): i32 {
  return SCHEMAS[schema + FIRST + position * MEMBER_CELLS + 1];
}

export function isRequired(schema: i32, position: i32): bool {
  return SCHEMAS[schema + FIRST + position * MEMBER_CELLS + 2] != 0;
}

/** Position of the member with this name, or -1. */
export function positionOf(schema: i32, name: i32): i32 {
  for (let i = 0; i < countOf(schema); i++) if (memberName(schema, i) == name) return i;
  return -1;
}

function number(cell: u16, otherwise: i64): i64 {
  return cell == NOTHING ? otherwise : NUMBERS[cell];
}
