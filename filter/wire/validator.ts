import { FIRST_PATTERN, Key, LIMITS, Pattern, Reason, SchemaKind } from "./contract.gen";
import { JsonDocument, NodeKind } from "./document";
import { exactInteger, NOT_AN_INTEGER } from "./integer";
import { isName, nameText, say } from "./names";
import { matches } from "./patterns";
import { Problems } from "./problem";
import { countOf, isRequired, itemOf, kindOf, maximumOf, memberName, memberSchema, minimumOf, patternOf, wordOf } from "./schema";
import { codePoints } from "./utf8";

/** Bytes of a refused value that a problem quotes. */
const EXCERPT: i32 = 40;

/**
 * Holds a document against a schema: notes all problems, and labels the members that the schema knows, for the reader. Unknown
 * members are problems only when `isStrict`; else they are passed over, so that an older filter survives a newer control plane.
 */
export class Validator {
  /** From the root to the value at hand: keys as nodes, items as the complement of their index. */
  private trail: StaticArray<i32> = new StaticArray<i32>(LIMITS.jsonDepth + 1);
  private depth: i32 = 0;

  constructor(
    private document: JsonDocument,
    private isStrict: bool,
    private problems: Problems,
  ) {}

  check(node: i32, schema: i32): void {
    if (this.problems.isFull) return;
    switch (kindOf(schema)) {
      case SchemaKind.Boolean: {
        const kind = this.document.kind(node);
        if (kind != NodeKind.True && kind != NodeKind.False) this.refuse(node, Reason.Boolean, "", "");
        return;
      }
      case SchemaKind.Integer:
        return this.integer(node, schema);
      case SchemaKind.Text:
        return this.text(node, schema);
      case SchemaKind.Choice:
        return this.choice(node, schema);
      case SchemaKind.List:
        return this.list(node, schema);
      case SchemaKind.Record:
        return this.record(node, schema);
      default: // Object
        return this.object(node, schema);
    }
  }

  private integer(node: i32, schema: i32): void {
    const document = this.document;
    const least = minimumOf(schema, -LIMITS.safeInteger);
    const most = maximumOf(schema, LIMITS.safeInteger);
    if (document.kind(node) == NodeKind.Number) {
      const value = exactInteger(document.source, document.start(node), document.end(node));
      if (value != NOT_AN_INTEGER && value >= least && value <= most) return;
    }
    this.refuse(node, Reason.Integer, least.toString(), most.toString());
  }

  private text(node: i32, schema: i32): void {
    const document = this.document;
    if (document.kind(node) != NodeKind.Text) return this.refuse(node, Reason.Text, "", "");
    const start = document.start(node);
    const end = document.end(node);
    this.size(codePoints(document.text, start, end), schema, Reason.Characters);
    const pattern = patternOf(schema);
    if (!matches(pattern, document.text, start, end)) this.refuse(node, Reason.Like, patternText(pattern), "");
  }

  private choice(node: i32, schema: i32): void {
    const isText = this.document.kind(node) == NodeKind.Text;
    const count = countOf(schema);
    for (let i = 0; i < count; i++) if (isText && this.is(node, wordOf(schema, i))) return;
    let words = nameText(wordOf(schema, 0));
    for (let i = 1; i < count; i++) words += ", " + nameText(wordOf(schema, i));
    this.refuse(node, Reason.OneOf, words, "");
  }

  private list(node: i32, schema: i32): void {
    const document = this.document;
    if (document.kind(node) != NodeKind.List) return this.refuse(node, Reason.List, "", "");
    this.size(document.count(node), schema, Reason.Items);
    const itemSchema = itemOf(schema);
    let index = 0;
    for (let item = document.first(node); item >= 0; item = document.next(item)) {
      this.enter(~index++);
      this.check(item, itemSchema);
      this.depth--;
    }
  }

