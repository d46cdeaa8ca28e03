import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Settings } from 'typebox/system';
import { withDefaults } from './defaults.ts';
import { type LocatedProblem, problemsOf } from './problem.ts';

/** Problems of one document that are told at once. */
export const MAX_PROBLEMS = 200;

// TypeBox stops after eight errors by default; each unknown field takes two.
Settings.Set({ maxErrors: 2 * MAX_PROBLEMS });

export type Read<T> = { readonly value: T } | { readonly problems: readonly LocatedProblem[] };

export function isRefused<T>(read: Read<T>): read is { readonly problems: readonly LocatedProblem[] } {
  return 'problems' in read;
}

/** Reads documents of one schema: fills in defaults, refuses unknown fields where the schema is closed, names all problems at once. */
export class DocumentReader<S extends TSchema> {
  private readonly schema: S;
  private readonly validator: ReturnType<typeof Compile<S>>;
  private readonly hasDefaults: boolean;

  constructor(schema: S) {
    this.schema = schema;
    this.validator = Compile(schema);
    this.hasDefaults = JSON.stringify(schema).includes('"default":');
  }

  /** `raw` comes from a parser, belongs to nobody else, and may be changed. */
  read(raw: unknown): Read<Static<S>> {
    const value = this.hasDefaults ? withDefaults(this.schema, raw) : raw;
    if (this.validator.Check(value)) return { value: value as Static<S> };
    return { problems: this.problems(value) };
  }

  /**
   * The document without what is wrong with it, if the rest stands: so that rules beyond the schema can be checked along with it.
   * A wrong item takes its whole array along, since the others' places must not shift.
   */
  salvage(raw: unknown, problems: readonly LocatedProblem[]): Static<S> | null {
    for (const { keys } of problems) removeAt(raw, keys);
    const read = this.read(raw);
    return isRefused(read) ? null : read.value;
  }

  private problems(value: unknown): readonly LocatedProblem[] {
    const found = this.validator.Errors(value).flatMap((error) => problemsOf(error, this.schema, value));
    return found.slice(0, MAX_PROBLEMS);
  }
}

function removeAt(document: unknown, keys: readonly string[]): void {
  const parents: unknown[] = [document];
  for (const key of keys.slice(0, -1)) parents.push((parents.at(-1) as Record<string, unknown> | undefined)?.[key]);
  for (let depth = keys.length - 1; depth >= 0; depth--) {
    const parent = parents[depth];
    if (typeof parent !== 'object' || parent === null || Array.isArray(parent)) continue;
    delete (parent as Record<string, unknown>)[keys[depth]!];
    return;
  }
}
