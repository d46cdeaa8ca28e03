import { parentPort, workerData } from 'node:worker_threads';
import { WasmModule } from '../filter/host/module.ts';
import { loadDocuments } from './documents.ts';
import { type Episode, runEpisode, shortened } from './hunt.ts';

/** What a thread is told: to hunt with the seeds first, first + step, … until it is told to stop. */
export interface Orders {
  readonly module: string;
  readonly first: number;
  readonly step: number;
}

/** What it tells: the seed that it takes up, then what came of it. */
export type Word = { readonly begins: number } | { readonly ends: number; readonly episode: Episode };

const { module: path, first, step } = workerData as Orders;
const say = (word: Word): void => parentPort?.postMessage(word);
const module = WasmModule.fromFile(path);
const documents = loadDocuments();

function hunt(seed: number): void {
  say({ begins: seed });
  const { inputs, finding } = runEpisode(module, documents, seed);
  const short = finding && { ...finding, events: shortened(module, finding.events, finding.what) };
  say({ ends: seed, episode: { inputs, finding: short } });
  // Lets the order to stop come through.
  setImmediate(hunt, seed + step);
}
hunt(first);
