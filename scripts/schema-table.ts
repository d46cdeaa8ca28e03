import type { TSchema } from 'typebox';

/** What a schema of the table asks of a value; the position is the number in the table. */
export const SCHEMA_KINDS = ['Boolean', 'Integer', 'Text', 'Choice', 'List', 'Record', 'Object'] as const;
type SchemaKind = (typeof SCHEMA_KINDS)[number];

/** A cell that holds nothing: no bound, no default. */
export const NOTHING = 0xff;

interface JsonSchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[] | undefined;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean;
}

interface Shape {
  readonly kind: SchemaKind;
  readonly bounds?: readonly [number | undefined, number | undefined];
  readonly preset: number;
  readonly more?: readonly number[];
}

export interface SchemaRow {
  readonly comment: string;
  readonly cells: readonly number[];
}

/**
 * Lays schemas out as rows of small numbers: `kind, minimum, maximum, default`, then what the kind needs. Bounds and the defaults of
 * integers are places in `numbers`; names, words and patterns places in `names`; schemas places in `rows`; the defaults of booleans and
 * choices positions; those of texts, lists and objects nodes of the document `defaults`, counted as its text goes. Equal schemas,
 * whatever their description, share one row. What the filter could not check is an error here.
 */
export class SchemaTable {
  readonly rows: SchemaRow[] = [];
  /** Names of members, then patterns, then words of choices. */
  readonly names: string[] = [];
  readonly keyCount: number;
  readonly numbers: number[] = [];
  /** The first is what a member without a default reads as. */
  readonly defaults: unknown[] = [{}];
  private readonly patterns: readonly string[];
  private readonly places = new Map<string, number>();

  /** `patterns` are those that a schema may use; they are numbered from 1. */
  constructor(roots: readonly TSchema[], patterns: readonly string[]) {
    for (const root of roots) collectKeys(root as JsonSchema, this.names);
    this.keyCount = this.names.length;
    this.patterns = patterns;
    this.names.push(...patterns);
  }

  /** Place of the schema's row, laid out on first use. */
  place(schema: JsonSchema, label: string): number {
    const identity = JSON.stringify(schema, (key, value) => (SILENT.has(key) ? undefined : value));
    const known = this.places.get(identity);
    if (known !== undefined) return known;
    refuseUnknownKeywords(schema, label);
    const { kind, bounds = [undefined, undefined], preset, more = [] } = this.shape(schema, label);
    const limits = bounds.map((bound) => (bound === undefined ? NOTHING : placeIn(this.numbers, bound)));
    const cells = [SCHEMA_KINDS.indexOf(kind), ...limits, preset, ...more];
    if (cells.some((cell) => cell > NOTHING)) throw new Error(`${label}: too many names, numbers or schemas for cells of one byte`);
    const place = this.rows.push({ comment: `${label}: ${kind}`, cells }) - 1;
    this.places.set(identity, place);
    return place;
  }

  private shape(schema: JsonSchema, label: string): Shape {
    if (schema.enum) {
      const preset = schema.default === undefined ? NOTHING : schema.enum.indexOf(String(schema.default));
      return { kind: 'Choice', preset, more: [schema.enum.length, ...schema.enum.map((word) => placeIn(this.names, word))] };
    }
    switch (schema.type) {
      case 'boolean':
        return { kind: 'Boolean', preset: schema.default === undefined ? NOTHING : Number(schema.default) };
      case 'integer': {
        const preset = schema.default === undefined ? NOTHING : placeIn(this.numbers, Number(schema.default));
        return { kind: 'Integer', bounds: [schema.minimum, schema.maximum], preset };
      }
      case 'string': {
        const more = [this.pattern(schema.pattern, label)];
        return { kind: 'Text', bounds: [schema.minLength, schema.maxLength], preset: this.presetNode(schema), more };
      }
      case 'array': {
        const more = [this.place(schema.items ?? {}, `${label}[]`)];
        return { kind: 'List', bounds: [schema.minItems, schema.maxItems], preset: this.presetNode(schema), more };
      }
      case 'object': {
        if (schema.additionalProperties !== false) throw new Error(`${label}: objects of the contract are closed`);
        const more = schema.patternProperties ? this.entry(schema.patternProperties, label) : this.members(schema, label);
        const kind = schema.patternProperties ? 'Record' : 'Object';
        return { kind, bounds: [schema.minProperties, schema.maxProperties], preset: this.presetNode(schema), more };
      }
      default:
        throw new Error(`${label}: the filter cannot check type ${schema.type}`);
    }
  }

  private entry(patterns: Readonly<Record<string, JsonSchema>>, label: string): number[] {
    const entries = Object.entries(patterns);
    if (entries.length !== 1) throw new Error(`${label}: a record has one pattern`);
    return entries.flatMap(([pattern, value]) => [this.place(value, `${label}.*`), this.pattern(pattern, label)]);
  }

  private members(schema: JsonSchema, label: string): number[] {
    const members = Object.entries(schema.properties ?? {});
    if (members.length > 64) throw new Error(`${label}: more than 64 members`);
    const cells = members.map(([name, member]) => {
      const isRequired = (schema.required ?? []).includes(name) && member.default === undefined;
      return [placeIn(this.names, name), this.place(member, `${label}.${name}`), isRequired ? 1 : 0];
    });
    return [members.length, ...cells.flat()];
  }

  /** Node of the default in the document `defaults`. */
  private presetNode(schema: JsonSchema): number {
    if (schema.default === undefined) return NOTHING;
    const text = JSON.stringify(schema.default);
    const known = this.defaults.findIndex((value) => JSON.stringify(value) === text);
    const place = known >= 0 ? known : this.defaults.push(schema.default) - 1;
    return nodesOf(this.defaults.slice(0, place));
  }

  private pattern(pattern: string | undefined, label: string): number {
    if (pattern === undefined) return 0;
    const place = this.patterns.indexOf(pattern);
    if (place < 0) throw new Error(`${label}: pattern ${pattern} has no name in contract/names.ts`);
    return place + 1;
  }
}

/** Keywords that ask nothing of a value. */
const SILENT = new Set(['description', 'title', '$id']);
const KEYWORDS = new Set(
  (
    'type enum default minimum maximum minLength maxLength pattern items minItems maxItems ' +
    'minProperties maxProperties required properties patternProperties additionalProperties description title $id'
  ).split(' '),
);

function refuseUnknownKeywords(schema: JsonSchema, label: string): void {
  for (const keyword of Object.keys(schema)) if (!KEYWORDS.has(keyword)) throw new Error(`${label}: the filter cannot check ${keyword}`);
}

function collectKeys(schema: JsonSchema, names: string[]): void {
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    placeIn(names, name);
    collectKeys(member, names);
  }
  if (schema.items) collectKeys(schema.items, names);
  for (const value of Object.values(schema.patternProperties ?? {})) collectKeys(value, names);
}

/** How many nodes a value is in the filter's document: one for each value and each key. */
function nodesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  const keys = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce((nodes: number, inner) => nodes + nodesOf(inner), 1 + keys);
}

function placeIn<T>(list: T[], value: T): number {
  const known = list.indexOf(value);
  return known >= 0 ? known : list.push(value) - 1;
}
