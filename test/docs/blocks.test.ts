import { expect, test } from 'vitest';
import { jsonProblem } from './blocks/json.ts';
import { promqlProblem } from './blocks/promql.ts';
import { yamlProblem } from './blocks/yaml.ts';
import { type Block, isOutput, pagePaths, readPage } from './markdown.ts';
import { fixtureOf } from './page-fixture.ts';

/** Why a block is not what its readers will take it for; null: it is. */
type Check = (text: string) => Promise<string | null> | string | null;

const CHECKS: Readonly<Record<string, Check>> = {
  yaml: yamlProblem,
  json: jsonProblem,
  promql: promqlProblem,
  // Pages with a picture have a test of their own: domain/recovery-doc.test.ts and recovery-picture.test.ts.
  mermaid: (text) => (/^stateDiagram-v2\n/.test(text) ? null : 'is no picture that a test compares with the code'),
};

const blocks = pagePaths.flatMap((path) => readPage(path).blocks.map((block, index, all) => ({ block, before: all[index - 1] })));
const toCheck = blocks.filter(({ block, before }) => block.kind !== 'sh' && !isOutput(block, before)).map(({ block }) => block);

test.for(toCheck.map((block) => [`${block.page}:${block.line}`, block] as const))('the block at %s holds', async ([where, block]) => {
  const { unchecked = {} } = await fixtureOf(block.page);
  if (Object.keys(unchecked).some((start) => block.text.startsWith(start))) return;
  const check = CHECKS[block.kind];
  expect(check, `${where}: blocks of kind "${block.kind}" are not checked; ${howTo(block)}`).toBeDefined();
  expect(await check!(block.text), where).toBeNull();
});

test.for(pagePaths)('what the fixture of %s leaves unchecked is on the page', async (path) => {
  const { unchecked = {} } = await fixtureOf(path);
  const starts = readPage(path).blocks.flatMap(({ text }) => [text, ...text.split('\n')]);
  expect(Object.keys(unchecked).filter((start) => !starts.some((text) => text.startsWith(start)))).toEqual([]);
});

function howTo({ kind }: Block): string {
  if (['text', 'http'].includes(kind))
    return 'put it right after the commands that print it, or list it as unchecked in the fixture of the page';
  return `one of sh, ${Object.keys(CHECKS).join(', ')}, or text after commands`;
}
