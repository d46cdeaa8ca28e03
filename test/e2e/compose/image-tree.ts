import { cp, mkdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { projectRoot } from '../../../scripts/project-root.ts';
import { copiesOf, type ImageStage, lineageOf } from '../../compose/dockerfile.ts';

const workdir = '/rekindle/';

/**
 * Puts together in `folder` what an image has in its working directory. What the stage `build` makes is taken from this project, which was
 * built by the same commands, and what the stage `dependencies` installs from what is installed here.
 */
export async function layOut(stages: ReadonlyMap<string, ImageStage>, name: string, folder: string): Promise<void> {
  for (const { from, sources, target } of copiesOf(lineageOf(stages, name))) {
    for (const source of sources) {
      if (from === 'dependencies') await copyProductionPackages(folder);
      else {
        const place = sources.length > 1 || target.endsWith('/') ? join(target, basename(source)) : target;
        await cp(join(projectRoot, source.replace(workdir, '')), join(folder, place), { recursive: true });
      }
    }
  }
}

interface InstalledPackage {
  readonly dev?: boolean;
  readonly devOptional?: boolean;
}

/** As `npm ci --omit=dev` leaves it: the packages that are not for development alone. */
async function copyProductionPackages(folder: string): Promise<void> {
  const lock = JSON.parse(await readFile(join(projectRoot, 'node_modules/.package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, InstalledPackage>>;
  };
  const paths = Object.entries(lock.packages).filter(([, { dev, devOptional }]) => !dev && !devOptional);
  for (const [path] of paths) {
    await mkdir(join(folder, dirname(path)), { recursive: true });
    const isOwn = (file: string): boolean => !file.slice(join(projectRoot, path).length).includes('/node_modules');
    await cp(join(projectRoot, path), join(folder, path), { recursive: true, filter: isOwn });
  }
}
