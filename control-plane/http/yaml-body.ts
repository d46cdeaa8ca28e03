import { Composer, type CST, type Document, isScalar, Lexer, LineCounter, Parser, type Scalar, visit } from 'yaml';
import { LIMITS } from '../contract/limits.ts';
import { BodyMalformed } from '../errors.ts';

/** Values in one document, what an alias stands for counted each time: a small text of nested aliases must not become gigabytes. */
const MAX_VALUES = 200_000;
/** Each alias is looked up by a walk over the whole document. */
const MAX_ALIASES = 1000;
/** Words, signs and blanks of a text: reading one takes some microseconds, so that more of them would hold up everybody else. */
const MAX_LEXEMES = 250_000;
/** Open collections of the parser. A text of 100,000 opening brackets ends the whole process in the composer, which recurses. */
const MAX_OPEN = 4 * LIMITS.jsonDepth;

/** Reads one YAML 1.2 document into plain values. Throws BodyMalformed with line and column. */
export function parseYaml(text: string): unknown {
  try {
    const lines = new LineCounter();
    // Its own check for repeated keys takes seconds for a map of some ten thousand.
    const composer = new Composer({ logLevel: 'silent', stringKeys: true, uniqueKeys: false });
    const [document, second] = composer.compose(tokensOf(text, lines), true, text.length);
    if (second) throw new BodyMalformed('it holds more than one document');
    const problem = document && (document.errors[0] ?? flawOf(document));
    if (problem) throw new BodyMalformed(`${problem.message} (${place(lines, problem.pos[0])})`);
    return copied(document?.toJS({ maxAliasCount: -1 }), { left: MAX_VALUES }, 0);
  } catch (error) {
    throw error instanceof BodyMalformed ? error : new BodyMalformed((error as Error).message);
  }
}

function tokensOf(text: string, lines: LineCounter): CST.Token[] {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  const tokens: CST.Token[] = [];
  let lexemes = 0;
  const add = (token: CST.Token): void => {
    // At the first fault: a text may hold hundreds of thousands.
    if (token.type === 'error') throw new BodyMalformed(`${token.message} (${place(lines, token.offset)})`);
    tokens.push(token);
  };
  for (const lexeme of new Lexer().lex(text)) {
    if (++lexemes > MAX_LEXEMES) throw new BodyMalformed(`it has more than ${MAX_LEXEMES} words and signs; send it as JSON`);
    for (const token of parser.next(lexeme)) add(token);
    if (parser.stack.length > MAX_OPEN) throw tooDeep();
  }
  for (const token of parser.end()) add(token);
  return tokens;
}

interface Flaw {
  readonly message: string;
  readonly pos: readonly [number];
}

/** A key that is there twice, or more aliases than can be looked up in decent time. */
function flawOf(document: Document.Parsed): Flaw | null {
  let flaw: Flaw | null = null;
  let aliases = 0;
  visit(document, {
    Alias(_, alias) {
      if (++aliases <= MAX_ALIASES) return undefined;
      flaw = { message: `it has more than ${MAX_ALIASES} aliases`, pos: [alias.range?.[0] ?? 0] };
      return visit.BREAK;
    },
    Map(_, map) {
      const repeated = repeatedKey(map.items.map(({ key }) => key).filter(isScalar));
      if (!repeated) return undefined;
      flaw = { message: `the key ${JSON.stringify(repeated.value)} is there twice`, pos: [repeated.range?.[0] ?? 0] };
      return visit.BREAK;
    },
  });
  return flaw;
}

function repeatedKey(keys: readonly Scalar[]): Scalar | undefined {
  const seen = new Set<unknown>();
  return keys.find(({ value }) => seen.size === seen.add(value).size);
}

function place(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `line ${line}, column ${col}`;
}

const tooDeep = () => new BodyMalformed(`it is nested deeper than ${LIMITS.jsonDepth} levels`);

/** A copy in which nothing is shared, so that filling defaults into one place leaves the others alone. */
function copied(value: unknown, values: { left: number }, depth: number): unknown {
  if (--values.left < 0) throw new BodyMalformed(`it has more than ${MAX_VALUES} values`);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= LIMITS.jsonDepth) throw tooDeep();
  if (Array.isArray(value)) return value.map((item) => copied(item, values, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copied(member, values, depth + 1)]));
}
