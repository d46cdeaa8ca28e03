import fc from 'fast-check';

/** Values that some member somewhere does not take. */
export const strangers = fc.oneof(
  fc.constantFrom(
    null,
    true,
    false,
    '',
    ' ',
    'x',
    'X y',
    'é',
    [],
    {},
    [[]],
    [null],
    { a: 1 },
    -1,
    0,
    0.5,
    1,
    99.5,
    1e300,
    -(2 ** 53),
    2 ** 53,
  ),
  fc.integer(),
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.constantFrom(64, 65, 254, 255, 256, 1025, 65_537).map((length) => 'a'.repeat(length)),
  fc.constantFrom(17, 33, 65).map((length) => Array.from({ length }, () => 1)),
);

export type Edit = (parent: Record<string, unknown>, name: string, stranger: unknown) => void;
export const EDITS: Record<string, Edit> = {
  'a member replaced': (parent, name, stranger) => {
    parent[name] = stranger;
  },
  'a member removed': (parent, name) => {
    if (Array.isArray(parent)) parent.splice(Number(name), 1);
    else delete parent[name];
  },
  'a member added': (parent, name, stranger) => {
    if (Array.isArray(parent)) parent.push(stranger);
    else parent[`${name}-2`] = stranger;
  },
};

/** The document with an edit at one of its members, whichever `at` falls on. */
export function edited(document: object, at: number, edit: Edit, stranger: unknown): object {
  const copy = structuredClone(document);
  const places: [Record<string, unknown>, string][] = [];
  const collect = (value: unknown) => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, member] of Object.entries(value)) {
      places.push([value as Record<string, unknown>, name]);
      collect(member);
    }
  };
  collect(copy);
  const place = places[at % Math.max(1, places.length)];
  if (place) edit(...place, structuredClone(stranger));
  return copy;
}
