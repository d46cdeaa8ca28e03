import { isDeepStrictEqual } from 'node:util';

export interface Difference {
  /** `features[checkout].breaker.openMs`: features and dependencies by name, other lists by place. */
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed';
  readonly before?: unknown;
  readonly after?: unknown;
}

type Item = Readonly<Record<string, unknown>>;

/** Members that name an item of a list. */
const IDENTITIES = ['name', 'feature'] as const;

/** What is different between two documents, by their meaning rather than by their lines. */
export function differences(before: unknown, after: unknown, path = ''): Difference[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (before === undefined) return [{ path, kind: 'added', after }];
  if (after === undefined) return [{ path, kind: 'removed', before }];
  if (Array.isArray(before) && Array.isArray(after)) return listDifferences(before, after, path);
  if (isRecord(before) && isRecord(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) => differences(before[name], after[name], path === '' ? name : `${path}.${name}`));
  }
  return [{ path, kind: 'changed', before, after }];
}

function listDifferences(before: readonly unknown[], after: readonly unknown[], path: string): Difference[] {
  const identity = IDENTITIES.find((name) => [...before, ...after].every((item) => isRecord(item) && typeof item[name] === 'string'));
  if (identity !== undefined) return namedDifferences(before as Item[], after as Item[], identity, path);
  if (![...before, ...after].every(isRecord)) return [{ path, kind: 'changed', before, after }];
  const length = Math.max(before.length, after.length);
  return Array.from({ length }, (_, place) => differences(before[place], after[place], `${path}[${place}]`)).flat();
}

function namedDifferences(before: readonly Item[], after: readonly Item[], identity: string, path: string): Difference[] {
  const nameOf = (item: Item) => item[identity] as string;
  const left = new Map(before.map((item) => [nameOf(item), item]));
  const pairs = after.map((item) => ({ item, was: left.get(nameOf(item)) ?? formerOf(item, left, after) }));
  const kept = new Set(pairs.map(({ was }) => was));
  const gone = before.filter((item) => !kept.has(item));
  const order = [before.filter((item) => kept.has(item)).map(nameOf), pairs.flatMap(({ was }) => (was ? [nameOf(was)] : []))];
  return [
    ...gone.flatMap((item) => differences(item, undefined, `${path}[${nameOf(item)}]`)),
    ...pairs.flatMap(({ item, was }) => differences(was, item, `${path}[${nameOf(item)}]`)),
    ...(isDeepStrictEqual(order[0], order[1])
      ? []
      : [{ path: `${path} (order)`, kind: 'changed' as const, before: order[0], after: order[1] }]),
  ];
}

/** The feature that this one was, if it was renamed. */
function formerOf({ renamedFrom }: Item, left: ReadonlyMap<string, Item>, after: readonly Item[]): Item | undefined {
  if (typeof renamedFrom !== 'string' || after.some(({ name }) => name === renamedFrom)) return undefined;
  return left.get(renamedFrom);
}

const SIGNS = { added: '+', removed: '-', changed: '~' } as const;
const MAX_SHOWN = 100;

export function lineOf({ path, kind, before, after }: Difference): string {
  const values = kind === 'changed' ? `${shown(before)} → ${shown(after)}` : shown(kind === 'added' ? after : before);
  return `${SIGNS[kind]} ${path}: ${values}`;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}… (${text.length} characters)` : text;
}

function isRecord(value: unknown): value is Item {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
