import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { usage } from '../failure.ts';

/** What a file holds; `name` is how the person called it. */
export interface Source {
  readonly name: string;
  readonly text: string;
  /** Named by itself, rather than found in a folder. */
  readonly isNamed: boolean;
}

/** A policy has at most 1 MiB; several in one file, and comments, get some room. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Files by their names, all YAML and JSON files below folders, and standard input as `-`. */
export function readSources(paths: readonly string[]): Source[] {
  return paths.flatMap((path): Source[] => {
    if (path === '-') return [{ name: '(standard input)', text: textOf(0, path), isNamed: true }];
    if (!existing(path, () => statSync(path)).isDirectory()) return [{ name: path, text: textOf(path, path), isNamed: true }];
    const files = filesBelow(path);
    if (files.length === 0) throw usage(`${path} holds no file that ends with .yaml, .yml or .json`);
    return files.map((file) => ({ name: file, text: textOf(file, file), isNamed: false }));
  });
}

/** Links count as what they lead to; folders that are hidden are left out, unless it is the one that was named. */
function filesBelow(folder: string): string[] {
  return existing(folder, () => readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    .filter((path) => /\.(ya?ml|json)$/i.test(path) && !/(^|\/)(node_modules|\.[^/]+)\//.test(path))
    .map((path) => join(folder, path))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
    .sort();
}

function existing<T>(path: string, look: () => T): T {
  try {
    return look();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw usage(code === 'ENOENT' || code === 'ENOTDIR' ? `${path} does not exist` : `${path} cannot be read: ${message}`);
  }
}

function textOf(file: string | number, name: string): string {
  const bytes = bytesOf(file, name);
  if (bytes.length > MAX_BYTES) throw usage(`${name} is larger than 16 MiB`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw usage(`${name} is not UTF-8 text`);
  }
}

/** What is in a file; `name` is how the person called it. */
export function bytesOf(file: string | number, name: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw usage(`${name} cannot be read: ${(error as Error).message}`);
  }
}
