/** One line of a table. */
export interface Figure {
  readonly what: string;
  readonly measured: string;
  /** What it must be; empty: nothing is asked. */
  readonly bar: string;
  /** null: no bar. */
  readonly isMet: boolean | null;
}

/** A table with the bars and by how much they are met or missed. */
export interface Section {
  readonly title: string;
  /** Markdown between title and tables. */
  readonly text: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly figures: readonly Figure[];
}

/** A figure with an upper bar; `format` writes both. */
export function atMost(what: string, value: number, limit: number, format: (value: number) => string): Figure {
  return { what, measured: format(value), bar: `≤ ${format(limit)}`, isMet: value <= limit };
}

/** A figure with a lower bar. */
export function atLeast(what: string, value: number, limit: number, format: (value: number) => string): Figure {
  return { what, measured: format(value), bar: `≥ ${format(limit)}`, isMet: value >= limit };
}

export const times = (value: number): string => `${value.toFixed(2)} ×`;
export const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
export const us = (value: number): string => value.toFixed(1);

/** Tables of a section in Markdown. */
export function markdownOf({ title, text, header, rows, figures }: Section): string {
  const judged = figures.map(({ what, measured, bar, isMet }) => [what, measured, bar, isMet === null ? '' : isMet ? 'met' : '**missed**']);
  const parts = [`### ${title}`, text];
  if (rows.length > 0) parts.push(table(header, rows));
  if (figures.length > 0) parts.push(table(['what', 'measured', 'bar', ''], judged));
  return parts.join('\n\n');
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
