import type { ASUtil } from '@assemblyscript/loader';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { loadFilter } from '../compile.ts';

interface HashExports {
  hashOf(bytes: number): bigint;
  readonly Uint8Array_ID: { readonly value: number };
}

let filter: ASUtil & HashExports;
beforeAll(async () => {
  filter = await loadFilter<HashExports>('abi-content-hash');
});

const hashOf = (bytes: Uint8Array): bigint => filter.hashOf(filter.__newArray(filter.Uint8Array_ID.value, bytes));

test('one changed byte, wherever it stands, is another content', () => {
  const anyContent = fc
    .uint8Array({ minLength: 1, maxLength: 100, size: 'max' })
    .chain((bytes) => fc.record({ bytes: fc.constant(bytes), at: fc.nat(bytes.length - 1), change: fc.integer({ min: 1, max: 255 }) }));
  fc.assert(
    fc.property(anyContent, ({ bytes, at, change }) => {
      const other = bytes.slice();
      other[at] = (other[at] ?? 0) ^ change;
      expect(hashOf(other)).not.toBe(hashOf(bytes));
    }),
  );
});

test('so is the same content in another order or length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), (bytes) => {
      const words = Array.from({ length: 8 }, (_, word) => bytes.slice(8 * word, 8 * word + 8));
      fc.pre(words[0]?.some((byte, at) => byte !== words[1]?.[at]) === true);
      const swapped = Uint8Array.from([words[1], words[0], ...words.slice(2)].flatMap((word) => [...(word ?? [])]));
      expect(hashOf(swapped)).not.toBe(hashOf(bytes));
      expect(hashOf(Uint8Array.from([...bytes, 0]))).not.toBe(hashOf(bytes));
    }),
  );
});
