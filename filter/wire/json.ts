import { Reason } from "./contract.gen";
import { JsonDocument, NONE, NodeKind } from "./document";
import { JsonScanner } from "./json-scanner";
import { say } from "./names";
import { Problems } from "./problem";

/** Members that one object may have; the search for duplicate names is quadratic below this. */
const MAX_MEMBERS: i32 = 512;

/**
 * Parses JSON as RFC 8259 has it, and no more: no duplicate member names, no lone surrogates, no ill-formed UTF-8, at most `maxBytes`
 * and `maxDepth` nested containers. Any bytes are safe to give; null, and a problem, for those that are not JSON.
 */
export function parseJson(bytes: Uint8Array, maxBytes: i32, maxDepth: i32, problems: Problems): JsonDocument | null {
  if (bytes.length > maxBytes) {
    problems.add("", say(Reason.Bytes, maxBytes.toString(), bytes.length.toString(), ""));
    return null;
  }
  const parser = new JsonParser(bytes, maxDepth);
  if (parser.value(0) != NONE && parser.atEnd()) return parser.document;
  parser.tell(problems);
  return null;
}

class JsonParser {
  document: JsonDocument;
  private scanner: JsonScanner;
  /** Where the problem is; grows to the left while the recursion unwinds. */
  private path: string = "";

  constructor(
    bytes: Uint8Array,
    private maxDepth: i32,
  ) {
    const document = new JsonDocument(bytes, mostNodes(bytes));
    this.document = document;
    this.scanner = new JsonScanner(document);
  }

  tell(problems: Problems): void {
    const path = this.path.startsWith(".") ? this.path.substring(1) : this.path;
    problems.add(path, say(this.scanner.reason, this.scanner.at.toString(), "", ""));
  }

  atEnd(): bool {
    const isAtEnd = this.scanner.peek() < 0;
    if (!isAtEnd) this.fail(Reason.ExpectedEnd);
    return isAtEnd;
  }

  /** Parses the value that comes next, inside `depth` containers; NONE if it is not well-formed. */
  value(depth: i32): i32 {
    const scanner = this.scanner;
    switch (scanner.peek()) {
      case 0x7b: // {
        return depth < this.maxDepth ? this.object(depth) : this.tooDeep();
      case 0x5b: // [
        return depth < this.maxDepth ? this.list(depth) : this.tooDeep();
      case 0x22: // "
        return scanner.string(NodeKind.Text);
      case 0x74: // t
        return scanner.word("true", NodeKind.True);
      case 0x66: // f
        return scanner.word("false", NodeKind.False);
      case 0x6e: // n
        return scanner.word("null", NodeKind.Null);
      default:
        return scanner.number();
    }
  }

  private object(depth: i32): i32 {
    const scanner = this.scanner;
    const object = scanner.open(NodeKind.Object);
    if (object < 0) return NONE;
    let previous = NONE;
    if (scanner.take(0x7d)) return scanner.close(object);
    do {
      if (scanner.peek() != 0x22) return this.fail(Reason.ExpectedName);
      const key = scanner.string(NodeKind.Key);
      if (key < 0) return NONE;
      this.document.link(object, previous, key);
      previous = key;
      if (this.document.count(object) > MAX_MEMBERS) return this.failIn(key, Reason.TooManyMembers);
      if (!this.isNew(object, key)) return this.failIn(key, Reason.RepeatedMember);
      if (!scanner.take(0x3a)) return this.failIn(key, Reason.ExpectedColon);
      if (this.value(depth + 1) < 0) return this.inside(key);
    } while (scanner.take(0x2c));
    return scanner.take(0x7d) ? scanner.close(object) : this.fail(Reason.ExpectedMember);
  }

  private list(depth: i32): i32 {
    const scanner = this.scanner;
    const list = scanner.open(NodeKind.List);
    if (list < 0) return NONE;
    let previous = NONE;
    if (scanner.take(0x5d)) return scanner.close(list);
    do {
      const item = this.value(depth + 1);
      if (item < 0) {
        const index = this.document.count(list);
        this.path = "[" + index.toString() + "]" + this.path;
        return NONE;
      }
      this.document.link(list, previous, item);
      previous = item;
    } while (scanner.take(0x2c));
    return scanner.take(0x5d) ? scanner.close(list) : this.fail(Reason.ExpectedItem);
  }

  /** Whether no earlier member of the object has the name of its last one. */
  private isNew(object: i32, last: i32): bool {
    const document = this.document;
    document.label(last, <i32>document.hash(last) | i32.MIN_VALUE >> 3); // negative: no name's label
    const hash = document.labelOf(last);
    for (let key = document.first(object); key != last && key >= 0; key = document.next(key)) {
      if (document.labelOf(key) == hash && document.sameText(key, last)) return false;
    }
    return true;
  }

  private tooDeep(): i32 {
    return this.fail(Reason.NestedTooDeep);
  }

  private fail(reason: Reason): i32 {
    this.scanner.fail(reason);
    return NONE;
  }

  private failIn(key: i32, reason: Reason): i32 {
    this.fail(reason);
    return this.inside(key);
  }

  private inside(key: i32): i32 {
    this.path = "." + this.document.excerpt(key, 64) + this.path;
    return NONE;
  }
}

/** How many nodes the document has at most: each bracket, comma and colon outside strings is followed by one. */
function mostNodes(bytes: Uint8Array): i32 {
  let nodes = 1;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte == 0x22) inString = !inString;
    else if (inString) i += byte == 0x5c ? 1 : 0;
    else if (byte == 0x2c || byte == 0x3a || byte == 0x5b || byte == 0x7b) nodes++;
  }
  return nodes;
}
