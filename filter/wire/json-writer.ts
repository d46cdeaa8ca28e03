import { Key, NAME_STARTS, NAMES } from "./contract.gen";

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
    const end = <i32>NAME_STARTS[key + 1];
    this.separate(64);
    this.bytes[this.used++] = 0x22;
    for (let i = <i32>NAME_STARTS[key]; i < end; i++) this.bytes[this.used++] = NAMES[i];
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
    const utf8 = Uint8Array.wrap(String.UTF8.encode(text, false, String.UTF8.ErrorMode.REPLACE));
    this.separate(6 * utf8.length + 2);
    this.bytes[this.used++] = 0x22;
    for (let i = 0; i < utf8.length; i++) this.character(utf8[i]);
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
    this.ascii(word);
  }

  private ascii(text: string): void {
    for (let i = 0; i < text.length; i++) this.bytes[this.used++] = <u8>text.charCodeAt(i);
  }

  /** One byte of a string, escaped where it must be. */
  private character(byte: u8): void {
    if (byte < 0x20) {
      this.ascii("\\u00");
      this.bytes[this.used++] = 0x30 + (byte >> 4);
      byte = byte & 15;
      byte += byte < 10 ? 0x30 : 0x57;
    } else if (byte == 0x22 || byte == 0x5c) {
      this.bytes[this.used++] = 0x5c;
    }
    this.bytes[this.used++] = byte;
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
