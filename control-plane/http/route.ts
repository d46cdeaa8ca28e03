import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault } from 'fastify';
import type { Logger } from 'pino';
import Type, { type Static, type TSchema } from 'typebox';
import type { Access } from '../access/access.ts';
import type { NodeLimits } from '../access/node-limits.ts';
import type { Fleet } from '../fleet.ts';
import type { Metrics } from '../metrics.ts';
import type { Replicas } from '../replicas/replicas.ts';
import type { Standing } from '../replicas/standing.ts';
import type { Store } from '../store/store.ts';

export type App = FastifyInstance<RawServerDefault, RawRequestDefaultExpression, RawReplyDefaultExpression, Logger, TypeBoxTypeProvider>;

/** What routes are given. */
export interface RouteDependencies {
  readonly fleet: Fleet;
  readonly store: Store;
  readonly standing: Standing;
  /** null: this process has its store for itself. */
  readonly replicas: Replicas | null;
  readonly metrics: Metrics;
  readonly access: Access;
  readonly nodeLimits: NodeLimits;
  readonly log: Logger;
  readonly random: () => number;
  /** What the shared copies of one service may take. */
  readonly copyBudgetBytes: number;
}

/** Names a schema that the app has registered under its `$id`, so that the OpenAPI document holds it once. */
export function ref<S extends TSchema>(_schema: S, id: string) {
  return Type.Unsafe<Static<S>>({ $ref: `${id}#` });
}

/** The answers of a route in the OpenAPI document: those given, and problems for all else. */
export function answers(good: Readonly<Record<number, TSchema | string>>) {
  const entries = Object.entries(good).map(([status, schema]) => {
    const isText = typeof schema === 'string';
    return [
      status,
      isText ? { type: 'null', description: schema } : { description: 'Success', content: { 'application/json': { schema } } },
    ];
  });
  const problem = { description: 'A problem of RFC 9457', content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } } };
  return Object.fromEntries([...entries, ['4xx', problem], ['5xx', problem]]);
}

/** One page of things that are in order of their names. */
export function pageByName<T>(
  all: readonly T[],
  nameOf: (item: T) => string,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string },
): { items: T[]; next: string | null } {
  const rest = cursor === undefined ? all : all.filter((item) => nameOf(item) > cursor);
  const items = rest.slice(0, limit);
  return { items, next: rest.length > limit ? nameOf(items[items.length - 1]!) : null };
}

/** The page that a store is asked for. */
export function historyQuery({ limit, cursor }: { readonly limit: number; readonly cursor?: number }) {
  return cursor === undefined ? { limit } : { limit, before: cursor };
}
