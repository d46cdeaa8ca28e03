import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../scripts/project-root.ts';

const file = join(projectRoot, 'docs/benchmarks.md');

/** Writes this section of docs/benchmarks.md; the others stay as they are. */
export function writeSection(name: string, title: string, body: string): void {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '# Benchmarks\n';
  writeFileSync(file, withSection(text, name, title, body));
}

/** The text with `body` between the markers of the section, or at its end under the title. */
export function withSection(text: string, name: string, title: string, body: string): string {
  const [begin, end] = [`<!-- ${name}: written by npm run bench:${name} -->`, `<!-- /${name} -->`];
  const section = `${begin}\n${body}\n${end}`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) return `${text.trimEnd()}\n\n## ${title}\n\n${section}\n`;
  return text.slice(0, from) + section + text.slice(to + end.length);
}
