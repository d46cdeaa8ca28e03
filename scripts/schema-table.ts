import type { TSchema } from 'typebox';

/** What a schema of the table asks of a value; the position is the number in the table. */
export const SCHEMA_KINDS = ['Boolean', 'Integer', 'Text', 'Choice', 'List', 'Record', 'Object'] as const;
type SchemaKind = (typeof SCHEMA_KINDS)[number];

/** A cell that holds nothing: no bound, no default. */
export const NOTHING = 0xffff;

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
  readonly bounds: readonly [number | undefined, number | undefined];
  readonly preset: number;
  readonly more: readonly number[];
}

/**
 * Lays schemas out as rows of small numbers: `kind, minimum, maximum, default`, then what the kind needs. Bounds and integer defaults
 * are places in `numbers`, names and choices places in `names`, other defaults places in `defaults` (as JSON text), schemas the place
 * of their row. Equal schemas, whatever their description, share one row. What the filter could not check is an error here.
 */
export class SchemaTable {
  readonly rows: { place: number; comment: string; cells: number[] }[] = [];
  readonly names: string[] = [];
  readonly numbers: number[] = [];
  readonly defaults: string[] = [];
  /** Member names come first in `names`. */
  readonly keys: readonly string[];
  private readonly patterns: ReadonlyMap<string, number>;
  private readonly places = new Map<string, number>();
  private length = 0;

  /** `patterns` names each pattern that a schema may use; the position is its number. */
  constructor(roots: readonly TSchema[], patterns: ReadonlyMap<string, number>) {
    this.patterns = patterns;
    for (const root of roots) collectKeys(root as JsonSchema, this.names);
    this.keys = [...this.names];
  }

  /** Place of the schema's row, laid out on first use. */
  place(schema: JsonSchema, label: string): number {
    const identity = JSON.stringify(schema, (key, value) => (key === 'description' ? undefined : value));
    const known = this.places.get(identity);
    if (known !== undefined) return known;
    const shape = this.shape(schema, label);
    const bounds = shape.bounds.map((bound) => (bound === undefined ? NOTHING : placeIn(this.numbers, bound)));
    const cells = [SCHEMA_KINDS.indexOf(shape.kind), ...bounds, shape.preset, ...shape.more];
    const place = this.length;
    this.rows.push({ place, comment: `${label}: ${shape.kind}`, cells });
    this.length += cells.length;
    if (this.length > NOTHING) throw new Error(`${label}: the schema table is full`);
    this.places.set(identity, place);
    return place;
  }

  private shape(schema: JsonSchema, label: string): Shape {
    refuseUnknownKeywords(schema, label);
    const preset = schema.default;
    if (schema.enum) {
      const position = preset === undefined ? NOTHING : schema.enum.indexOf(String(preset));
      const values = schema.enum.map((value) => placeIn(this.names, value));
      return { kind: 'Choice', bounds: [undefined, undefined], preset: position, more: [values.length, ...values] };
    }
    switch (schema.type) {
      case 'boolean':
        return { kind: 'Boolean', bounds: [undefined, undefined], preset: preset === undefined ? NOTHING : Number(preset), more: [] };
      case 'integer': {
        const place = preset === undefined ? NOTHING : placeIn(this.numbers, Number(preset));
        return { kind: 'Integer', bounds: [schema.minimum, schema.maximum], preset: place, more: [] };
      }
      case 'string':
        return {
          kind: 'Text',
          bounds: [schema.minLength, schema.maxLength],
          preset: this.presetText(preset),
          more: [this.pattern(schema, label)],
        };
      case 'array': {
        const item = this.place(schema.items ?? {}, `${label}[]`);
        return { kind: 'List', bounds: [schema.minItems, schema.maxItems], preset: this.presetText(preset), more: [item] };
      }
      case 'object':
        return schema.patternProperties ? this.record(schema, label) : this.object(schema, label);
      default:
        throw new Error(`${label}: the filter cannot check type ${schema.type}`);
    }
  }

  private record(schema: JsonSchema, label: string): Shape {
    const entries = Object.entries(schema.patternProperties ?? {});
    const [entry] = entries;
    if (!entry || entries.length > 1 || schema.additionalProperties !== false)
      throw new Error(`${label}: a record needs one closed pattern`);
    const pattern = this.pattern({ pattern: entry[0] }, label);
    const more = [pattern, this.place(entry[1], `${label}.*`)];
    return { kind: 'Record', bounds: [schema.minProperties, schema.maxProperties], preset: this.presetText(schema.default), more };
  }

  private object(schema: JsonSchema, label: string): Shape {
    if (schema.additionalProperties !== false) throw new Error(`${label}: objects of the contract are closed`);
    const members = Object.entries(schema.properties ?? {});
    if (members.length > 64) throw new Error(`${label}: more than 64 members`);
    const more = [members.length];
    for (const [name, member] of members) {
      const required = (schema.required ?? []).includes(name) && member.default === undefined;
      more.push(placeIn(this.names, name), this.place(member, label ? `${label}.${name}` : name), required ? 1 : 0);
    }
    return { kind: 'Object', bounds: [schema.minProperties, schema.maxProperties], preset: this.presetText(schema.default), more };
  }

  private presetText(preset: unknown): number {
    return preset === undefined ? NOTHING : placeIn(this.defaults, JSON.stringify(preset));
  }

  private pattern(schema: JsonSchema, label: string): number {
    if (schema.pattern === undefined) return 0;
    const number = this.patterns.get(schema.pattern);
    if (number === undefined) throw new Error(`${label}: pattern ${schema.pattern} has no name in contract/names.ts`);
    return number;
  }
}

const KEYWORDS = new Set(
  'type enum default minimum maximum minLength maxLength pattern items minItems maxItems minProperties maxProperties required properties patternProperties additionalProperties description'.split(
    ' ',
  ),
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

function placeIn<T>(list: T[], value: T): number {
  const known = list.indexOf(value);
  return known >= 0 ? known : list.push(value) - 1;
}
