import { createHash } from 'node:crypto';
import { StoreUnusable } from './store.ts';

/** Grows when the rows below change in a way that older code would misread. */
const BACKUP_FORMAT = 1;

/** One row of one table of a store. */
export interface BackupRow {
  readonly table: string;
  readonly key: unknown;
  readonly value: unknown;
}

/** What a restored store holds. */
export interface Restored {
  readonly lineage: string;
  readonly rows: number;
  readonly services: number;
}

interface Head {
  readonly backup: 'rekindle';
  readonly format: number;
  /** Of the store that was read; a restored one has its own. */
  readonly lineage: string;
  readonly takenAtMs: number;
}

interface End {
  readonly rows: number;
  /** Of all lines before, in hexadecimal. */
  readonly sha256: string;
}

/** A backup is lines of JSON: a head, the rows, and an end by which a cut or changed file is known. */
export async function* writeBackup(
  lineage: string,
  takenAtMs: number,
  rows: Iterable<BackupRow> | AsyncIterable<BackupRow>,
): AsyncGenerator<string> {
  const hash = createHash('sha256');
  const line = (value: Head | BackupRow) => {
    const text = `${JSON.stringify(value)}\n`;
    hash.update(text);
    return text;
  };
  yield line({ backup: 'rekindle', format: BACKUP_FORMAT, lineage, takenAtMs });
  let count = 0;
  for await (const row of rows) {
    count++;
    yield line(row);
  }
  yield `${JSON.stringify({ rows: count, sha256: hash.digest('hex') } satisfies End)}\n`;
}

/** The rows of a backup. Throws StoreUnusable at the first line that shows that the file is not a whole backup. */
export async function* readBackup(lines: AsyncIterable<string>): AsyncGenerator<BackupRow> {
  const hash = createHash('sha256');
  let number = 0;
  let end: End | null = null;
  for await (const text of lines) {
    number++;
    if (end) throw unusable(number, 'there is more after the end');
    const value = parsed(text, number);
    if ('sha256' in value) {
      end = value as unknown as End;
      if (end.rows !== number - 2 || end.sha256 !== hash.digest('hex')) throw unusable(number, 'what was read is not what was written');
      continue;
    }
    hash.update(`${text}\n`);
    if (number === 1) checkHead(value);
    else if (typeof value['table'] === 'string' && 'key' in value && 'value' in value) yield value as unknown as BackupRow;
    else throw unusable(number, 'it is not a row');
  }
  if (!end) throw new StoreUnusable(`the backup ends after ${number} lines without its last one; it was cut off`);
}

function parsed(text: string, number: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // told below
  }
  throw unusable(number, 'it is not an object of JSON');
}

function checkHead(head: Record<string, unknown>): void {
  if (head['backup'] !== 'rekindle') throw new StoreUnusable('the file is not a backup of Rekindle');
  if (head['format'] !== BACKUP_FORMAT)
    throw new StoreUnusable(`the backup has format ${head['format']}, this version reads ${BACKUP_FORMAT}`);
}

function unusable(line: number, reason: string): StoreUnusable {
  return new StoreUnusable(`line ${line} of the backup cannot be used: ${reason}`);
}
