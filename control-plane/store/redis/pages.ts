import type { Page, PageQuery } from '../store.ts';
import type { Connection } from './connection.ts';
import { parseRow, type Row } from './rows.ts';

/** Rows of a sorted set, those of the highest numbers first. */
export async function newest<V>(connection: Connection, key: string, { limit, before }: PageQuery): Promise<Page<Row<V>>> {
  const below = before === undefined ? '+inf' : `(${before}`;
  const texts = await connection.use((redis) => redis.zrevrangebyscore(key, below, '-inf', 'LIMIT', 0, limit + 1));
  const items = texts.slice(0, limit).map((text) => parseRow<V>(text));
  return { items, next: texts.length > limit ? items.at(-1)!.number : null };
}
