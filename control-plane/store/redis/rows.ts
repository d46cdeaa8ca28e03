import { StoreFault } from '../store.ts';

/** A numbered row of a sorted set: its number makes equal values two rows, its time is read where the value need not be. */
export interface Row<V> {
  readonly number: number;
  readonly atMs: number;
  readonly value: V;
}

/** `<number> <epoch ms> <JSON>`; scripts write the same. */
export function rowText(number: number, atMs: number, value: unknown): string {
  return `${number} ${Math.floor(atMs)} ${JSON.stringify(value)}`;
}

export function parseRow<V>(text: string): Row<V> {
  const first = text.indexOf(' ');
  const second = text.indexOf(' ', first + 1);
  return {
    number: Number(text.slice(0, first)),
    atMs: Number(text.slice(first + 1, second)),
    value: parseStored<V>(text.slice(second + 1), 'a row'),
  };
}

/** What a script or a process of this format wrote; anything else is told as what it is. Throws StoreFault. */
export function parseStored<V>(text: string, what: string): V {
  try {
    return JSON.parse(text) as V;
  } catch (error) {
    throw new StoreFault('broken', `${what} in the store cannot be read (${(error as Error).message})`, false, error);
  }
}
