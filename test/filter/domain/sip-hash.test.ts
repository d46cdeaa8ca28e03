import type { ASUtil } from '@assemblyscript/loader';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { loadFilter } from '../compile.ts';
import { withStrings } from './strings.ts';

interface HashExports {
  hashOf(text: number, start: number, end: number, k0: bigint, k1: bigint): bigint;
}

let filter: ASUtil & HashExports;

beforeAll(async () => {
  filter = await loadFilter<HashExports>('domain-cache-key');
});

function hash(bytes: number[], k0: bigint, k1: bigint, start = 0, end = bytes.length): bigint {
  const result = withStrings(filter, (put) =>
    filter.hashOf(put(String.fromCharCode(...bytes)), start, end, BigInt.asIntN(64, k0), BigInt.asIntN(64, k1)),
  );
  return BigInt.asUintN(64, result);
}

const K0 = 0x0706050403020100n;
const K1 = 0x0f0e0d0c0b0a0908n;

// From the reference implementation's vectors: key 00 01 .. 0f, input 00 01 .. of the given length. Length 15 is the example of the paper.
test.for([
  { length: 0, expected: 0x726fdb47dd0e0e31n },
  { length: 1, expected: 0x74f839c593dc67fdn },
  { length: 2, expected: 0x0d6c8009d9a94f5an },
  { length: 7, expected: 0xab0200f58b01d137n },
  { length: 8, expected: 0x93f5f5799a932462n },
  { length: 15, expected: 0xa129ca6149be45e5n },
])('the vector of length $length', ({ length, expected }) => {
  expect(hash([...Array(length).keys()], K0, K1)).toBe(expected);
});

const mask = (value: bigint) => BigInt.asUintN(64, value);
const rotate = (value: bigint, by: bigint) => mask((value << by) | (mask(value) >> (64n - by)));

/** SipHash-2-4 written from the paper, with big integers. */
function reference(bytes: number[], k0: bigint, k1: bigint): bigint {
  let [v0, v1, v2, v3] = [k0 ^ 0x736f6d6570736575n, k1 ^ 0x646f72616e646f6dn, k0 ^ 0x6c7967656e657261n, k1 ^ 0x7465646279746573n];
  const rounds = (count: number) => {
    for (let i = 0; i < count; i++) {
      v0 = mask(v0 + v1);
      v2 = mask(v2 + v3);
      v1 = rotate(v1, 13n) ^ v0;
      v3 = rotate(v3, 16n) ^ v2;
      v0 = rotate(v0, 32n);
      v2 = mask(v2 + v1);
      v0 = mask(v0 + v3);
      v1 = rotate(v1, 17n) ^ v2;
      v3 = rotate(v3, 21n) ^ v0;
      v2 = rotate(v2, 32n);
    }
  };
  const padded = [...bytes, ...Array(7 - (bytes.length % 8)).fill(0), bytes.length & 0xff];
  for (let at = 0; at < padded.length; at += 8) {
    const word = padded.slice(at, at + 8).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
    v3 ^= word;
    rounds(2);
    v0 ^= word;
  }
  v2 ^= 0xffn;
  rounds(4);
  return v0 ^ v1 ^ v2 ^ v3;
}

test('law: equal to the reference for any bytes, any key and any place in the buffer', () => {
  const word = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  fc.assert(
    fc.property(fc.array(fc.nat(255), { maxLength: 300 }), word, word, fc.nat(8), fc.nat(8), (bytes, k0, k1, before, after) => {
      const buffer = [...Array(before).fill(7), ...bytes, ...Array(after).fill(9)];
      expect(hash(buffer, k0, k1, before, before + bytes.length)).toBe(reference(bytes, k0, k1));
    }),
  );
});
