import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from '../../../scripts/project-root.ts';
import type { Figure } from './figures.ts';

const BEGIN = '<!-- control-plane: written by npm run bench:control-plane -->';
const END = '<!-- /control-plane -->';

export function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map(({ what, result, bar, isMet }) => `| ${what} | ${result} | ${bar}${isMet === false ? ' (missed)' : ''} |`);
  return ['| what | measured | bar |', '|---|---|---|', ...rows].join('\n');
}

/** Puts the table between its markers in docs/benchmarks.md, or at its end. */
export function writeSection(figures: readonly Figure[]): void {
  const file = join(projectRoot, 'docs/benchmarks.md');
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '# Benchmarks\n';
  const section = `${BEGIN}\n${machine()}\n\n${tableOf(figures)}\n${END}`;
  const from = text.indexOf(BEGIN);
  const to = text.indexOf(END);
  const written =
    from >= 0 && to > from
      ? text.slice(0, from) + section + text.slice(to + END.length)
      : `${text.trimEnd()}\n\n## Control plane\n\n${section}\n`;
  writeFileSync(file, written);
}

function machine(): string {
  const [cpu, ...others] = cpus();
  const day = new Date().toISOString().slice(0, 10);
  return `Measured on ${day}: ${others.length + 1} × ${cpu?.model.trim()}, Linux, Node ${process.versions.node}; server and load share these cores.`;
}
