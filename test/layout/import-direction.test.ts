import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../../scripts/project-root.ts';

/** A part of the project by the start of its files' paths, and the parts that it may import beside itself. */
interface Part {
  readonly part: string;
  readonly mayImport: readonly string[];
}

const filterBase = ['filter/abi/', 'filter/wire/', 'filter/domain/', 'filter/settings.ts', 'filter/telemetry/', 'filter/version.ts'];

const filterParts: readonly Part[] = [
  { part: 'filter/domain/', mayImport: [] },
  { part: 'filter/abi/callbacks.ts', mayImport: ['filter/'] },
  { part: 'filter/abi/', mayImport: [] },
  { part: 'filter/wire/', mayImport: ['filter/domain/'] },
  { part: 'filter/version.ts', mayImport: [] },
  { part: 'filter/settings.ts', mayImport: ['filter/wire/', 'filter/domain/'] },
  { part: 'filter/telemetry/', mayImport: ['filter/abi/', 'filter/wire/', 'filter/domain/'] },
  { part: 'filter/proxy/', mayImport: filterBase },
  { part: 'filter/sync/', mayImport: [...filterBase, 'filter/proxy/'] },
  { part: 'filter/stream/', mayImport: [...filterBase, 'filter/proxy/'] },
  { part: 'filter/root.ts', mayImport: [...filterBase, 'filter/proxy/', 'filter/sync/', 'filter/stream/'] },
  { part: 'filter/index.ts', mayImport: ['filter/abi/'] },
  { part: 'filter/what-if.ts', mayImport: ['filter/domain/'] },
];

const controlPlaneParts: readonly Part[] = [
  { part: 'control-plane/contract/', mayImport: [] },
  { part: 'control-plane/domain/', mayImport: ['control-plane/contract/'] },
  { part: 'control-plane/what-if/', mayImport: ['control-plane/contract/', 'control-plane/domain/'] },
  { part: 'control-plane/manifest/', mayImport: ['control-plane/contract/'] },
  { part: 'control-plane/errors.ts', mayImport: [] },
  // A client of the REST API, as any other would be.
  { part: 'control-plane/cli/', mayImport: ['control-plane/contract/', 'control-plane/manifest/'] },
  { part: 'control-plane/settings.ts', mayImport: ['control-plane/contract/'] },
  { part: 'control-plane/store/', mayImport: ['control-plane/contract/', 'control-plane/domain/', 'control-plane/errors.ts'] },
];

/** Between these the later ones know the earlier ones, never the other way round. */
const controlPlaneOrder = ['domain/', 'store/', 'access/', 'fleet', 'routes/', 'app.ts', 'main.ts'].map((part) => `control-plane/${part}`);

const files = [...sourcesBelow('filter'), ...sourcesBelow('control-plane'), ...sourcesBelow('envoy'), ...sourcesBelow('scripts')];

test.each([...filterParts, ...controlPlaneParts])('$part imports only what lies further in', ({ part, mayImport }) => {
  const own = files.filter((file) => partOf(file) === part);
  const outward = own.flatMap((file) =>
    importsOf(file)
      .filter((target) => target.startsWith('filter/') || target.startsWith('control-plane/'))
      .filter((target) => partOf(target) !== part && !mayImport.some((allowed) => partOf(target).startsWith(allowed)))
      .map((target) => `${file} imports ${target}`),
  );
  expect(outward).toEqual([]);
});

test('the control plane points from main inward', () => {
  const rank = (file: string): number => controlPlaneOrder.findIndex((start) => file.startsWith(start));
  const outward = files.flatMap((file) =>
    importsOf(file)
      .filter((target) => rank(file) >= 0 && rank(target) > rank(file))
      .map((target) => `${file} imports ${target}`),
  );
  expect(outward).toEqual([]);
});

test('the product knows neither its demo, nor its scripts, nor its tests', () => {
  const outward = files
    .filter((file) => file.startsWith('filter/') || file.startsWith('control-plane/'))
    .flatMap((file) =>
      importsOf(file)
        .filter((target) => /^(envoy|scripts|test)\//.test(target))
        .map((target) => `${file} imports ${target}`),
    );
  expect(outward).toEqual([]);
});

test('the domain of the control plane has no clock, no chance and no input or output of its own', () => {
  const impure = files
    .filter((file) => file.startsWith('control-plane/domain/'))
    .filter((file) => /\bDate\.now\(|new Date\(\)|Math\.random\(|performance\.now\(|from 'node:|\bprocess\.[a-z]/.test(textOf(file)));
  expect(impure).toEqual([]);
});

/** The most specific part that a file belongs to. */
function partOf(file: string): string {
  const parts = [...filterParts, ...controlPlaneParts].map(({ part }) => part).filter((part) => file.startsWith(part));
  return parts.sort((a, b) => b.length - a.length)[0] ?? file;
}

function sourcesBelow(folder: string): string[] {
  return readdirSync(join(projectRoot, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(projectRoot, join(entry.parentPath, entry.name)));
}

/** Paths, from the project's root, of the project's files that a file imports. */
function importsOf(file: string): string[] {
  return [...textOf(file).matchAll(/(?:from|import)\s*\(?\s*["'](\.[^"']+)["']/g)]
    .map(([, path = '']) => normalize(join(dirname(file), path)))
    .map((path) => (path.endsWith('.ts') ? path : `${path}.ts`));
}

function textOf(file: string): string {
  return readFileSync(join(projectRoot, file), 'utf8');
}
