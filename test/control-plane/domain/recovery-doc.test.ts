import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TRANSITIONS } from '../../../control-plane/domain/recovery/transitions.ts';
import { projectRoot } from '../../../scripts/project-root.ts';

const text = readFileSync(join(projectRoot, 'docs/recovery.md'), 'utf8');

test('the table of legal transitions in docs/recovery.md is the one of the code', () => {
  const rows = [...text.matchAll(/^\| `([a-z-]+)` \| ([A-Z, ]+) \| ([A-Z, ]+) \| (up|down|same|any) \|$/gm)];
  const told = rows.map(([, cause, from, to, admit]) => [cause, { from: from!.split(', '), to: to!.split(', '), admit }]);
  expect(Object.fromEntries(told)).toEqual(TRANSITIONS);
});

test('it has every rule', () => {
  const rules = [...text.matchAll(/^\*\*R(\d+) /gm)].map(([, number]) => Number(number));
  expect(rules).toEqual(Array.from({ length: 17 }, (_, index) => index + 1));
});
