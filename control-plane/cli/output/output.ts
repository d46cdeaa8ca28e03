import { stringify } from 'yaml';
import { type Column, type Paper, type Tone, tableOf } from './table.ts';
import { clipped, harmless } from './width.ts';

export const FORMATS = ['table', 'json', 'yaml'] as const;
export type Format = (typeof FORMATS)[number];

/** Where text goes, and what it may look like there. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Columns of what reads `out`, if that is a terminal. */
  readonly columns: number | null;
  /** Columns of `err`, if that is a terminal, on which a line may be written over. */
  readonly liveColumns: number | null;
  readonly hasColour: boolean;
}

const COLOURS: Readonly<Record<Tone, number | null>> = { good: 32, warning: 33, bad: 31, plain: null };

/** What a command says: data to standard output in the format that was asked for, all else beside it. */
export class Output {
  readonly format: Format;
  private readonly terminal: Terminal;

  constructor(terminal: Terminal, format: Format) {
    this.terminal = terminal;
    this.format = format;
  }

  /** Whether a line may be written over. */
  get isLive(): boolean {
    return this.terminal.liveColumns !== null;
  }

  /** Things of one kind. `none` is said in place of an empty table. */
  list<T>(items: readonly T[], columns: readonly Column<T>[], none: string): void {
    if (this.format !== 'table') this.data(items);
    else if (items.length === 0) this.note(none);
    else this.lines(tableOf(items, columns, this.paper));
  }

  /** One thing, in the table format as the lines that `inWords` gives. */
  one(value: unknown, inWords: () => readonly string[]): void {
    if (this.format === 'table') this.lines(inWords());
    else this.data(value);
  }

  /** What was done: data for a script, a sentence for a person. */
  did(value: unknown, sentence: string): void {
    this.one(value, () => [harmless(sentence)]);
  }

  /** A table within a text. */
  table<T>(items: readonly T[], columns: readonly Column<T>[]): string[] {
    return tableOf(items, columns, this.paper);
  }

  data(value: unknown): void {
    this.terminal.out(
      this.format === 'json' ? `${JSON.stringify(value, null, 2)}\n` : stringify(value, { lineWidth: 0, aliasDuplicateObjects: false }),
    );
  }

  /** One value a line, for those who read along. */
  event(value: unknown, line: string): void {
    this.live('');
    if (this.format === 'table') this.lines([harmless(line)]);
    else this.terminal.out(this.format === 'json' ? `${JSON.stringify(value)}\n` : `---\n${stringify(value, { lineWidth: 0 })}`);
  }

  lines(lines: readonly string[]): void {
    if (lines.length > 0) this.terminal.out(`${lines.join('\n')}\n`);
  }

  /** Beside the data, on standard error. */
  note(line: string): void {
    this.terminal.err(`${harmless(line)}\n`);
  }

  /** Replaces the last line of a terminal; '' removes it. */
  live(line: string): void {
    const { liveColumns, err } = this.terminal;
    if (liveColumns !== null) err(`\r\u001b[K${clipped(harmless(line), liveColumns - 1)}`);
  }

  paint(text: string, tone: Tone): string {
    const colour = COLOURS[tone];
    return this.terminal.hasColour && colour !== null ? `\u001b[${colour}m${text}\u001b[0m` : text;
  }

  private get paper(): Paper {
    return { columns: this.terminal.columns, paint: (text, tone) => this.paint(text, tone) };
  }
}
