import Type, { type TSchema } from 'typebox';
import { LIMITS } from '../limits.ts';
import { Counter, describedName, Name } from '../names.ts';
import { closed } from '../schema-kinds.ts';
import { nullable } from './kinds.ts';

export const pageSize = Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'Items on one page' });

/** A page of things in order of their names. */
export const NamePage = Type.Object(
  { limit: pageSize, cursor: Type.Optional(describedName('`next` of the page before')) },
  { ...closed, default: {} },
);

export const historyCursor = Type.Optional(
  Type.Integer({ minimum: 1, maximum: LIMITS.safeInteger, description: '`next` of the page before' }),
);
/** A page of entries, newest first. */
export const HistoryPage = Type.Object(
  {
    limit: pageSize,
    cursor: historyCursor,
  },
  { ...closed, default: {} },
);

const pageOf = <T extends TSchema, C extends TSchema>(items: T, cursor: C) =>
  Type.Object(
    { items: Type.Array(items), next: nullable(cursor) },
    { description: '`next` is the cursor of the next page, null on the last one' },
  );
export const namedPageOf = <T extends TSchema>(items: T) => pageOf(items, Name);
export const historyPageOf = <T extends TSchema>(items: T) => pageOf(items, Counter);
