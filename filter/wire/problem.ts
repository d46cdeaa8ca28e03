/** What is wrong with a document, and where: `services[0].policy.features[2].breaker.openMs`. An empty path is the document itself. */
export class Problem {
  constructor(
    public path: string,
    public reason: string,
  ) {}
}

/** Problems that are told of one document. */
const MAX_PROBLEMS: i32 = 50;

/** The problems of one document, as many as are told. */
export class Problems {
  list: Problem[] = [];

  /** What is told is complete: further problems need not be put into words. */
  get isFull(): bool {
    return this.list.length >= MAX_PROBLEMS;
  }

  add(path: string, reason: string): void {
    if (!this.isFull) this.list.push(new Problem(path, reason));
  }
}

const MAX_LINE: i32 = 480;

/** The problems in one line of at most 512 characters. */
export function problemLine(problems: Problem[]): string {
  let line = "";
  for (let i = 0; i < problems.length; i++) {
    const problem = problems[i];
    line += (i > 0 ? "; " : "") + (problem.path.length > 0 ? problem.path : "document") + " " + problem.reason;
    const left = problems.length - 1 - i;
    if (line.length > MAX_LINE) return line.substring(0, MAX_LINE) + "…" + (left > 0 ? " and " + left.toString() + " more" : "");
  }
  return line;
}
