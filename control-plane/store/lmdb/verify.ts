import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StoreUnusable } from '../store.ts';

const READER = fileURLToPath(new URL('./read-all.js', import.meta.url));
/** Exit code of a reader that already says what to do. */
export const UNUSABLE = 3;
const WITHIN_MS = 120_000;

/**
 * Reads the whole store of this folder in a process of its own, because lmdb ends the process with a signal where pages of its file are
 * damaged. Throws StoreUnusable with what to do about it. A folder without a file passes.
 */
export function verifyStore(folder: string): void {
  if (!existsSync(join(folder, 'data.mdb'))) return;
  const { status, signal, stderr, error } = spawnSync(process.execPath, [READER, folder], { encoding: 'utf8', timeout: WITHIN_MS });
  if (error) throw new StoreUnusable(`the store in ${folder} could not be checked: ${error.message}`);
  if (status === 0) return;
  if (status === UNUSABLE) throw new StoreUnusable(stderr.trim());
  const reason = signal ? `reading it ends with ${signal}` : stderr.trim().split('\n')[0];
  throw new StoreUnusable(`the store in ${folder} is damaged: ${reason}; move the folder away and restore a backup into an empty one`);
}
