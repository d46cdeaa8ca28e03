/** What is wrong with a file, and where. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly severity: 'error' | 'warning';
  /** Member of the document; '' the document itself. */
  readonly path: string;
  readonly reason: string;
}

/** As compilers write it, so that editors find the place: `shop.yaml:12:7: error: features[0].priority: must be …` */
export function lineOf({ file, line, column, severity, path, reason }: Finding): string {
  return `${file}:${line}:${column}: ${severity}: ${path === '' ? '' : `${path}: `}${reason}`;
}

export function byPlace(a: Finding, b: Finding): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || a.column - b.column;
}
