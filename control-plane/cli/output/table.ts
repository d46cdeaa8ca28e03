import { clipped, harmless, widthOf } from './width.ts';

export type Tone = 'good' | 'warning' | 'bad' | 'plain';

export interface Cell {
  readonly text: string;
  readonly tone: Tone;
}

export interface Column<T> {
  readonly title: string;
  readonly cell: (item: T) => string | Cell;
}

export interface Paper {
  /** Columns of the terminal; null: not a terminal, nothing is cut. */
  readonly columns: number | null;
  readonly paint: (text: string, tone: Tone) => string;
}

const GAP = '  ';
const LEAST_LAST = 12;

/** Lines of a table with a title row. On a terminal that is too narrow the last column is cut. */
export function tableOf<T>(items: readonly T[], columns: readonly Column<T>[], { columns: room, paint }: Paper): string[] {
  const rows = items.map((item) => columns.map(({ cell }) => soundCell(cell(item))));
  const widths = columns.map(({ title }, place) => Math.max(widthOf(title), ...rows.map((row) => widthOf(row[place]!.text))));
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0);
  const last = room === null ? Number.POSITIVE_INFINITY : Math.max(LEAST_LAST, room - before);
  const titles = columns.map(({ title }): Cell => ({ text: title, tone: 'plain' }));
  return [titles, ...rows].map((row) =>
    row
      .map(({ text, tone }, place) => {
        const isLast = place === row.length - 1;
        const fill = isLast ? '' : ' '.repeat(widths[place]! - widthOf(text));
        return paint(isLast ? clipped(text, last) : text, tone) + fill;
      })
      .join(GAP)
      .trimEnd(),
  );
}

function soundCell(cell: string | Cell): Cell {
  const { text, tone } = typeof cell === 'string' ? { text: cell, tone: 'plain' as const } : cell;
  return { text: harmless(text) || '-', tone };
}
