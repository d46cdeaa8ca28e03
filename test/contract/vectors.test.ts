import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { controlPlanePaths, controlPlaneRuleProblems, MESSAGES, type Message } from './control-plane-side.ts';
import { filterProblems } from './filter-side.ts';
import { loadWire, type WireModule } from './wire-module.ts';

interface Vector {
  readonly says: string;
  readonly input: unknown;
  /** `only`: what the other side cannot know. */
  readonly problems: readonly { readonly path: string; readonly only?: 'filter' }[];
}

const folder = join(import.meta.dirname, 'vectors');
const vectors = readdirSync(folder).map((file) => {
  const message = file.split('.')[0] as Message;
  return { file, message, ...(JSON.parse(readFileSync(join(folder, file), 'utf8')) as Vector) };
});

let wire: WireModule;
beforeAll(async () => {
  wire = await loadWire();
});

test('each message has vectors', () => {
  expect(new Set(vectors.map(({ message }) => message))).toEqual(new Set(MESSAGES));
});

test.for(vectors.filter(({ message }) => message === 'policy'))('$file: both sides tell broken rules in the same words', ({ input }) => {
  const problems = controlPlaneRuleProblems(input);
  if (problems === null) return;
  const byPlace = (a: { path: string; reason: string }, b: { path: string; reason: string }) =>
    a.path + a.reason < b.path + b.reason ? -1 : 1;
  expect(filterProblems(wire, 'policy', input).sort(byPlace)).toEqual([...problems].sort(byPlace));
});

describe.each(vectors)('$file: $says', ({ message, input, problems }) => {
  test('in the control plane', () => {
    const expected = problems.filter(({ only }) => only === undefined).map(({ path }) => path);
    expect(controlPlanePaths(message, input)).toEqual([...expected].sort());
  });

  test('in the filter', () => {
    const found = filterProblems(wire, message, input);
    expect([...new Set(found.map(({ path }) => path))].sort()).toEqual(problems.map(({ path }) => path).sort());
    for (const { reason } of found) expect(reason).toMatch(/^\S.*\S$/);
  });
});
