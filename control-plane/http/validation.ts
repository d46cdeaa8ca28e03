import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { DocumentReader, isRefused } from '../contract/documents.ts';
import type { Problem } from '../contract/problem.ts';
import { DocumentInvalid, listing, RequestInvalid } from '../errors.ts';

/** Schemas that routes name by `$ref: '<id>#'`. */
export type SchemasById = ReadonlyMap<string, TSchema>;

/**
 * Validates what comes in by the route's TypeBox schemas, with all problems at once: bodies as documents (422), parameters and query as
 * parts of the request (400). Bytes, and bodies of the schemas in `readByRoutes`, are passed on as they are.
 */
export function validatorCompiler(schemas: SchemasById, readByRoutes: readonly string[]): FastifySchemaCompiler<TSchema> {
  return ({ schema, httpPart }) => {
    if (httpPart === 'body' && (isBytes(schema) || readByRoutes.some((id) => nameOf(schema) === id)))
      return (value: unknown) => ({ value });
    const resolved = resolve(schema, schemas);
    const reader = new DocumentReader(resolved);
    const isBody = httpPart === 'body';
    return (raw: unknown) => {
      const read = reader.read(isBody ? raw : converted(resolved, raw as Record<string, unknown>));
      if (!isRefused(read)) return { value: read.value };
      return { error: isBody ? listing(DocumentInvalid, read.problems) : listing(RequestInvalid, read.problems.map(inside(httpPart))) };
    };
  };
}

function nameOf(schema: TSchema): string | undefined {
  return (schema as { $ref?: string }).$ref?.replace(/#$/, '');
}

function isBytes(schema: TSchema): boolean {
  return (schema as { format?: string }).format === 'binary';
}

function resolve(schema: TSchema, schemas: SchemasById): TSchema {
  const name = nameOf(schema);
  if (name === undefined) return schema;
  const found = schemas.get(name);
  if (!found) throw new Error(`no schema is registered as ${name}`);
  return found;
}

const inside =
  (httpPart: string | undefined) =>
  ({ path, reason }: Problem): Problem => ({ path: `${httpPart === 'querystring' ? 'query' : httpPart}.${path}`, reason });

/** Parameters arrive as text; those that the schema wants as a number or boolean are turned into one if they spell one. */
function converted(schema: TSchema, raw: Record<string, unknown>): Record<string, unknown> {
  const properties = ((schema as { properties?: Record<string, { type?: string }> }).properties ?? {}) as Record<string, { type?: string }>;
  return Object.fromEntries(Object.entries(raw).map(([name, text]) => [name, convertedTo(properties[name]?.type, text)]));
}

function convertedTo(type: string | undefined, text: unknown): unknown {
  if (type === 'integer' && typeof text === 'string' && /^-?\d{1,16}$/.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
