import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pause } from '../../envoy/demo/wait.ts';
import { findEnvoy } from '../../scripts/servers.ts';
import { type Block, isOutput, namedFile, pagePaths, readPage } from './markdown.ts';
import { difference } from './output.ts';
import { fixtureOf, type PageFixture } from './page-fixture.ts';
import { openSession, type Session } from './session.ts';
import { startStack } from './stack.ts';
import { missingFiles, runnable } from './unrun.ts';

const pagesWithCommands: string[] = [];
for (const path of pagePaths) {
  const { unchecked = {} } = await fixtureOf(path);
  if (readPage(path).blocks.some((block) => block.kind === 'sh' && runnableOf(block, unchecked).trim() !== ''))
    pagesWithCommands.push(path);
}

test.for(pagePaths)('the files that commands of %s name, which cannot run here, exist', (path) => {
  const commands = readPage(path).blocks.filter(({ kind }) => kind === 'sh');
  expect(commands.flatMap(({ text }) => missingFiles(text))).toEqual([]);
});

describe.concurrent('the commands of a page do what it says', () => {
  for (const path of pagesWithCommands) test(path, { timeout: 300_000 }, () => playPage(path));
});

/** What is only read may take so long to be as the page shows it. */
const SETTLED_WITHIN_MS = 30_000;

async function playPage(path: string): Promise<void> {
  const fixture = await fixtureOf(path);
  const folder = await mkdtemp(join(tmpdir(), 'rekindle-docs-'));
  await mkdir(join(folder, 'demo'));
  const stack = await startStack(fixture, folder);
  try {
    const variables = (await fixture.prepare?.(stack.stage, folder)) ?? {};
    const session = openSession({ folder, ports: stack.ports, envoyBinary: (await findEnvoy()).path, variables });
    try {
      await playBlocks(path, fixture, session, stack.stage);
    } finally {
      await session.stop();
    }
  } finally {
    await stack.stop();
  }
  await rm(folder, { recursive: true, force: true });
}

async function playBlocks(
  path: string,
  fixture: PageFixture,
  session: Session,
  stage: Parameters<NonNullable<PageFixture['prepare']>>[0],
): Promise<void> {
  const prepared = new Set<string>();
  const { blocks } = readPage(path);
  for (const [index, block] of blocks.entries()) {
    const file = namedFile(block);
    if (file !== null) session.write(file, block.text);
    if (block.kind !== 'sh') continue;
    if (!prepared.has(block.section)) await fixture.before?.[block.section]?.(stage);
    prepared.add(block.section);
    const commands = runnableOf(block, fixture.unchecked ?? {});
    if (commands.trim() === '') continue;
    await playBlock(block, commands, shownAfter(blocks, index), session);
  }
}

async function playBlock(block: Block, commands: string, shown: Block | null, session: Session): Promise<void> {
  const where = `${block.page}:${block.line}`;
  const attempt = async (): Promise<string | null> => {
    const { output, failure } = await session.run(commands, shown !== null);
    if (failure !== null) throw new Error(`${where}: ${failure}\n${commands}\n--- said:\n${output.slice(-4000)}`);
    return shown === null ? null : difference(shown.kind, shown.text, output);
  };
  const deadline = performance.now() + SETTLED_WITHIN_MS;
  let problem = await attempt();
  while (problem !== null && isReadOnly(commands) && performance.now() < deadline) {
    await pause(500);
    problem = await attempt();
  }
  expect(problem, `${where}: the output of\n${commands}`).toBeNull();
}

/** The block right after the commands, if it shows what they print. */
function shownAfter(blocks: readonly Block[], index: number): Block | null {
  const next = blocks[index + 1];
  return next !== undefined && isOutput(next, blocks[index]!) ? next : null;
}

function isReadOnly(commands: string): boolean {
  return !/ -X |--request|\s-d |--data|-T |&\s*$|>|<<|\b(apply|override|rollback|token|start|pause|resume|promote|abort|kill)\b/m.test(
    commands,
  );
}

function runnableOf({ text }: Block, unchecked: Readonly<Record<string, string>>): string {
  const lines = runnable(text).split('\n');
  return lines.filter((line) => !Object.keys(unchecked).some((start) => line.startsWith(start))).join('\n');
}
