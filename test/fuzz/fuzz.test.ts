import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../../scripts/project-root.ts';
import { WasmModule } from '../filter/host/module.ts';
import { loadDocuments } from './documents.ts';
import type { FuzzEvent } from './event.ts';
import { kindOf } from './forge.ts';
import { type Finding, replay, runEpisode, shortened } from './hunt.ts';
import { buildPlanted } from './planted.ts';
import { World } from './world.ts';

const module = WasmModule.fromFile(join(projectRoot, 'build/rekindle.wasm'));
const documents = loadDocuments();
const corpus = join(projectRoot, 'test/fuzz/corpus');
const stories = readdirSync(corpus).filter((name) => name.endsWith('.json'));
/** A rehearsal of `npm run fuzz`: in CI the same each time, elsewhere other ones, named when they fail. */
const firstSeed = process.env['CI'] === 'true' ? 1 : 1 + Math.floor(Math.random() * 1e6);
const EPISODES = 6;

test.for(stories)('what trapped once does not trap again: %s', (name) => {
  const { events } = JSON.parse(readFileSync(join(corpus, name), 'utf8')) as { events: FuzzEvent[] };
  expect(replay(module, events)).toBeNull();
});

test(`nothing traps, seeds ${firstSeed} to ${firstSeed + EPISODES - 1}`, () => {
  for (let seed = firstSeed; seed < firstSeed + EPISODES; seed++) expect(runEpisode(module, documents, seed, 2000).finding).toBeNull();
});

test('the same seed tells the same story', () => {
  const told = () => runEpisode(module, documents, 5, 300);
  expect(told()).toEqual(told());
});

test('a planted trap is found, and its story cut to the few events that matter', { timeout: 120_000 }, async () => {
  const planted = WasmModule.fromFile(await buildPlanted());
  let finding: Finding | null = null;
  for (let seed = 1; finding === null && seed <= 40; seed++) finding = runEpisode(planted, documents, seed).finding;
  expect(finding?.what).toContain('planted');
  const { what, events } = finding!;
  const story = shortened(planted, events, what);
  expect(story.length).toBeLessThanOrEqual(12);
  expect(replay(planted, story)).toBe(what);
  expect(replay(module, story)).toBeNull();
});

test('forged values pass the check of the filter', () => {
  const world = new World(module);
  world.tell({ do: 'configure', vm: 0, root: 0, text: documents.configurations[0]!.text });
  for (let i = 0; i < 3; i++) world.tell({ do: 'tick', vm: 0, root: 0, afterMs: 50 });
  const checked = world.shared.keys(world.vmId).filter((key) => kindOf(world.shared.get(world.vmId, key)!.bytes) !== null);
  expect(checked).toEqual(expect.arrayContaining(['rk1:proxy', 'rk1:shop:lead']));
});

test('shortening keeps what it takes', () => {
  const ends: FuzzEvent[] = Array.from({ length: 50 }, (_, i) => ({ do: 'tick', vm: 0, root: 0, afterMs: i }));
  expect(shortened(module, ends, 'trap: none')).toEqual(ends);
});
