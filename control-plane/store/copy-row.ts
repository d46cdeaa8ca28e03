import type { SharedCopy } from './store.ts';

/** First byte of a row; a row of another layout is a miss. */
const LAYOUT = 1;
/** layout, checksum, storedAtMs, expiresAtMs */
const HEAD_BYTES = 1 + 4 + 8 + 8;
/** What a copy takes beside its bytes: its keys and rows of index. */
export const ROW_BYTES = 256;

export function encodeCopy({ bytes, checksum, storedAtMs, expiresAtMs }: SharedCopy): Buffer {
  const row = Buffer.allocUnsafe(HEAD_BYTES + bytes.length);
  row.writeUInt8(LAYOUT, 0);
  row.writeUInt32LE(checksum, 1);
  row.writeDoubleLE(storedAtMs, 5);
  row.writeDoubleLE(expiresAtMs, 13);
  row.set(bytes, HEAD_BYTES);
  return row;
}

export function decodeCopy(row: Buffer | null | undefined): SharedCopy | null {
  if (row == null || row.length < HEAD_BYTES || row.readUInt8(0) !== LAYOUT) return null;
  return {
    bytes: row.subarray(HEAD_BYTES),
    checksum: row.readUInt32LE(1),
    storedAtMs: row.readDoubleLE(5),
    expiresAtMs: row.readDoubleLE(13),
  };
}
