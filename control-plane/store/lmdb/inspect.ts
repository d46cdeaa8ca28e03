import { accessSync, closeSync, constants, existsSync, fstatSync, mkdirSync, openSync, readSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { StoreUnusable } from '../store.ts';

/** Offsets within a meta page of lmdb 3.5's file (data version 2): its page header takes 24 bytes. */
const META = { bytes: 160, magic: 24, version: 28, pageSize: 48, lastPage: 144 } as const;
const MAGIC = 0xbeefc0de;
const VERSION = 2;
/** Pages at the end that a transaction took and gave back are never written, so a sound file may be a little short. */
const SPARE_PAGES = 256;

/**
 * Makes the data folder and looks at its file before lmdb maps it: a folder that cannot be written may make lmdb hang, a foreign or cut file
 * ends the process with a signal.
 */
export function prepareFolder(folder: string): void {
  try {
    makeFolder(resolve(folder));
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new StoreUnusable(
      `the data folder ${folder} cannot be used: ${(error as Error).message}; set REKINDLE_DATA_DIR to a writable folder`,
    );
  }
  const file = join(folder, 'data.mdb');
  if (!existsSync(file)) return;
  const problem = fileProblem(file);
  if (problem) throw new StoreUnusable(`${file} ${problem}; restore a backup or move the file away to start with an empty store`);
}

/** Level by level: Node's own way to make all at once never comes back below `/proc`. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder);
}

function fileProblem(file: string): string | null {
  const handle = openSync(file, 'r');
  try {
    const size = fstatSync(handle).size;
    if (size === 0) return null; // killed before the first write
    const first = metaAt(handle, 0);
    if (!first) return 'is not a store of Rekindle';
    const second = metaAt(handle, first.pageSize);
    if (!second) return 'is damaged: its second meta page is not readable';
    const needed = (Math.max(first.lastPage, second.lastPage) - SPARE_PAGES) * first.pageSize;
    return size < needed ? `is cut off: it has ${size} bytes, its pages need ${needed} at least` : null;
  } finally {
    closeSync(handle);
  }
}

function metaAt(handle: number, offset: number): { pageSize: number; lastPage: number } | null {
  const page = Buffer.alloc(META.bytes);
  if (readSync(handle, page, 0, META.bytes, offset) < META.bytes) return null;
  if (page.readUInt32LE(META.magic) !== MAGIC || page.readUInt32LE(META.version) !== VERSION) return null;
  return { pageSize: page.readUInt32LE(META.pageSize), lastPage: Number(page.readBigUInt64LE(META.lastPage)) };
}
