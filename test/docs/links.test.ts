import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../../scripts/project-root.ts';
import { pagePaths, readPage } from './markdown.ts';

test.for(pagePaths)('every link in %s leads somewhere', (path) => {
  expect(brokenLinks(path)).toEqual([]);
});

test('every page can be reached from README.md', () => {
  const seen = new Set<string>(['README.md']);
  const toRead = ['README.md'];
  for (let path = toRead.pop(); path !== undefined; path = toRead.pop()) {
    for (const target of readPage(path)
      .links.filter((link) => !isOutside(link))
      .map((link) => placeOf(path, link).file)) {
      if (!target.endsWith('.md') || seen.has(target) || !pagePaths.includes(target)) continue;
      seen.add(target);
      toRead.push(target);
    }
  }
  expect(pagePaths.filter((path) => !seen.has(path) && !path.startsWith('docs/adr/'))).toEqual([]);
});

function brokenLinks(path: string): string[] {
  return readPage(path).links.flatMap((link) => {
    if (isOutside(link)) return [];
    const { file, anchor } = placeOf(path, link);
    if (!existsSync(join(projectRoot, file))) return [`${link}: there is no ${file}`];
    if (anchor === '' || !file.endsWith('.md')) return [];
    return readPage(file).anchors.has(anchor) ? [] : [`${link}: ${file} has no heading #${anchor}`];
  });
}

function placeOf(page: string, link: string): { file: string; anchor: string } {
  const [target = '', anchor = ''] = link.split('#');
  return { file: target === '' ? page : normalize(join(dirname(page), target)), anchor };
}

/** Other people's pages are not asked for: a test must not depend on them. */
const isOutside = (link: string): boolean => /^[a-z]+:/.test(link);
