import { Key, NAME_STARTS, NAMES } from "./contract.gen";
import { writeCodePoint } from "./utf8";

/** Writes JSON as UTF-8. The caller sees to it that names and values alternate and containers are closed. */
export class JsonWriter {
  private bytes: Uint8Array = new Uint8Array(1024);
  private used: i32 = 0;
  private needsComma: bool = false;

  /** What was written, without spare room. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.used);
  }

  openObject(): void {
    this.open(0x7b);
  }

  closeObject(): void {
    this.close(0x7d);
  }

  openList(): void {
    this.open(0x5b);
  }

  closeList(): void {
    this.close(0x5d);
  }

  /** Name of the member whose value comes next. */
  name(key: Key): void {
    const end = <i32>NAME_STARTS[key + 1] - 1;
    this.separate(64);
    this.bytes[this.used++] = 0x22;
    for (let i = <i32>NAME_STARTS[key]; i < end; i++) this.bytes[this.used++] = <u8>NAMES.charCodeAt(i);
    this.bytes[this.used++] = 0x22;
    this.bytes[this.used++] = 0x3a;
    this.needsComma = false;
  }

  /** A member that is a string. */
  textOf(key: Key, text: string): void {
    this.name(key);
    this.text(text);
  }

  /** A member that is an integer. */
  integerOf(key: Key, value: i64): void {
    this.name(key);
    this.integer(value);
  }

  /** A string; lone surrogates become U+FFFD. */
  text(text: string): void {
    this.separate(2);
    this.bytes[this.used++] = 0x22;
    for (let i = 0; i < text.length; i++) {
      const code = text.codePointAt(i);
      if (code > 0xffff) i++;
      this.room(7);
      this.character(code >= 0xd800 && code <= 0xdfff ? 0xfffd : code);
    }
    this.bytes[this.used++] = 0x22;
  }

  integer(value: i64): void {
    this.word(value.toString());
  }

  flag(value: bool): void {
    this.word(value ? "true" : "false");
  }

  private word(word: string): void {
    this.separate(word.length);
    for (let i = 0; i < word.length; i++) this.bytes[this.used++] = <u8>word.charCodeAt(i);
  }

  /** One character of a string, escaped where it must be; there is room for 6 bytes. */
  private character(code: i32): void {
    if (code == 0x22 || code == 0x5c) this.bytes[this.used++] = 0x5c;
    if (code >= 0x20) {
      this.used = writeCodePoint(this.bytes, this.used, code);
      return;
    }
    this.bytes[this.used++] = 0x5c;
    this.bytes[this.used++] = 0x75;
    for (let shift = 12; shift >= 0; shift -= 4) {
      const digit = (code >> shift) & 15;
      this.bytes[this.used++] = <u8>(digit < 10 ? 0x30 + digit : 0x57 + digit);
    }
  }

  private open(bracket: u8): void {
    this.separate(1);
    this.bytes[this.used++] = bracket;
    this.needsComma = false;
  }

  private close(bracket: u8): void {
    this.room(1);
    this.bytes[this.used++] = bracket;
    this.needsComma = true;
  }

  /** Separates a value from the one before, and makes room for it. */
  private separate(room: i32): void {
    this.room(room + 1);
    if (this.needsComma) this.bytes[this.used++] = 0x2c;
    this.needsComma = true;
  }

  private room(more: i32): void {
    if (this.used + more <= this.bytes.length) return;
    const larger = new Uint8Array(2 * this.bytes.length + more);
    larger.set(this.bytes);
    this.bytes = larger;
  }
}
