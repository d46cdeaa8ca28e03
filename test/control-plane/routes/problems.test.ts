import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROBLEM_KINDS } from '../../../control-plane/errors.ts';
import { problemsPage } from '../../../scripts/problems.ts';
import { projectRoot } from '../../../scripts/project-root.ts';

test('the page of problems has every kind, and is the one that is generated', () => {
  const page = readFileSync(join(projectRoot, 'docs/problems.md'), 'utf8');
  expect([...PROBLEM_KINDS.keys()].filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
  expect(page).toBe(problemsPage());
});

test('codes, titles and statuses are sound', () => {
  for (const { code, status, title, detail } of PROBLEM_KINDS.values()) {
    expect(code).toMatch(/^REKINDLE_[A-Z_]+$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect([title, detail].every((text) => text.length > 0)).toBe(true);
  }
});
