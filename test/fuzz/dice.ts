import { Random } from '../filter/host/random.ts';

/** Draws; the same seed draws the same. */
export class Dice extends Random {
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  /** Between 0 and `most`, small ones more often. */
  few(most: number): number {
    return this.below(this.below(most + 1) + 1);
  }

  /** Printable characters that JSON needs not escape. */
  word(most: number): string {
    let text = '';
    for (let left = this.few(most); left > 0; left--) text += String.fromCharCode(35 + this.below(57));
    return text;
  }

  /** Any bytes, as a string of one character each. */
  noise(most: number): string {
    let text = '';
    for (let left = this.few(most); left > 0; left--) text += String.fromCharCode(this.below(256));
    return text;
  }

  /** Numbers around which arithmetic goes wrong. */
  number(): number {
    const edges = [0, 1, -1, 2, 3, 7, 8, 63, 64, 255, 256, 1023, 1024, 65_535, 65_536, 1_048_576, 2 ** 31 - 1, -(2 ** 31), 2 ** 32 - 1];
    return this.chance(70) ? this.pick(edges) : this.next() >> this.below(32);
  }
}
