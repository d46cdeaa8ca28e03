import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Marks our secrets for people and for scanners that look for leaked ones. */
export const PREFIX = 'rekindle_';
const SECRET_BYTES = 32;
const ID_LENGTH = 12;

export function newSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
}

/** What is kept of a secret. It has 256 bits of chance, so a plain hash cannot be turned back by trying. */
export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** Names a token in lists, logs and addresses. */
export function idOf(hash: string): string {
  return hash.slice(0, ID_LENGTH);
}

/** Compares two hashes in a time that does not tell how much of them agrees. */
export function isSame(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a, 'hex'), Buffer.from(b, 'hex'));
}
