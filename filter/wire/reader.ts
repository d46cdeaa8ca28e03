import { DEFAULTS, FIRST_PATTERN, Key, LIMITS } from "./contract.gen";
import { JsonDocument, NodeKind } from "./document";
import { HASH_START } from "./hash-table";
import { exactInteger } from "./integer";
import { parseJson } from "./json";
import { isName } from "./names";
import { Problems } from "./problem";
import { countOf, defaultInteger, defaultOf, itemOf, schemaOf, wordOf } from "./schema";

/** The document of all defaults; node 1 is an empty object, as which members without a default read. */
const defaults = readDefaults();
const NO_DEFAULT: i32 = 1;

/** An object of a document that its schema has accepted; members that are not there read as their defaults. */
export class Reader {
  constructor(
    public document: JsonDocument,
    public node: i32,
    private schema: i32,
  ) {}

  /** The member's value in the document, or -1. */
  at(key: Key): i32 {
    return this.document.member(this.node, key);
  }

  has(key: Key): bool {
    return this.at(key) >= 0;
  }

  /** `otherwise` is for a member that has no default. */
  integer(key: Key, otherwise: i64 = 0): i64 {
    const node = this.at(key);
    return node >= 0 ? integerAt(this.document, node) : defaultInteger(schemaOf(this.schema, key), otherwise);
  }

  flag(key: Key): bool {
    const node = this.at(key);
    return node >= 0 ? this.document.kind(node) == NodeKind.True : defaultOf(schemaOf(this.schema, key), 0) == 1;
  }

  /** Position of the member's word in its choice; 0 for a member that has no default. */
  choice(key: Key): i32 {
    const schema = schemaOf(this.schema, key);
    const node = this.at(key);
    return node < 0 ? defaultOf(schema, 0) : choiceAt(this.document, node, schema);
  }

  /** Empty for a member that has no default. */
  text(key: Key): string {
    const member = this.member(key);
    return member.document.kind(member.node) == NodeKind.Text ? member.document.string(member.node) : "";
  }

  /** Hash of a text that is there, going on from `hash`; of nothing otherwise. */
  hash(key: Key, hash: u64 = HASH_START): u64 {
    const node = this.at(key);
    return node >= 0 ? this.document.hash(node, hash) : hash;
  }

  /** Without members for a member that has no default. */
  object(key: Key): Reader {
    return this.member(key);
  }

  /** Empty for a member that has no default. */
  list(key: Key): Items {
    const list = this.member(key);
    return new Items(list.document, list.node, itemOf(list.schema));
  }

  /** Any member, or its default, or an empty object. */
  private member(key: Key): Reader {
    const schema = schemaOf(this.schema, key);
    const node = this.at(key);
    return node >= 0 ? new Reader(this.document, node, schema) : new Reader(defaults, defaultOf(schema, NO_DEFAULT), schema);
  }
}

/** The items of a list that its schema has accepted. */
export class Items {
  constructor(
    private document: JsonDocument,
    private list: i32,
    private schema: i32,
  ) {}

  get count(): i32 {
    return this.document.count(this.list);
  }

  /** First item, or -1. */
  first(): i32 {
    return this.document.first(this.list);
  }

  /** The item after an item, or -1. */
  next(item: i32): i32 {
    return this.document.next(item);
  }

  object(item: i32): Reader {
    return new Reader(this.document, item, this.schema);
  }

  integer(item: i32): i64 {
    return integerAt(this.document, item);
  }

  /** Position of an item's word in its choice. */
  choice(item: i32): i32 {
    return choiceAt(this.document, item, this.schema);
  }

  texts(): string[] {
    const texts: string[] = [];
    for (let item = this.first(); item >= 0; item = this.next(item)) texts.push(this.document.string(item));
    return texts;
  }
}

function choiceAt(document: JsonDocument, node: i32, schema: i32): i32 {
  let position = countOf(schema) - 1;
  while (position > 0 && !isName(wordOf(schema, position), document.text, document.start(node), document.end(node))) position--;
  return position;
}

function integerAt(document: JsonDocument, node: i32): i64 {
  return exactInteger(document.source, document.start(node), document.end(node));
}

function readDefaults(): JsonDocument {
  const text = Uint8Array.wrap(String.UTF8.encode(DEFAULTS));
  const document = parseJson(text, LIMITS.documentBytes, LIMITS.jsonDepth, new Problems());
  if (!document) return new JsonDocument(text, 0);
  for (let node = 0; node < document.size; node++) {
    if (document.kind(node) != NodeKind.Key) continue;
    for (let name = 0; name < FIRST_PATTERN; name++) {
      if (isName(name, document.text, document.start(node), document.end(node))) document.label(node, name);
    }
  }
  return document;
}
