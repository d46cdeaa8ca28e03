import { Document, isMap, isSeq, type Node, type Scalar } from 'yaml';

/** A comment in front of the member or item that the path leads to. */
export interface Note {
  readonly path: readonly (string | number)[];
  readonly text: string;
}

/**
 * A value as YAML that a person reads: comments in front of what they explain, texts of several lines as block scalars. Words that only
 * YAML 1.1 takes for booleans or numbers are quoted as well, since readers of Kubernetes take them so.
 */
export function yamlText(value: object, head: readonly string[], notes: readonly Note[]): string {
  const document = new Document(value, { schema: 'yaml-1.1', aliasDuplicateObjects: false });
  document.commentBefore = comment(head.join('\n'));
  for (const { path, text } of notes) nodeAt(document.contents, path).commentBefore = comment(text);
  return document.toString({ lineWidth: 0, blockQuote: 'literal' });
}

function comment(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : ` ${line}`))
    .join('\n');
}

/** The node that a comment stands in front of: the key of a member, an item itself. */
function nodeAt(root: unknown, path: readonly (string | number)[]): Node {
  let found: unknown = null;
  let inner = root;
  for (const step of path) {
    if (isMap(inner)) {
      const pair = inner.items.find(({ key }) => (key as Scalar).value === step);
      found = pair?.key;
      inner = pair?.value;
    } else if (isSeq(inner)) {
      found = inner.items[step as number];
      inner = found;
    }
  }
  if (!found) throw new Error(`no ${path.join('.')} to explain`);
  return found as Node;
}
