import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { GENERATED_FILE, generate } from '../../scripts/gen.ts';

test('the file that the filter compiles follows from the contract', () => {
  expect(readFileSync(GENERATED_FILE, 'utf8')).toBe(generate());
});
