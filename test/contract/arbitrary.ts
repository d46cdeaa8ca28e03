import fc from 'fast-check';

interface SchemaNode {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly items?: SchemaNode;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
}

/** Most items that a drawn list has, unless it must have more. */
const MOST_ITEMS = 4;
const MOST_CHARACTERS = 24;

/** Values that the schema accepts once its defaults are filled in: members that have a default may be missing. */
export function arbitraryOf(schema: unknown): fc.Arbitrary<unknown> {
  const node = schema as SchemaNode;
  if (node.enum) return fc.constantFrom(...node.enum);
  switch (node.type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return integers(node.minimum ?? 0, node.maximum ?? Number.MAX_SAFE_INTEGER);
    case 'string':
      return texts(node);
    case 'array': {
      const minLength = node.minItems ?? 0;
      return fc.array(arbitraryOf(node.items), {
        minLength,
        maxLength: Math.max(minLength, Math.min(MOST_ITEMS, node.maxItems ?? MOST_ITEMS)),
      });
    }
    case 'object':
      return node.patternProperties ? records(node.patternProperties, node.maxProperties) : objects(node);
    default:
      throw new Error(`no arbitrary for type ${node.type}`);
  }
}

/** Mostly near the bounds, where mistakes are. */
function integers(min: number, max: number): fc.Arbitrary<number> {
  const low = fc.integer({ min: 0, max: Math.min(20, max - min) }).map((above) => min + above);
  const high = fc.integer({ min: 0, max: Math.min(3, max - min) }).map((below) => max - below);
  return fc.oneof(
    { arbitrary: low, weight: 3 },
    { arbitrary: high, weight: 1 },
    fc.maxSafeNat().map((any) => min + (any % (max - min + 1))),
  );
}

function texts({ pattern, minLength = 0, maxLength = MOST_CHARACTERS }: SchemaNode): fc.Arbitrary<string> {
  const longest = Math.min(maxLength, Math.max(minLength, MOST_CHARACTERS));
  if (pattern === undefined) return fc.string({ unit: 'binary', minLength, maxLength: longest });
  return fc.stringMatching(new RegExp(pattern)).filter(({ length }) => length >= minLength && length <= maxLength);
}

function records(patterns: Readonly<Record<string, SchemaNode>>, most = MOST_ITEMS): fc.Arbitrary<unknown> {
  const entries = Object.entries(patterns).map(([pattern, value]) =>
    fc.tuple(texts({ pattern, minLength: 1, maxLength: 128 }), arbitraryOf(value)),
  );
  return fc.array(fc.oneof(...entries), { maxLength: Math.min(most, MOST_ITEMS) }).map((list) => Object.fromEntries(list));
}

function objects({ properties = {}, required = [], maxProperties }: SchemaNode): fc.Arbitrary<unknown> {
  if (maxProperties === 1) {
    return fc.oneof(...Object.entries(properties).map(([name, member]) => fc.record({ [name]: arbitraryOf(member) })));
  }
  const members = Object.entries(properties).map(([name, member]) => [name, arbitraryOf(member)] as const);
  const requiredKeys = required.filter((name) => properties[name]?.default === undefined);
  return fc.record(Object.fromEntries(members), { requiredKeys });
}