  private record(node: i32, schema: i32): void {
    const document = this.document;
    if (document.kind(node) != NodeKind.Object) return this.refuse(node, Reason.Object, "", "");
    this.size(document.count(node), schema, Reason.Members);
    const pattern = patternOf(schema);
    const valueSchema = itemOf(schema);
    for (let key = document.first(node); key >= 0; key = document.next(key)) {
      this.enter(key);
      if (matches(pattern, document.text, document.start(key), document.end(key))) this.check(key + 1, valueSchema);
      else this.add(say(Reason.NameLike, patternText(pattern), "", ""));
      this.depth--;
    }
  }

  private object(node: i32, schema: i32): void {
    const document = this.document;
    if (document.kind(node) != NodeKind.Object) return this.refuse(node, Reason.Object, "", "");
    let seen: u64 = 0;
    let known = 0;
    for (let key = document.first(node); key >= 0; key = document.next(key)) {
      const position = this.find(schema, key, known);
      if (position < 0 && !this.isStrict) continue;
      this.enter(key);
      if (position >= 0) {
        seen |= (<u64>1) << position;
        known++;
        document.label(key, memberName(schema, position));
        this.check(key + 1, memberSchema(schema, position));
      } else {
        this.add(nameText(Reason.Unknown));
      }
      this.depth--;
    }
    this.missing(schema, seen);
    // Members that an older filter does not know count as some, but never as too many.
    const count = document.count(node);
    if (this.isStrict || count == 0 || known > maximumOf(schema, i32.MAX_VALUE)) this.size(count, schema, Reason.Members);
  }

  private missing(schema: i32, seen: u64): void {
    for (let i = 0; i < countOf(schema); i++) {
      if (!isRequired(schema, i) || (seen >> i) & 1) continue;
      const path = this.path();
      this.problems.add((path.length > 0 ? path + "." : "") + nameText(memberName(schema, i)), nameText(Reason.Required));
    }
  }

  /** Position of the member that a key names, or -1; looks from `from` on first, since documents follow the declared order. */
  private find(schema: i32, key: i32, from: i32): i32 {
    const count = countOf(schema);
    for (let i = 0; i < count; i++) {
      const position = from + i < count ? from + i : from + i - count;
      if (this.is(key, memberName(schema, position))) return position;
    }
    return -1;
  }

  private is(node: i32, name: i32): bool {
    return isName(name, this.document.text, this.document.start(node), this.document.end(node));
  }

  private size(size: i32, schema: i32, reason: Reason): void {
    const least = minimumOf(schema, 0);
    const most = maximumOf(schema, i32.MAX_VALUE);
    if (size >= least && size <= most) return;
    if (most == 1) this.add(say(Reason.OneMember, size.toString(), "", ""));
    else this.add(say(reason, least.toString(), most.toString(), size.toString()));
  }

  /** Notes that a value is not what it must be. The values of the reason are `a` and `b`, unless empty, and what was got. */
  private refuse(node: i32, reason: Reason, a: string, b: string): void {
    const excerpt = this.isSecret() ? "***" : this.document.excerpt(node, EXCERPT);
    const got = this.document.kind(node) == NodeKind.Text ? '"' + excerpt + '"' : excerpt;
    this.add(say(reason, a.length > 0 ? a : got, b.length > 0 ? b : got, got));
  }

  /** A token is not quoted: problems go to Envoy's log. */
  private isSecret(): bool {
    const step = this.depth > 0 ? this.trail[this.depth - 1] : -1;
    return step >= 0 && this.is(step, Key.Token);
  }

  private enter(step: i32): void {
    this.trail[this.depth++] = step;
  }

  private add(reason: string): void {
    this.problems.add(this.path(), reason);
  }

  private path(): string {
    let path = "";
    for (let i = 0; i < this.depth; i++) {
      const step = this.trail[i];
      if (step < 0) path += "[" + (~step).toString() + "]";
      else path += (i > 0 ? "." : "") + this.document.excerpt(step, 2 * EXCERPT);
    }
    return path;
  }
}

function patternText(pattern: Pattern): string {
  return nameText(FIRST_PATTERN + pattern - 1);
}
