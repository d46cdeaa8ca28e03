import { Document, isMap, isSeq, type Node, type Scalar, visit } from 'yaml';

/** A comment in front of the member or item that the path leads to. */
export interface Note {
  readonly path: readonly (string | number)[];
  readonly text: string;
}

/**
 * A value as YAML that a person reads: comments in front of what they explain, texts of several lines as block scalars. Words that only
 * YAML 1.1 takes for booleans or numbers are quoted as well, since readers of Kubernetes take them so, and so do numbers as Go writes them.
 */
export function yamlText(value: object, head: readonly string[], notes: readonly Note[]): string {
  const document = new Document(value, { schema: 'yaml-1.1', aliasDuplicateObjects: false });
  document.commentBefore = comment(head.join('\n'));
  for (const { path, text } of notes) nodeAt(document.contents, path).commentBefore = comment(text);
  visit(document, {
    Scalar(_, scalar) {
      if (typeof scalar.value === 'string' && (GO_NUMBER.test(scalar.value) || scalar.value.search(UNSEEN) >= 0))
        scalar.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 0, blockQuote: 'literal' }).replaceAll(UNSEEN, escaped);
}

const GO_NUMBER = /^0[xob][0-9a-f_]+$/i;
/** Tabs, and what readers take for an end of line or for nothing: inside of double quotes they can be written as escapes. */
const UNSEEN = /[\t\u007f-\u009f\u2028\u2029\ufeff]/g;

/** The same in JSON and in YAML. */
export const escaped = (text: string): string =>
  text.replaceAll(UNSEEN, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);

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
