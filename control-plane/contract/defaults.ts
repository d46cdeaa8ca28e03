interface SchemaNode {
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
}

/**
 * Fills in what the schema gives a default for, in place, however wrong the rest is. (TypeBox's own `Value.Default` throws at an unknown
 * key of a closed record.)
 */
export function withDefaults(schema: unknown, value: unknown): unknown {
  const node = schema as SchemaNode;
  const filled = value === undefined && node.default !== undefined ? structuredClone(node.default) : value;
  if (Array.isArray(filled)) {
    if (node.items) for (const [index, item] of filled.entries()) filled[index] = withDefaults(node.items, item);
  } else if (typeof filled === 'object' && filled !== null && node.properties) {
    fillMembers(node.properties, filled as Record<string, unknown>);
  }
  return filled;
}

function fillMembers(properties: Readonly<Record<string, SchemaNode>>, object: Record<string, unknown>): void {
  for (const [name, schema] of Object.entries(properties)) {
    const member = withDefaults(schema, object[name]);
    if (member !== undefined) object[name] = member;
  }
}
