import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { CONTROL_PLANE_METRICS, FILTER_METRICS } from '../../control-plane/contract/metrics.ts';
import { PROBLEM_KINDS } from '../../control-plane/errors.ts';
import { projectRoot } from '../../scripts/project-root.ts';
import { pagePaths, readPage } from './markdown.ts';
import { knownVariables } from './variables.ts';

const livePages = pagePaths.filter((path) => !path.startsWith('docs/adr/'));
const scripts = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')).scripts as Readonly<Record<string, string>>;
const metrics = Object.keys({ ...FILTER_METRICS, ...CONTROL_PLANE_METRICS });

test.for(livePages)('the npm scripts that %s names exist', (path) => {
  const named = [...wholeText(path).matchAll(/\bnpm run (?:--silent )?([a-z][a-z:-]*)/g)].map(([, name]) => name!);
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
});

test.for(livePages)('the settings and error codes that %s names exist', (path) => {
  const named = [...wholeText(path).matchAll(/\bREKINDLE_[A-Z_]*[A-Z]\b/g)].map(([name]) => name);
  const codes = [...PROBLEM_KINDS.values()].map(({ code }) => code as string);
  expect(named.filter((name) => !knownVariables.has(name) && !codes.includes(name))).toEqual([]);
});

test.for(livePages)('the metrics that %s names exist', (path) => {
  const named = [...wholeText(path).matchAll(/(?<!:)\brekindle_[a-z_]*[a-z]\b(?!\*|\/)/g)].map(([name]) => name);
  const isKnown = (name: string) => metrics.some((metric) => name === metric || name.replace(/_(bucket|sum|count)$/, '') === metric);
  expect(named.filter((name) => !isKnown(name))).toEqual([]);
});

test.for(livePages)('the files that %s names exist', (path) => {
  const named = readPage(path).code.flatMap((code) => /^[a-z][\w.-]*(\/[\w.-]+)+\/?$/.exec(code) ?? []);
  const roots = new Set(['control-plane', 'filter', 'envoy', 'test', 'scripts', 'docs', 'dist', 'build']);
  const files = named.filter((name) => name !== undefined && roots.has(name.split('/')[0] ?? ''));
  const exists = (name: string) =>
    existsSync(join(projectRoot, name)) || existsSync(join(projectRoot, normalize(join(dirname(path), name))));
  expect(files.filter((name) => !exists(name))).toEqual([]);
});

function wholeText(path: string): string {
  const { prose, code, blocks } = readPage(path);
  return [prose, ...code, ...blocks.map(({ text }) => text)].join('\n');
}
