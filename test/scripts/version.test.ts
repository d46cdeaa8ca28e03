import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { VERSION } from '../../control-plane/version.gen.ts';
import { projectRoot } from '../../scripts/project-root.ts';
import { OLDER } from '../compatibility/replay.ts';

const text = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');

/** Those that a person pulls or applies. */
const places = execFileSync('git', ['ls-files', 'envoy', 'docs', 'README.md', 'Dockerfile', 'docker-compose.yml'], { cwd: projectRoot })
  .toString()
  .trim()
  .split('\n')
  .filter((path) => /\.(ya?ml|md)$|Dockerfile$/.test(path));

test('package, lock file, control plane, filter and changelog have one version', () => {
  const lock = JSON.parse(text('package-lock.json')) as { version: string; packages: Record<string, { version: string }> };
  expect([JSON.parse(text('package.json')).version, lock.version, lock.packages['']?.version]).toEqual([VERSION, VERSION, VERSION]);
  expect(/^## \[?(\d+\.\d+\.\d+)/m.exec(text('CHANGELOG.md'))?.[1]).toBe(VERSION);
  expect(text('filter/wire/contract.gen.ts')).toContain(`VERSION: string = "${VERSION}"`);
});

const images = /rekindle\/(?:control-plane|filter)(?::|,[^\n]*newTag: )(\d+\.\d+\.\d+)/g;
const namesAndLabels = /(?:rekindle-filter(?:-|: )|kubernetes\.io\/version: )["']?(\d+\.\d+\.\d+)/g;

test.for(places)('%s names no other version of the images, the labels or the ConfigMaps', (path) => {
  // A page also tells how the version before is removed.
  const told = [...text(path).matchAll(images), ...(path.endsWith('.md') ? [] : text(path).matchAll(namesAndLabels))];
  for (const [where, version] of told) expect(version, where).toBe(VERSION);
});

test('the version that today’s is held against is the minor version before', () => {
  const [major, minor] = VERSION.split('.').map(Number);
  const before = OLDER.split('.').map(Number);
  expect(before.slice(0, 2)).toEqual([major, (minor ?? 0) - 1]);
});
