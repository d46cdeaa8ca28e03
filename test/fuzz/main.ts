import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { projectRoot } from '../../scripts/project-root.ts';
import type { Finding } from './hunt.ts';
import type { Orders, Word } from './worker.ts';

const usage = `npm run fuzz -- [options]
  --inputs N    end after so many inputs (default 1000000)
  --seconds N   end after so many seconds, whichever comes first
  --seed N      first seed (default: drawn, and printed)
  --threads N   default 2
  --module F    default build/rekindle.wasm`;

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '86400' },
    seed: { type: 'string', default: String(1 + Math.floor(Math.random() * 1e6)) },
    threads: { type: 'string', default: '2' },
    module: { type: 'string', default: join(projectRoot, 'build/rekindle.wasm') },
    help: { type: 'boolean', default: false },
  },
});
const numbers = {
  inputs: Number(values.inputs),
  seconds: Number(values.seconds),
  seed: Number(values.seed),
  threads: Number(values.threads),
};
if (values.help || Object.values(numbers).some((number) => !Number.isInteger(number) || number < 1)) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}

/** An episode takes a second or so: one that takes this long hangs, and takes its thread along. */
const HANGS_AFTER_MS = 120_000;
/** Distinct findings after which the hunt ends: the rest are likely the same again. */
const MOST_FINDINGS = 10;
const corpus = join(projectRoot, 'test/fuzz/corpus');

const startedAtMs = performance.now();
const elapsed = (): number => (performance.now() - startedAtMs) / 1000;
const findings = new Map<string, Finding>();
let inputs = 0;
let episodes = 0;
let traps = 0;

function take(word: Word): void {
  if (!('ends' in word)) return;
  inputs += word.episode.inputs;
  episodes++;
  if (word.episode.finding !== null) keep(word.episode.finding);
  if (inputs >= numbers.inputs || elapsed() >= numbers.seconds || findings.size >= MOST_FINDINGS) finish();
}

/** Keeps the story of a finding as a file of the corpus: from then on each run tells it again. */
function keep(finding: Finding): void {
  traps++;
  const kind = finding.what.replaceAll(/\d+/g, '#');
  if (findings.has(kind)) return;
  findings.set(kind, finding);
  const path = join(corpus, `seed-${finding.seed}.json`);
  mkdirSync(corpus, { recursive: true });
  writeFileSync(path, `${JSON.stringify({ says: finding.what, events: finding.events }, null, 2)}\n`);
  console.log(`seed ${finding.seed}: ${finding.what}\n  ${finding.events.length} events kept in ${relative(projectRoot, path)}`);
}

function line(): string {
  const seconds = elapsed();
  return `${inputs} inputs, ${seconds.toFixed(0)} s, ${traps} traps, ${Math.round(inputs / seconds)} inputs/s`;
}

console.log(`seed ${numbers.seed}, ${numbers.threads} threads`);
const hunters = Array.from({ length: numbers.threads }, (_, i) => {
  const orders: Orders = { module: values.module, first: numbers.seed + i, step: numbers.threads };
  const thread = new Worker(new URL('./worker.js', import.meta.url), { workerData: orders });
  const hunter = { thread, seed: 0, sinceMs: performance.now() };
  thread.on('message', (word: Word) => {
    if ('begins' in word) Object.assign(hunter, { seed: word.begins, sinceMs: performance.now() });
    take(word);
  });
  thread.on('error', (error) => {
    console.error(`seed ${hunter.seed}: the host failed: ${error.stack}`);
    traps++;
    finish();
  });
  return hunter;
});

const told = setInterval(() => console.log(line()), 30_000);
const watched = setInterval(() => {
  for (const { seed, sinceMs } of hunters) {
    if (performance.now() - sinceMs < HANGS_AFTER_MS) continue;
    console.error(`seed ${seed}: hangs`);
    traps++;
    finish();
  }
}, 5000);

let finished = false;
function finish(): void {
  if (finished) return;
  finished = true;
  clearInterval(told);
  clearInterval(watched);
  console.log(`${line()} (${episodes} episodes)`);
  void Promise.all(hunters.map(({ thread }) => thread.terminate())).then(() => process.exit(traps > 0 ? 1 : 0));
}
