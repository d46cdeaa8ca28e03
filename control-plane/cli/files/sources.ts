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
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) throw usage(`${path} does not exist`);
    if (!stat.isDirectory()) return [{ name: path, text: textOf(path, path), isNamed: true }];
    const files = filesBelow(path);
    if (files.length === 0) throw usage(`${path} holds no file that ends with .yaml, .yml or .json`);
    return files.map((file) => ({ name: file, text: textOf(file, file), isNamed: false }));
  });
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ya?ml|json)$/i.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/(^|\/)(node_modules|\.[^./][^/]*)\//.test(path))
    .sort();
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
