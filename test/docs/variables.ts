import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../../scripts/project-root.ts';

/** Environment variables of ours that some program of the project reads: each stands as a literal in its sources. */
export const knownVariables: ReadonlySet<string> = new Set(
  ['control-plane', 'envoy', 'scripts'].flatMap(sources).flatMap((path) => {
    const literals = readFileSync(path, 'utf8').matchAll(/['"`](REKINDLE_[A-Z_]*[A-Z])['"`]/g);
    return [...literals].map(([, name]) => name!);
  }),
);

function sources(folder: string): string[] {
  const paths = readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' });
  return paths.filter((path) => /\.(ts|mjs)$/.test(path)).map((path) => join(projectRoot, folder, path));
}
