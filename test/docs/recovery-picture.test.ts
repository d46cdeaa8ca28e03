import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Cause, TRANSITIONS } from '../../control-plane/domain/recovery/transitions.ts';
import { projectRoot } from '../../scripts/project-root.ts';
import { readPage } from './markdown.ts';

const page = readPage('docs/how-a-recovery-works.md');
const [states, phases] = page.blocks.filter(({ kind }) => kind === 'mermaid').map(({ text }) => text);

/** What people and edits do may lead anywhere; the page says so in words. */
const ANYWHERE: readonly Cause[] = ['overridden', 'override-left', 'policy-changed', 'mode-left'];

test('the picture of states has every change of a flag that the code allows by itself, with its causes, and no other', () => {
  const allowed = new Set(
    Object.entries(TRANSITIONS)
      .filter(([cause]) => !ANYWHERE.includes(cause as Cause))
      .flatMap(([cause, { from, to }]) => from.flatMap((start) => to.map((end) => [cause, start, end] as const)))
      .filter(([cause, start, end]) => start !== end || movesWithin(cause as Cause))
      .map((edge) => edge.join(' ')),
  );
  const drawn = [...states!.matchAll(/^ +([A-Z]+) --> ([A-Z]+): (.+)$/gm)].flatMap(([, from, to, causes]) =>
    causes!.split(', ').map((cause) => `${cause} ${from} ${to}`),
  );
  expect(drawn.sort()).toEqual([...allowed].sort());
});

test('the page names the causes that lead anywhere', () => {
  for (const cause of ANYWHERE) expect(page.code).toContain(cause);
});

test('the picture of phases has every phase of the code and no other', () => {
  const model = readFileSync(join(projectRoot, 'control-plane/domain/model.ts'), 'utf8');
  const union = /readonly phase: ((?:'[a-z]+'(?: \| )?)+);/.exec(model)?.[1] ?? '';
  const inCode = [...union.matchAll(/'([a-z]+)'/g)].map(([, phase]) => phase!);
  const drawn = new Set([...phases!.matchAll(/^ +([a-z]+) --> /gm)].map(([, phase]) => phase!));
  expect([...drawn].sort()).toEqual(inCode.sort());
});

/** ENABLED and DISABLED have one share each: only a step of TESTING leads to TESTING. */
function movesWithin(cause: Cause): boolean {
  return TRANSITIONS[cause].from.includes('TESTING') && TRANSITIONS[cause].to.includes('TESTING');
}
