// `npm run bench:control-plane`: the bars of one control plane process; the load comes from this process, over loopback.
import { pushes, reports, type Size, storm, ticks, waiting } from './cases.ts';
import { tableOf, writeFigures } from './document.ts';
import type { Figure } from './figures.ts';

const isQuick = process.argv.includes('--quick');
const only = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length);

const size: Size = isQuick
  ? { watchers: 2000, changes: 20, reportSeconds: 5, tickSeconds: 5, stormCapacity: 500 }
  : { watchers: 10_000, changes: 100, reportSeconds: 15, tickSeconds: 15, stormCapacity: 3000 };

const cases: Readonly<Record<string, () => Promise<Figure[]>>> = {
  waiting: () => waiting(size),
  push: () => pushes(size, 20),
  'push-512': () => pushes(size, 512),
  reports: () => reports(size),
  ticks: () => ticks(size),
  storm: () => storm(size),
};

const figures: Figure[] = [];
for (const [name, run] of Object.entries(cases)) {
  if (only !== undefined && only !== name) continue;
  const fromMs = performance.now();
  for (const figure of await run()) {
    figures.push(figure);
    const verdict = { true: ' — met', false: ' — MISSED', null: '' }[String(figure.isMet)];
    console.log(`${figure.what}: ${figure.result}${figure.bar === '' ? '' : ` (bar ${figure.bar})`}${verdict}`);
  }
  console.log(`  ${name} took ${((performance.now() - fromMs) / 1000).toFixed(0)} s`);
}
if (!isQuick && only === undefined) {
  writeFigures(figures);
  console.log(`\n${tableOf(figures)}\n\ndocs/benchmarks.md has this table`);
}
if (figures.some(({ isMet }) => isMet === false)) process.exitCode = 1;
process.exit();
