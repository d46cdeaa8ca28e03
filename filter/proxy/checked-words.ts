import { createWords, MISSING, readWordCount, readWords, writeWords } from "../abi/shared-data";

/**
 * A value of 64-bit words in shared data with a check word, since shared data can be written by a foreign hand and by another
 * version of this module: what does not check counts as missing, and the next write replaces it.
 */
export class CheckedWords {
  /** [0] is the check word, the rest is the owner's. */
  readonly words: StaticArray<i64>;
  private cas: u32 = MISSING;

  constructor(
    private readonly key: ArrayBuffer,
    /** Tells kinds and layouts of values apart. */
    private readonly kind: i64,
    length: i32,
  ) {
    this.words = new StaticArray<i64>(length + 1);
  }

  /** Reads the value and remembers its cas for `write`. False: missing or not ours; `words` is then undefined. */
  read(): bool {
    this.cas = readWords(this.key, this.words);
    return this.cas != MISSING && readWordCount() == this.words.length && this.words[0] == this.check();
  }

  /** Writes the value if nobody has since `read`. */
  write(): bool {
    this.words[0] = this.check();
    if (this.cas == MISSING) return createWords(this.key, this.words, this.words.length);
    return writeWords(this.key, this.words, this.words.length, this.cas);
  }

  private check(): i64 {
    let sum: u64 = 0x9e3779b97f4a7c15 ^ <u64>this.kind;
    for (let i = 1; i < this.words.length; i++) sum = rotl(sum ^ <u64>unchecked(this.words[i]), 23) * 0xff51afd7ed558ccd;
    return <i64>sum;
  }
}
