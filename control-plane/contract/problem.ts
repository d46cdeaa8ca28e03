import type { TLocalizedValidationError } from 'typebox/error';
import { nearest } from './nearest.ts';

/** What is wrong with a document, and where: `features[2].breaker.openMs`. */
export interface Problem {
  readonly path: string;
  readonly reason: string;
}

/** A problem with the keys that lead to its place. */
export interface LocatedProblem extends Problem {
  readonly keys: readonly string[];
}

/** The members of a schema that its messages name. */
interface SchemaNode {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly patternProperties?: Readonly<Record<string, unknown>>;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly anyOf?: readonly Alternative[];
}

interface Alternative {
  readonly const?: unknown;
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Says a schema error in the words of the document: where, what is allowed, and what was found there. */
export function problemsOf(error: TLocalizedValidationError, schema: unknown, value: unknown): LocatedProblem[] {
  if (error.schemaPath.includes('/anyOf/')) return []; // said once for all alternatives
  const keys = pointerKeys(error.instancePath);
  const node = nodeAt(schema, pointerKeys(error.schemaPath));
  const found = keys.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value);
  switch (error.keyword) {
    case 'additionalProperties':
      return []; // each of these fields has an error of its own, `boolean`
    case 'boolean':
      return [located(keys, unknownField(keys.at(-1) ?? '', nodeAt(schema, pointerKeys(error.schemaPath).slice(0, -1))))];
    case 'required':
      return error.params.requiredProperties.map((name) => located([...keys, name], 'is required'));
    default:
      return [located(keys, reasonOf(error, node, found))];
  }
}

const located = (keys: readonly string[], reason: string): LocatedProblem => ({ keys, path: dotted(keys), reason });

function reasonOf(error: TLocalizedValidationError, node: SchemaNode, found: unknown): string {
  const got = `got ${shown(found)}`;
  switch (error.keyword) {
    case 'type':
      return `must be ${article(String(error.params.type))}, ${got}`;
    case 'minimum':
      return `must be at least ${error.params.limit}, ${got}`;
    case 'maximum':
      return `must be at most ${error.params.limit}, ${got}`;
    case 'anyOf':
      return `must be ${(node.anyOf ?? []).map(alternative).join(' or ')}, ${got}`;
    case 'enum':
      return `must be one of ${error.params.allowedValues.join(', ')}, ${got}${meant(found, error.params.allowedValues)}`;
    case 'pattern':
      return `must match ${error.params.pattern}, ${got}`;
    case 'minLength':
      return `must have at least ${error.params.limit} characters, got ${(found as string).length}`;
    case 'maxLength':
      return `must have at most ${error.params.limit} characters, got ${(found as string).length}`;
    case 'minItems':
      return `must have at least ${error.params.limit} items, got ${(found as unknown[]).length}`;
    case 'maxItems':
      return `must have at most ${error.params.limit} items, got ${(found as unknown[]).length}`;
    case 'minProperties':
    case 'maxProperties':
      return memberCount(node, found as object);
    default:
      return `${error.message}, ${got}`;
  }
}

function alternative({ const: value, type, minimum, maximum }: Alternative): string {
  if (value !== undefined) return JSON.stringify(value);
  return `${article(type ?? 'value')}${minimum === undefined ? '' : ` from ${minimum}`}${maximum === undefined ? '' : ` to ${maximum}`}`;
}

function memberCount(node: SchemaNode, found: object): string {
  const got = `got ${Object.keys(found).slice(0, 8).join(', ') || 'none'}`;
  if (node.minProperties === 1 && node.maxProperties === 1) {
    return `must have exactly one of ${Object.keys(node.properties ?? {}).join(', ')}; ${got}`;
  }
  return `must have from ${node.minProperties ?? 0} to ${node.maxProperties ?? 'any number of'} members, got ${Object.keys(found).length}`;
}

function unknownField(name: string, node: SchemaNode): string {
  const known = Object.keys(node.properties ?? {});
  if (known.length === 0) return `is not a valid name here; it must match ${Object.keys(node.patternProperties ?? {}).join(' or ')}`;
  const close = nearest(name, known);
  return close ? `is not a known field; did you mean ${close}?` : `is not a known field; known here: ${known.join(', ')}`;
}

function meant(found: unknown, allowed: readonly unknown[]): string {
  if (typeof found !== 'string') return '';
  const close = nearest(found, allowed.map(String));
  return close ? `; did you mean ${close}?` : '';
}

const article = (type: string) => (/^[aeio]/.test(type) ? `an ${type}` : `a ${type}`);

/** A value from outside, short and on one line. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value === null) return 'null';
  if (typeof value === 'object') return 'an object';
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** `features[2].breaker.openMs`, `headers["x y"]` */
export function dotted(keys: readonly string[]): string {
  return keys.reduce((path, key) => {
    if (/^\d+$/.test(key)) return `${path}[${key}]`;
    if (!/^[\w-]{1,64}$/.test(key)) return `${path}[${shown(key)}]`;
    return path === '' ? key : `${path}.${key}`;
  }, '');
}

/** Keys of a JSON pointer (RFC 6901), with or without a leading `#`. */
function pointerKeys(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function nodeAt(schema: unknown, keys: readonly string[]): SchemaNode {
  const node = keys.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], schema);
  return (node ?? {}) as SchemaNode;
}
