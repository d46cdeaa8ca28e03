import { type Document, isAlias, isMap, isNode, isPair, isScalar, isSeq, type LineCounter, type Node } from 'yaml';

/** Counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Keys of a problem's path: `features[2].headers["x y"]` is features, 2, headers, x y. */
export function keysOf(path: string): string[] {
  return [...path.matchAll(/\[("(?:[^"\\]|\\.)*")\]|\[(\d+)\]|([^.[]+)/g)].map(([, quoted, index, word]) =>
    quoted === undefined ? (index ?? word ?? '') : (JSON.parse(quoted) as string),
  );
}

/** Where the member is that the keys lead to: its key in a map, itself in a list. What is missing is told at the last thing that is there. */
export function positionOf(document: Document, lines: LineCounter, keys: readonly string[]): Position {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const key of keys) {
    const found = stepInto(isAlias(node) ? node.resolve(document) : node, key);
    if (!found) break;
    node = found.value;
    offset = startOf(found.at) ?? offset;
  }
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

function stepInto(node: unknown, key: string): { readonly at: unknown; readonly value: unknown } | null {
  if (isSeq(node)) {
    const item = node.items[Number(key)];
    return item === undefined ? null : { at: item, value: item };
  }
  if (!isMap(node)) return null;
  const pair = node.items.find((item) => isPair(item) && (isScalar(item.key) ? String(item.key.value) : item.key) === key);
  return pair ? { at: pair.key, value: pair.value } : null;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? (node as Node).range?.[0] : undefined;
}
