import type { Dice } from './dice.ts';
import { spoilt } from './mutate.ts';

const MASK = (1n << 64n) - 1n;
/** Kinds of checked values lie below this (filter/proxy). */
const KINDS = 24n;

const rotl = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (64n - by))) & MASK;

function wordsOf(bytes: Buffer): bigint[] {
  return Array.from({ length: bytes.length >> 3 }, (_, i) => bytes.readBigUInt64LE(i * 8));
}

/** What filter/proxy/checked-words.ts writes before a value, for one kind of value. */
function checkOf(words: readonly bigint[], kind: bigint): bigint {
  let sum = 0x9e3779b97f4a7c15n ^ kind;
  for (let i = 1; i < words.length; i++) sum = (rotl(sum ^ words[i]!, 23n) * 0xff51afd7ed558ccdn) & MASK;
  return sum;
}

/** The kind under which a value checks; null: it is not a checked one. */
export function kindOf(bytes: Uint8Array): bigint | null {
  if (bytes.length < 16 || bytes.length > 1024 || (bytes.length & 7) !== 0) return null;
  const words = wordsOf(Buffer.from(bytes));
  for (let kind = 0n; kind < KINDS; kind++) if (checkOf(words, kind) === words[0]) return kind;
  return null;
}

const EDGES = [
  0n,
  1n,
  2n,
  MASK,
  1n << 63n,
  (1n << 63n) - 1n,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  10_000n,
  10_001n,
  3_600_000n,
  3_700_000n,
  // Negative, and positive once cut to 32 bits.
  0x8000_0000_0000_0100n,
];

/** A value as a foreign hand would leave it: noise, a spoilt one, or one whose words are others though it checks. */
export function forged(old: Uint8Array, dice: Dice): string {
  const bytes = Buffer.from(old);
  const kind = dice.chance(60) ? kindOf(bytes) : null;
  if (kind !== null) return forgedWords(bytes, kind, dice);
  if (dice.chance(40) && bytes.length >= 8) {
    // The first words say what follows.
    const words = bytes.length >> 3;
    bytes.writeBigUInt64LE(dice.pick(EDGES), 8 * dice.below(dice.chance(60) ? Math.min(words, 5) : words));
    return bytes.toString('latin1');
  }
  return dice.chance(15) ? dice.noise(400) : spoilt(bytes.toString('latin1'), dice);
}

function forgedWords(bytes: Buffer, kind: bigint, dice: Dice): string {
  for (let times = 1 + dice.few(3); times > 0; times--) {
    const at = 8 + 8 * dice.below((bytes.length >> 3) - 1);
    const near = BigInt.asUintN(64, bytes.readBigUInt64LE(at) + BigInt(dice.below(5) - 2));
    bytes.writeBigUInt64LE(dice.chance(40) ? near : dice.pick(EDGES), at);
  }
  bytes.writeBigUInt64LE(checkOf(wordsOf(bytes), kind), 0);
  return bytes.toString('latin1');
}
