import { Composer, type CST, type Document, isScalar, Lexer, LineCounter, Parser, type Scalar, visit } from 'yaml';
import { LIMITS } from './limits.ts';

/** Values in one document, what an alias stands for counted each time: a small text of nested aliases must not become gigabytes. */
const MAX_VALUES = 200_000;
/** Each alias is looked up by a walk over the whole document. */
const MAX_ALIASES = 1000;
/** Words, signs and blanks of a text: reading one takes some microseconds, so that more of them would hold up everybody else. */
const MAX_LEXEMES = 250_000;
/** Open collections of the parser. A text of 100,000 opening brackets ends the whole process in the composer, which recurses. */
const MAX_OPEN = 4 * LIMITS.jsonDepth;

/** What is wrong with a text; line and column count from 1. */
export interface YamlFlaw {
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

export interface YamlText {
  readonly documents: readonly Document.Parsed[];
  readonly lines: LineCounter;
  readonly flaws: readonly YamlFlaw[];
}

/** A text or document that is more than can be read in decent time. */
export class YamlTooMuch extends Error {}

class Fault extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Reads YAML 1.2 (and so JSON) up to documents that know their places. Throws YamlTooMuch, nothing else. */
export function composeYaml(text: string): YamlText {
  const lines = new LineCounter();
  const located = ({ message, offset }: { message: string; offset: number }): YamlFlaw => {
    const { line, col } = lines.linePos(offset);
    return { message, line, column: col };
  };
  try {
    // Its own check for repeated keys takes seconds for a map of some ten thousand.
    const composer = new Composer({ logLevel: 'silent', stringKeys: true, uniqueKeys: false });
    const documents = [...composer.compose(tokensOf(text, lines), true, text.length)] as Document.Parsed[];
    const flaws = documents.flatMap((document) => [
      ...document.errors.map(({ message, pos }) => ({ message, offset: pos[0] })),
      ...flawsOf(document),
    ]);
    return { documents, lines, flaws: flaws.map(located) };
  } catch (error) {
    if (error instanceof Fault) return { documents: [], lines, flaws: [located(error)] };
    throw error instanceof YamlTooMuch ? error : new YamlTooMuch((error as Error).message);
  }
}

/** The values of a sound document, of at most so many levels. Nothing in them is shared, so that filling defaults into one place leaves the others alone. */
export function plainValue(document: Document, depth: number = LIMITS.jsonDepth): unknown {
  try {
    return copied(document.toJS({ maxAliasCount: -1 }), { left: MAX_VALUES }, depth);
  } catch (error) {
    throw error instanceof YamlTooMuch ? error : new YamlTooMuch((error as Error).message);
  }
}

function tokensOf(text: string, lines: LineCounter): CST.Token[] {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  const tokens: CST.Token[] = [];
  let lexemes = 0;
  const add = (token: CST.Token): void => {
    // At the first fault: a text may hold hundreds of thousands.
    if (token.type === 'error') throw new Fault(token.message, token.offset);
    tokens.push(token);
  };
  for (const lexeme of new Lexer().lex(text)) {
    if (++lexemes > MAX_LEXEMES) throw new YamlTooMuch(`it has more than ${MAX_LEXEMES} words and signs; send it as JSON`);
    for (const token of parser.next(lexeme)) add(token);
    if (parser.stack.length > MAX_OPEN) throw tooDeep();
  }
  for (const token of parser.end()) add(token);
  return tokens;
}

/** Keys that are there twice, aliases of nothing, and more of them than can be looked up in decent time. */
function flawsOf(document: Document.Parsed): { message: string; offset: number }[] {
  const flaws: { message: string; offset: number }[] = [];
  const anchors = new Set<string | undefined>();
  let aliases = 0;
  visit(document, {
    Value: (_, { anchor }) => void anchors.add(anchor),
    Alias(_, alias) {
      if (!anchors.has(alias.source))
        flaws.push({ message: `no anchor before it is named ${alias.source}`, offset: alias.range?.[0] ?? 0 });
      if (++aliases <= MAX_ALIASES) return undefined;
      flaws.push({ message: `it has more than ${MAX_ALIASES} aliases`, offset: alias.range?.[0] ?? 0 });
      return visit.BREAK;
    },
    Map(_, map) {
      anchors.add(map.anchor);
      for (const { value, range } of repeatedKeys(map.items.map(({ key }) => key).filter(isScalar)))
        flaws.push({ message: `the key ${JSON.stringify(value)} is there twice`, offset: range?.[0] ?? 0 });
    },
  });
  return flaws;
}

function repeatedKeys(keys: readonly Scalar[]): Scalar[] {
  const seen = new Set<unknown>();
  return keys.filter(({ value }) => seen.size === seen.add(value).size);
}

const tooDeep = () => new YamlTooMuch(`it is nested deeper than ${LIMITS.jsonDepth} levels`);

function copied(value: unknown, values: { left: number }, levels: number): unknown {
  if (--values.left < 0) throw new YamlTooMuch(`it has more than ${MAX_VALUES} values`);
  if (typeof value !== 'object' || value === null) return value;
  if (levels === 0) throw tooDeep();
  if (Array.isArray(value)) return value.map((item) => copied(item, values, levels - 1));
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copied(member, values, levels - 1)]));
}
