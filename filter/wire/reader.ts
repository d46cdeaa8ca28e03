import { DEFAULTS, Key, LIMITS } from "./contract.gen";
import { JsonDocument, NodeKind } from "./document";
import { HASH_START } from "./hash-table";
import { exactInteger } from "./integer";
import { parseJson } from "./json";
import { isName } from "./names";
import { Problems } from "./problem";
import { countOf, defaultInteger, defaultPlace, defaultPosition, itemOf, memberSchema, positionOf, wordOf } from "./schema";
import { Validator } from "./validator";

/** Defaults read so far, in the order of DEFAULTS, and an empty object: documents do not change, so all readers share them. */
const presets = new StaticArray<JsonDocument | null>(DEFAULTS.length);
const nothing = new JsonDocument(new Uint8Array(0), 1);
nothing.add(NodeKind.Object, 0);

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
    return node >= 0 ? integerAt(this.document, node) : defaultInteger(this.schemaOf(key), otherwise);
  }

  flag(key: Key): bool {
    const node = this.at(key);
    return node >= 0 ? this.document.kind(node) == NodeKind.True : defaultPosition(this.schemaOf(key), 0) == 1;
  }

  /** Position of the member's word in its choice; `otherwise` is for a member that has no default. */
  choice(key: Key, otherwise: i32 = 0): i32 {
    const schema = this.schemaOf(key);
    const node = this.at(key);
    if (node < 0) return defaultPosition(schema, otherwise);
    for (let i = 0; i < countOf(schema); i++) {
      if (isName(wordOf(schema, i), this.document.text, this.document.start(node), this.document.end(node))) return i;
    }
    return otherwise;
  }

  /** Empty for a member that has no default. */
  text(key: Key): string {
    const node = this.at(key);
    if (node >= 0) return this.document.string(node);
    const preset = presetOf(this.schemaOf(key));
    return preset.kind(0) == NodeKind.Text ? preset.string(0) : "";
  }

  /** Hash of a text that is there, going on from `hash`; of nothing otherwise. */
  hash(key: Key, hash: u64 = HASH_START): u64 {
    const node = this.at(key);
    return node >= 0 ? this.document.hash(node, hash) : hash;
  }

  /** Without members for a member that has no default. */
  object(key: Key): Reader {
    const schema = this.schemaOf(key);
    const node = this.at(key);
    return node >= 0 ? new Reader(this.document, node, schema) : new Reader(presetOf(schema), 0, schema);
  }

  /** Empty for a member that has no default. */
  list(key: Key): Items {
    const schema = this.schemaOf(key);
    const node = this.at(key);
    return node >= 0 ? new Items(this.document, node, itemOf(schema)) : new Items(presetOf(schema), 0, itemOf(schema));
  }

  private schemaOf(key: Key): i32 {
    return memberSchema(this.schema, positionOf(this.schema, key));
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

  texts(): string[] {
    const texts: string[] = [];
    for (let item = this.first(); item >= 0; item = this.next(item)) texts.push(this.document.string(item));
    return texts;
  }
}

function integerAt(document: JsonDocument, node: i32): i64 {
  return exactInteger(document.source, document.start(node), document.end(node));
}

/** The default of a text, list or object as a document; an empty object when it has none. */
function presetOf(schema: i32): JsonDocument {
  const place = defaultPlace(schema);
  if (place < 0) return nothing;
  const known = presets[place];
  if (known) return known;
  const json = Uint8Array.wrap(String.UTF8.encode(DEFAULTS[place]));
  const document = parseJson(json, LIMITS.documentBytes, LIMITS.jsonDepth).document;
  if (!document) return nothing;
  new Validator(document, true, new Problems()).check(0, schema);
  presets[place] = document;
  return document;
}
