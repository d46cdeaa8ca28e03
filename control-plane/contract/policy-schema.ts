import { Policy } from './policy.ts';

interface SchemaNode {
  readonly description?: string;
  readonly default?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly type?: string;
}

const UNITS: readonly (readonly [string, string])[] = [
  ['Ms', 'ms'],
  ['Percent', '%'],
];

/**
 * The JSON Schema (draft 2020-12) of policies as people write them, for editors. A member with a default may be left out, which the
 * server's own schema does not know: it fills defaults in first. Rules that span several members are the server's alone (`policy-rules.ts`).
 */
export function policySchema(): object {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'urn:rekindle:schema:policy',
    title: 'Rekindle policy',
    ...asWritten(JSON.parse(JSON.stringify(Policy)) as SchemaNode),
  };
}

function asWritten(node: SchemaNode): object {
  const { properties, patternProperties, items, required, ...rest } = node;
  const needed = required?.filter((name) => properties?.[name]?.default === undefined) ?? [];
  return {
    ...rest,
    ...(needed.length > 0 ? { required: needed } : {}),
    ...(properties ? { properties: mapped(properties, member) } : {}),
    ...(patternProperties ? { patternProperties: mapped(patternProperties, asWritten) } : {}),
    ...(items ? { items: asWritten(items) } : {}),
  };
}

/** A member, whose description tells its unit and its default, too: editors show nothing else. */
function member(node: SchemaNode, name: string): object {
  const unit = UNITS.find(([ending]) => name.endsWith(ending) && node.type !== 'object')?.[1];
  const preset = node.default === undefined || node.type === 'object' ? '' : `. Default: ${JSON.stringify(node.default)}`;
  return { ...asWritten(node), description: `${node.description ?? name}${unit === undefined ? '' : `, in ${unit}`}${preset}` };
}

function mapped<T>(record: Readonly<Record<string, T>>, map: (value: T, name: string) => object): Record<string, object> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]));
}
