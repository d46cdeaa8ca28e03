// `npm run bench:filter`: what the filter costs, beside what else could stand in Envoy; `--quick` takes less, and writes nothing unless
// `--write` says so; `--only=NAME` runs one of the benches. `npm run bench:memory` is its long run over `--requests=N` requests.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findEnvoy } from '../../../scripts/servers.ts';
import { writeSection } from '../section.ts';
import { degradedReplies } from './degraded.ts';
import { markdownOf, type Section } from './figure.ts';
import { firstDirective } from './first-directive.ts';
import { happyPath, proxiedPath } from './happy-path.ts';
import { isolatedDecision } from './isolation.ts';
import { machine, requireTools } from './machine.ts';
import { flatMemory } from './memory.ts';
import { tripSpread } from './trip.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    only: { type: 'string' },
    memory: { type: 'boolean', default: false },
    requests: { type: 'string', default: '10000000' },
  },
});
const { quick: isQuick, memory: isMemory, only } = values;
const effort = isQuick ? { rounds: 4, seconds: 1 } : { rounds: 9, seconds: 2 };

const benches: Readonly<Record<string, (folder: string) => Promise<Section>>> = {
  direct: (folder) => happyPath(folder, effort),
  proxied: (folder) => proxiedPath(folder, effort),
  degraded: (folder) => degradedReplies(folder, effort),
  trip: (folder) => tripSpread(folder, isQuick ? 20 : 200),
  directive: (folder) => firstDirective(folder, isQuick ? 2 : 10),
  isolation: () => isolatedDecision(isQuick ? 200_000 : 2_000_000, isQuick ? 3 : 7),
};

process.exitCode = await run().catch((error: Error) => {
  console.error(error.message);
  return 2;
});
// opossum's timers would hold the process.
process.exit();

async function run(): Promise<number> {
  await requireTools();
  const folder = await mkdtemp(join(tmpdir(), 'rekindle-bench-'));
  const { version } = await findEnvoy();
  const chosen = isMemory ? { memory: (at: string) => flatMemory(at, Number(values.requests), console.log) } : benches;
  const sections: Section[] = [];
  for (const [name, bench] of Object.entries(chosen)) {
    if (only !== undefined && only !== name) continue;
    const section = await bench(join(folder, name));
    sections.push(section);
    console.log(`\n${markdownOf(section)}`);
  }
  const heading = `${machine(version)}${isQuick ? '; a quick run with few rounds' : ''}. Envoy with one worker on a core of its own, the load on another.`;
  if (values.write || isMemory || (only === undefined && !isQuick)) {
    const body = [heading, ...sections.map(markdownOf)].join('\n\n');
    writeSection(isMemory ? 'memory' : 'filter', isMemory ? 'Memory of the filter' : 'Filter', body);
    console.log('\ndocs/benchmarks.md has this section');
  }
  await rm(folder, { recursive: true, force: true });
  const missed = sections.flatMap(({ figures }) => figures).filter(({ isMet }) => isMet === false);
  for (const { what, measured, bar } of missed) console.log(`missed: ${what}: ${measured}, bar ${bar}`);
  return missed.length === 0 ? 0 : 1;
}
