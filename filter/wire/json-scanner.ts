import { Reason } from "./contract.gen";
import { JsonDocument, NONE, NodeKind } from "./document";
import { sequenceLength, writeCodePoint } from "./utf8";

const QUOTE: i32 = 0x22;
const BACKSLASH: i32 = 0x5c;

/** Reads the tokens of a JSON text into the nodes of a document. */
export class JsonScanner {
  at: i32 = 0;
  /** What was wrong at `at`. */
  reason: Reason = Reason.ExpectedValue;
  private source: Uint8Array;

  constructor(private document: JsonDocument) {
    this.source = document.source;
  }

  /** The byte that comes next, after white space; -1 at the end. */
  peek(): i32 {
    const source = this.source;
    for (; this.at < source.length; this.at++) {
      const byte = source[this.at];
      if (byte != 0x20 && byte != 0x0a && byte != 0x0d && byte != 0x09) return byte;
    }
    return -1;
  }

  /** Consumes `byte` if it comes next. */
  take(byte: i32): bool {
    if (this.peek() != byte) return false;
    this.at++;
    return true;
  }

  fail(reason: Reason): i32 {
    this.reason = reason;
    return NONE;
  }

  open(kind: NodeKind): i32 {
    return this.document.add(kind, this.at++);
  }

  close(node: i32): i32 {
    return this.document.close(node, this.at);
  }

  word(word: string, kind: NodeKind): i32 {
    const start = this.at;
    for (let i = 0; i < word.length; i++) if (this.byteAt(start + i) != word.charCodeAt(i)) return this.fail(Reason.ExpectedValue);
    this.at = start + word.length;
    return this.close(this.document.add(kind, start));
  }

  /** `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?` */
  number(): i32 {
    const start = this.at;
    if (this.byteAt(this.at) == 0x2d) this.at++;
    if (this.byteAt(this.at) == 0x30) this.at++;
    else if (!this.digits()) return this.fail(Reason.ExpectedValue);
    if (this.byteAt(this.at) == 0x2e) {
      this.at++;
      if (!this.digits()) return this.fail(Reason.ExpectedValue);
    }
    if ((this.byteAt(this.at) | 0x20) == 0x65) {
      this.at++;
      if (this.byteAt(this.at) == 0x2b || this.byteAt(this.at) == 0x2d) this.at++;
      if (!this.digits()) return this.fail(Reason.ExpectedValue);
    }
    return this.close(this.document.add(NodeKind.Number, start));
  }

  private digits(): bool {
    const start = this.at;
    while (isDigit(this.byteAt(this.at))) this.at++;
    return this.at > start;
  }

  /** A string from its opening quote on. From the first escape on it is resolved in place, in the document's own copy of the text. */
  string(kind: NodeKind): i32 {
    const node = this.document.add(kind, ++this.at);
    let to = this.at;
    while (true) {
      const byte = this.byteAt(this.at);
      if (byte == QUOTE) {
        this.at++;
        return this.document.close(node, to);
      }
      if (byte == BACKSLASH) {
        const code = this.escape();
        if (code < 0) return this.fail(Reason.IllFormedString);
        to = writeCodePoint(this.document.ownText(), to, code);
        continue;
      }
      const length = byte < 0x20 ? 0 : byte < 0x80 ? 1 : sequenceLength(this.source, this.at);
      if (length == 0) return this.fail(Reason.IllFormedString); // a control character, the end, or ill-formed UTF-8
      const isMoved = to < this.at;
      for (let i = 0; i < length; i++, to++, this.at++) if (isMoved) this.document.text[to] = this.source[this.at];
    }
  }

  /** The code point of the escape at hand, two escapes for a pair of surrogates; negative if it is none. */
  private escape(): i32 {
    const letter = this.byteAt(this.at + 1);
    if (letter == 0x75) return this.unicode(); // u
    this.at += 2;
    switch (letter) {
      case QUOTE:
      case BACKSLASH:
      case 0x2f: // /
        return letter;
      case 0x62: // b
        return 0x08;
      case 0x66: // f
        return 0x0c;
      case 0x6e: // n
        return 0x0a;
      case 0x72: // r
        return 0x0d;
      case 0x74: // t
        return 0x09;
      default:
        return NONE;
    }
  }

  private unicode(): i32 {
    const code = this.unit();
    if (code < 0xd800 || code > 0xdfff) return code;
    const low = code < 0xdc00 ? this.unit() : NONE;
    return low >= 0xdc00 && low <= 0xdfff ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00) : NONE;
  }

  /** The UTF-16 unit of the `\\u` escape at hand; negative if it is none. */
  private unit(): i32 {
    if (this.byteAt(this.at) != BACKSLASH || this.byteAt(this.at + 1) != 0x75) return NONE;
    this.at += 2;
    let code = 0;
    for (let i = 0; i < 4; i++) {
      const byte = this.byteAt(this.at);
      const letter = byte | 0x20;
      if (isDigit(byte)) code = (code << 4) | (byte - 0x30);
      else if (letter >= 0x61 && letter <= 0x66) code = (code << 4) | (letter - 0x57);
      else return NONE;
      this.at++;
    }
    return code;
  }

  private byteAt(at: i32): i32 {
    return at < this.source.length ? <i32>this.source[at] : -1;
  }
}

function isDigit(byte: i32): bool {
  return byte >= 0x30 && byte <= 0x39;
}
