/** What of a JSON schema a table of fields shows. */
export interface FieldSchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly patternProperties?: Readonly<Record<string, FieldSchema>>;
  readonly required?: readonly string[];
  readonly items?: FieldSchema;
}

const DAY_MS = 86_400_000;

/** A section for each object of a schema, outermost first: `### \`path\``, what it is, a row for each field. */
export function referenceSections(root: FieldSchema, path = ''): string[] {
  const inner = Object.entries(root.properties ?? {}).flatMap(([name, field]) => {
    const object = field.type === 'array' ? field.items : field;
    const innerPath = `${path === '' ? '' : `${path}.`}${name}${field.type === 'array' ? '[]' : ''}`;
    return object?.properties === undefined
      ? []
      : referenceSections({ ...object, description: object.description ?? field.description ?? '' }, innerPath);
  });
  return [section(root, path), ...inner];
}

function section(schema: FieldSchema, path: string): string {
  const rows = Object.entries(schema.properties ?? {}).map(([name, field]) => row(name, field, schema, path));
  const title = path === '' ? 'Top level' : `\`${path}\``;
  const about = schema.description === undefined || schema.description === '' ? [] : [`${sentence(schema.description)}`, ''];
  return [`### ${title}`, '', ...about, '| field | type | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function row(name: string, field: FieldSchema, parent: FieldSchema, path: string): string {
  if (field.description === undefined && field.properties === undefined && field.items?.description === undefined)
    throw new Error(`${path}.${name} has no description`);
  const isOneOf = (parent as { maxProperties?: number; minProperties?: number }).maxProperties === 1;
  const isRequired = (parent.required ?? []).includes(name) && field.default === undefined;
  const preset = field.default === undefined ? (isRequired ? '**required**' : isOneOf ? 'one of these' : 'none') : defaultText(field);
  const meaning = sentence(field.description ?? field.items?.description ?? '');
  return `| \`${name}\` | ${typeText(name, field, path)} | ${preset} | ${meaning.replaceAll('|', '\\|')} |`;
}

function defaultText(field: FieldSchema): string {
  const isFilledIn = field.properties !== undefined && JSON.stringify(field.default) === '{}';
  return isFilledIn ? 'those of its fields' : `\`${JSON.stringify(field.default).replaceAll('"', '')}\``;
}

function typeText(name: string, field: FieldSchema, path: string): string {
  if (field.enum !== undefined) return field.enum.map((word) => `\`${word}\``).join(', ');
  switch (field.type) {
    case 'integer':
      return `integer${unit(name)}, ${grouped(field.minimum)} to ${grouped(field.maximum)}`;
    case 'string':
      return `text, at most ${grouped(field.maxLength)} characters`;
    case 'array':
      return `list of ${field.items?.properties === undefined ? elementText(name, field.items) : link(`${path}.${name}[]`)}, ${field.minItems ?? 0} to ${grouped(field.maxItems)}`;
    case 'object':
      return field.patternProperties === undefined ? link(`${path}.${name}`) : `names and texts, at most ${field.maxProperties}`;
    default:
      return field.type ?? '';
  }
}

function elementText(name: string, items: FieldSchema | undefined): string {
  if (items?.enum !== undefined) return items.enum.map((word) => `\`${word}\``).join(', ');
  return items?.type === 'integer' ? `integers${unit(name)} (${items.minimum} to ${items.maximum})` : 'texts';
}

/** Heading of a section as a link to it. */
function link(path: string): string {
  const title = path.replace(/^\./, '');
  return `[${title.split('.').at(-1)}](#${title.toLowerCase().replace(/[^a-z0-9-]/g, '')})`;
}

function unit(name: string): string {
  if (name.endsWith('Ms')) return ' ms';
  if (name.endsWith('Percent')) return ' %';
  return name.endsWith('Bytes') ? ' bytes' : '';
}

const sentence = (text: string): string => (text === '' || /[.)]$/.test(text) ? text : `${text}.`);
/** 2592000000 ms say less than 30 days. */
function grouped(value: number | undefined): string {
  if (value === undefined) return '∞';
  return value >= DAY_MS ? `${value / DAY_MS} days` : value.toLocaleString('en-US');
}
