import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../../scripts/project-root.ts';
import { POISON, TRAP_HEADER } from '../fuzz/planted.ts';

const module = readFileSync(join(projectRoot, 'build/rekindle.wasm'));
const holds = (word: string): boolean => module.includes(word) || module.includes(Buffer.from(word, 'utf16le'));

test('the release knows none of the words at which a build of the tests traps', () => {
  expect(holds('x-rekindle-fallback')).toBe(true);
  for (const word of [TRAP_HEADER, POISON]) expect(holds(word)).toBe(false);
});
