import { cpus } from 'node:os';
import { writeSection } from '../section.ts';
import type { Figure } from './figures.ts';

export function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map(({ what, result, bar, isMet }) => `| ${what} | ${result} | ${bar}${isMet === false ? ' (missed)' : ''} |`);
  return ['| what | measured | bar |', '|---|---|---|', ...rows].join('\n');
}

/** Writes the table into docs/benchmarks.md. */
export function writeFigures(figures: readonly Figure[]): void {
  writeSection('control-plane', 'Control plane', `${machine()}\n\n${tableOf(figures)}`);
}

function machine(): string {
  const [cpu, ...others] = cpus();
  const day = new Date().toISOString().slice(0, 10);
  return `Measured on ${day}: ${others.length + 1} × ${cpu?.model.trim()}, Linux, Node ${process.versions.node}; server and load share these cores.`;
}
